/**
 * The Deno backend: `Deno.dlopen`, and `nonblocking` calls to sleep without blocking the event loop.
 *
 * @module
 */
import type { Attendance, Backend } from "./backend.ts";
import { process } from "./process.ts";
import { type Functions, type Native, type Pointer, type Signature, SYMBOLS } from "./symbols.ts";

/** The sleep once more, on a thread of Deno's pool. */
const BESIDE = {
  fd_sleeper_sleep_beside: { ...SYMBOLS.fd_sleeper_sleep, name: "fd_sleeper_sleep", nonblocking: true },
};
type Beside = { fd_sleeper_sleep_beside(sleeper: Pointer): Promise<number> };

function load<T extends Record<string, Signature>>(path: string, table: T): Functions<T> {
  const symbols = "fd_sleeper_sleep" in table ? { ...table, ...BESIDE } : table;
  return Deno.dlopen(path, symbols as unknown as Deno.ForeignLibraryInterface).symbols as unknown as Functions<T>;
}

/** How long a depot that is closed waits for a sleep that has nothing to watch any more: it takes microseconds. */
const QUIET_MS = 50;

/** One call at a time sleeps for all words of a sleeper; a word that is added meanwhile joins the sleep in C. */
class Beds implements Attendance {
  readonly #native: Native & Beside;
  readonly #sleeper: Pointer;
  readonly #woken: () => void;
  #asleep: Promise<void> | undefined;
  #watches = false;

  constructor(native: Native, sleeper: Pointer, woken: () => void) {
    this.#native = native as Native & Beside;
    this.#sleeper = sleeper;
    this.#woken = woken;
  }

  arm(): void {
    this.#watches = true;
    if (this.#asleep !== undefined) return;
    this.#asleep = this.#native.fd_sleeper_sleep_beside(this.#sleeper).then(() => {
      this.#asleep = undefined;
      this.#woken();
      // What has been woken often sleeps again at once, and then takes the others along.
      if (this.#watches) setImmediate(() => this.#watches && this.arm());
    });
  }

  rest(): void {
    this.#watches = false;
  }

  /** No longer than a moment: the sleep may be another depot's by now, or wait for a thread of the pool. */
  quiet(): Promise<void> | undefined {
    const asleep = this.#asleep;
    if (asleep === undefined) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, QUIET_MS);
      asleep.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Deno's way of calling C. */
export const denoBackend: Backend = {
  runtime: "deno",
  get os() {
    return Deno.build.os;
  },
  get arch() {
    return Deno.build.arch;
  },
  env(name) {
    const state = Deno.permissions.querySync({ name: "env", variable: name }).state;
    return state === "granted" ? Deno.env.get(name) : undefined;
  },
  load,
  attend: (native, sleeper, woken) => new Beds(native, sleeper, woken),
  pointer(address) {
    return Deno.UnsafePointer.create(address) as unknown as Pointer;
  },
  onExit(listener) {
    // Not process.on("exit"), which Deno.exit() passes by.
    globalThis.addEventListener("unload", listener);
  },
  hearsSignals: true,
  onSignal(signal, listener) {
    Deno.addSignalListener(signal, listener);
  },
  signalListeners: () => undefined,
  // Half a second after its start Deno handles SIGUSR1 (10, on macOS 30) for its debugger, and SIGINT and SIGTERM too.
  get ownHearing() {
    const listeners = (signal: "SIGINT" | "SIGTERM") => process().listenerCount(signal);
    return Deno.build.os === "windows" ? undefined : { signal: Deno.build.os === "darwin" ? 30 : 10, listeners };
  },
  unref(timer) {
    Deno.unrefTimer(timer);
  },
  ballastBytes: 0,
  operationsPin: false,
  view(base, offset, byteLength) {
    return Deno.UnsafePointerView.getArrayBuffer(
      base as unknown as Deno.PointerObject,
      byteLength,
      offset,
    );
  },
};
