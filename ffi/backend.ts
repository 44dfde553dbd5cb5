/**
 * What differs between runtimes when calling C. One implementation a runtime: `deno.ts`, `bun.ts`, `node.ts`.
 *
 * @module
 */
import type { Functions, Native, Pointer, Signature } from "./symbols.ts";

/** How a runtime hears that a sleeper has woken. A sleeper of C sleeps for up to 127 words at once. */
export interface Attendance {
  /** Called whenever the sleeper has got something to watch; keeps the process alive from now on. */
  arm(): void;
  /** Called when the sleeper watches nothing any more: the process may end. */
  rest(): void;
  /** Settled when a sleeper that watches nothing has no operation of the runtime under way. */
  quiet(): Promise<void> | undefined;
}

/** One runtime's foreign function interface. */
export interface Backend {
  readonly runtime: "deno" | "bun" | "node";
  readonly os: string;
  readonly arch: string;
  /** The value of an environment variable; undefined also where reading it is not permitted. Never prompts. */
  env(name: string): string | undefined;
  /** Loads a shared library, by an absolute path or a name that is loaded already. Throws the runtime's error. */
  load<T extends Record<string, Signature>>(path: string, table: T): Functions<T>;
  /**
   * Has `woken` called on this thread's event loop whenever the sleeper has something to take.
   *
   * @throws {Error} where the system refuses a thread or a descriptor; it may be tried again
   */
  attend(native: Native, sleeper: Pointer, woken: () => void): Attendance;
  pointer(address: bigint): Pointer;
  /** Calls back when the process ends by itself or by exit(); nothing asynchronous happens any more. */
  onExit(listener: () => void): void;
  /** Calls back whenever the process gets a signal; this does not keep it alive. @throws where there is none such */
  onSignal(signal: "SIGINT" | "SIGTERM", listener: () => void): void;
  /** Whether this thread hears signals: of Node and Bun the main thread alone does. */
  readonly hearsSignals: boolean;
  /** How many listeners a signal has in this process; undefined where the runtime does not say. */
  signalListeners(signal: "SIGINT" | "SIGTERM"): number | undefined;
  /**
   * Of a runtime that hears all signals for itself some time after its start, whatever they did before: the number of a
   * signal that it hears only then, and how many listeners of the program it knows of.
   */
  readonly ownHearing?: { signal: number; listeners(signal: "SIGINT" | "SIGTERM"): number } | undefined;
  /** Lets the process end although a timer runs. */
  unref(timer: ReturnType<typeof setTimeout>): void;
  /**
   * Bytes of buffers that should live in a process that makes many over foreign memory, so that its collector does not
   * take each for garbage to come; 0 where it does not.
   */
  readonly ballastBytes: number;
  /**
   * Whether an operation of the runtime (a write, a compression) keeps the buffer that it works on from being detached.
   * Then a buffer that could be detached is out of reach; otherwise an operation may still be in its memory.
   */
  readonly operationsPin: boolean;
  /** A new ArrayBuffer over foreign memory. Nothing is copied and nothing is freed with it. */
  view(base: Pointer, offset: number, byteLength: number): ArrayBuffer;
}

/** What the runtime threw, in words: the load error shows it beside what was tried. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
