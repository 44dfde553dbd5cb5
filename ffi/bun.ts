/**
 * The Bun backend: `bun:ffi`. Bun has no asynchronous foreign calls, so a thread of the shim sleeps and
 * rings through a socket.
 *
 * @module
 */
import type { Attendance, Backend } from "./backend.ts";
import type { Functions, Native, NativeType, Pointer, Signature } from "./symbols.ts";

type BunSymbols = Record<string, (...parameters: unknown[]) => unknown>;
type BunFfi = {
  dlopen(path: string, symbols: Record<string, { args: string[]; returns: string }>): {
    symbols: BunSymbols;
  };
  toArrayBuffer(pointer: number, offset: number, byteLength: number): ArrayBuffer;
};
type Bun = {
  connect(options: { fd: number; socket: { data(): void; error(): void; close(): void } }): Promise<Socket>;
};
type Net = { connect(path: string): Socket & { on(event: "data" | "error", listener: () => void): void } };
type Process = {
  getBuiltinModule(name: string): unknown;
  platform: string;
  arch: string;
  env: Record<string, string | undefined>;
  constrainedMemory?(): number;
  on(event: string, listener: () => void): void;
  listenerCount(event: string): number;
};

/** Ballast: a part of the machine's memory, and never more than this. */
const BALLAST_OF_MEMORY = 1 / 32;
const MOST_BALLAST_BYTES = 1 << 30;
/** Another size, in megabytes. */
const BALLAST_VARIABLE = "FRAMES_DEPOT_BALLAST_MB";

// A function and not a constant: Deno, which imports this module too, makes the object at the first look, in 12 ms.
const process = (): Process => (globalThis as unknown as { process: Process }).process;

/** How often a sleeper is looked at that cannot ring. */
const DEAF_MS = 2;
/** Room for the path of a named pipe. */
const PIPE_PATH_BYTES = 256;

let loaded: BunFfi | undefined;
const ffi = (): BunFfi => loaded ??= process().getBuiltinModule("bun:ffi") as BunFfi;

const bunType = (type: NativeType): string => type === "pointer" || type === "buffer" ? "ptr" : type;

function bunSymbols(table: Record<string, Signature>) {
  return Object.fromEntries(
    Object.entries(table).map(([name, { parameters, result }]) => [
      name,
      { args: parameters.map(bunType), returns: bunType(result) },
    ]),
  );
}

function load<T extends Record<string, Signature>>(path: string, table: T): Functions<T> {
  return ffi().dlopen(path, bunSymbols(table)).symbols as unknown as Functions<T>;
}

/** A socket as both of Bun's ways to open one give it. */
type Socket = { ref(): void; unref(): void };

/**
 * A thread of the shim sleeps, and sends a byte when it has woken; this thread hears of it. A callback from another
 * thread would be shorter, and crashes the process when it comes after `worker.terminate()`.
 */
class Bell implements Attendance {
  /** Known a little later. */
  #socket: Socket | undefined;
  #isArmed = false;

  constructor(native: Native, sleeper: Pointer, woken: () => void) {
    const file = native.fd_sleeper_start(sleeper);
    if (file < 0) throw new Error(`a waiting thread cannot be started: errno ${-file}`);
    const path = new Uint8Array(PIPE_PATH_BYTES);
    const length = native.fd_sleeper_pipe(sleeper, path, path.length);
    if (length > 0) this.#has(pipe(new TextDecoder().decode(path.subarray(0, length)), woken));
    else {
      // Without a socket it is looked at now and then; a timer can be let go of in the same way.
      socket(file, woken).catch(() => setInterval(woken, DEAF_MS) as unknown as Socket).then((socket) =>
        this.#has(socket)
      );
    }
  }

  #has(socket: Socket): void {
    this.#socket = socket;
    if (!this.#isArmed) socket.unref();
  }

  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#socket?.ref();
  }

  rest(): void {
    this.#isArmed = false;
    this.#socket?.unref();
  }

  quiet(): undefined {}
}

/** Bun closes the descriptor when its other end is closed, or when its worker ends. */
function socket(file: number, woken: () => void): Promise<Socket> {
  const { connect } = (globalThis as unknown as { Bun: Bun }).Bun;
  return connect({ fd: file, socket: { data: woken, error() {}, close() {} } });
}

/** Windows has named pipes. */
function pipe(path: string, woken: () => void): Socket {
  const { connect } = process().getBuiltinModule("node:net") as Net;
  const socket = connect(path);
  socket.on("data", woken);
  socket.on("error", () => {}); // its end is the end of the sleeper
  return socket;
}

const SYSTEMS: Record<string, string> = { win32: "windows", darwin: "darwin" };
const MACHINES: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };

/** Bun's way of calling C. */
export const bunBackend: Backend = {
  runtime: "bun",
  get os() {
    return SYSTEMS[process().platform] ?? process().platform;
  },
  get arch() {
    return MACHINES[process().arch] ?? process().arch;
  },
  env(name) {
    return process().env[name];
  },
  load,
  attend: (native, sleeper, woken) => new Bell(native, sleeper, woken),
  pointer(address) {
    return Number(address) as unknown as Pointer;
  },
  onExit(listener) {
    process().on("exit", listener);
  },
  onSignal(signal, listener) {
    process().on(signal, listener);
  },
  signalListeners: (signal) => process().listenerCount(signal),
  unref(timer) {
    (timer as unknown as { unref(): void }).unref();
  },
  get ballastBytes() {
    const megabytes = Number(process().env[BALLAST_VARIABLE] || NaN);
    if (megabytes >= 0 && megabytes < Infinity) return Math.floor(megabytes * 1e6);
    const { totalmem } = process().getBuiltinModule("node:os") as { totalmem(): number };
    const memory = Math.min(totalmem(), process().constrainedMemory?.() || Infinity);
    return Math.floor(Math.min(MOST_BALLAST_BYTES, memory * BALLAST_OF_MEMORY));
  },
  operationsPin: true,
  view(base, offset, byteLength) {
    return ffi().toArrayBuffer(base as unknown as number, offset, byteLength);
  },
};
