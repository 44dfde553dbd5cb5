/**
 * The Bun backend: `bun:ffi`. Bun has no asynchronous foreign calls, so a thread of the shim sleeps and calls back.
 *
 * @module
 */
import { type Backend, type Library, MEMORY_FILE_FLAGS, type Wait } from "./backend.ts";
import { type Native, type NativeType, type Pointer, type Signature, SYMBOLS } from "./symbols.ts";

type BunSymbols = Record<string, (...parameters: unknown[]) => unknown>;
type BunFfi = {
  dlopen(path: string, symbols: Record<string, { args: string[]; returns: string }>): {
    symbols: BunSymbols;
  };
  toArrayBuffer(pointer: number, offset: number, byteLength: number): ArrayBuffer;
  JSCallback: new (
    callback: (token: number) => void,
    options: { args: string[]; returns: string; threadsafe: boolean },
  ) => { ptr: number };
};
type Process = {
  getBuiltinModule(name: string): unknown;
  platform: string;
  arch: string;
  env: Record<string, string | undefined>;
  constrainedMemory?(): number;
  on(event: "exit", listener: () => void): void;
};

/** Ballast: a part of the machine's memory, and never more than this. */
const BALLAST_OF_MEMORY = 1 / 32;
const MOST_BALLAST_BYTES = 1 << 30;
/** Another size, in megabytes. */
const BALLAST_VARIABLE = "FRAMES_DEPOT_BALLAST_MB";

/** Longer than any process lives; the timer only keeps the event loop alive while a thread sleeps for us. */
const KEEP_ALIVE_MS = 0x7fffffff;

// A function and not a constant: Deno, which imports this module too, makes the object at the first look, in 12 ms.
const process = (): Process => (globalThis as unknown as { process: Process }).process;

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

/** Threads that sleep, kept for the next sleep. A depot has at most two asleep at once. */
class Waiters {
  #native: Native;
  #callback: { ptr: number };
  #idle: Pointer[] = [];
  #pending = new Map<number, { waiter: Pointer; resolve: () => void }>();
  #nextToken = 1;
  #keepAlive: ReturnType<typeof setInterval> | undefined;

  constructor(native: Native) {
    this.#native = native;
    this.#callback = new (ffi().JSCallback)((token) => this.#woken(token), {
      args: ["i32"],
      returns: "void",
      threadsafe: true,
    });
    // A thread that called back into a runtime that is being torn down would crash it.
    process().on("exit", () => {
      for (const { waiter } of this.#pending.values()) native.fd_waiter_stop(waiter);
    });
  }

  wait({ segment, word, lane, peer, expected, timeoutMs }: Wait): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = this.#idle.pop() ?? this.#start();
      const token = this.#nextToken;
      this.#nextToken = token % 0x7fffffff + 1;
      const answer = this.#native.fd_waiter_post(
        waiter,
        segment,
        word,
        lane,
        peer,
        expected,
        timeoutMs,
        token,
      );
      if (answer < 0) return reject(new Error(`fd_waiter_post answered ${answer}`));
      this.#pending.set(token, { waiter, resolve });
      this.#keepAlive ??= setInterval(() => {}, KEEP_ALIVE_MS);
    });
  }

  #start(): Pointer {
    const out = new BigUint64Array(1);
    const answer = this.#native.fd_waiter_start(this.#callback.ptr as unknown as Pointer, out);
    if (answer < 0) throw new Error(`a waiting thread cannot be started: errno ${-answer}`);
    return bunBackend.pointer(out[0]);
  }

  #woken(token: number): void {
    const entry = this.#pending.get(token);
    if (entry === undefined) return;
    this.#pending.delete(token);
    this.#idle.push(entry.waiter);
    if (this.#pending.size === 0) {
      clearInterval(this.#keepAlive);
      this.#keepAlive = undefined;
    }
    entry.resolve();
  }
}

function load(path: string): Library {
  const native = ffi().dlopen(path, bunSymbols(SYMBOLS)).symbols as unknown as Native;
  let waiters: Waiters | undefined;
  return { native, wait: (wait) => (waiters ??= new Waiters(native)).wait(wait) };
}

function memoryFile(libc: string, bytes: Uint8Array): string | undefined {
  const { symbols } = ffi().dlopen(libc, {
    memfd_create: { args: ["ptr", "u32"], returns: "i32" },
    write: { args: ["i32", "ptr", "u64"], returns: "i64" },
  });
  const name = new TextEncoder().encode("frames-depot\0");
  for (const flags of MEMORY_FILE_FLAGS) {
    const file = symbols.memfd_create(name, flags) as number;
    if (file < 0) continue;
    const written = symbols.write(file, bytes, bytes.length) as number | bigint;
    return Number(written) === bytes.length ? `/proc/self/fd/${file}` : undefined;
  }
  return undefined;
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
  memoryFile,
  pointer(address) {
    return Number(address) as unknown as Pointer;
  },
  onExit(listener) {
    process().on("exit", listener);
  },
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
  view(base, offset, byteLength) {
    return ffi().toArrayBuffer(base as unknown as number, offset, byteLength);
  },
};
