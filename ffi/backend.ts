/**
 * What differs between runtimes when calling C. One implementation a runtime: `deno.ts`, `bun.ts`.
 *
 * @module
 */
import type { Native, Pointer } from "./symbols.ts";

/** The words a sleeper passes to `fd_wait`, and how long it may take. */
export type Wait = {
  segment: Pointer;
  word: Pointer;
  lane: number;
  peer: number;
  expected: number;
  timeoutMs: number;
};

/** A library once loaded, with the waiting that its runtime can do without blocking the event loop. */
export type Library = {
  native: Native;
  /** One `fd_wait` beside the event loop; keeps the process alive until it ends, as any pending work does. */
  wait(wait: Wait): Promise<void>;
};

/** One runtime's foreign function interface. */
export interface Backend {
  readonly runtime: "deno" | "bun";
  readonly os: string;
  readonly arch: string;
  /** The value of an environment variable; undefined also where reading it is not permitted. Never prompts. */
  env(name: string): string | undefined;
  /** Loads a shared library by path or by the name that the system's linker knows. Throws the runtime's error. */
  load(path: string): Library;
  /**
   * Has the C library keep `bytes` in an anonymous file and returns a path to it; undefined where the system has
   * nothing like it. Touches no disk, so it needs no permission but the one for FFI. Linux only.
   */
  memoryFile(libc: string, bytes: Uint8Array): string | undefined;
  pointer(address: bigint): Pointer;
  /** Calls back when the process ends by itself or by exit(); nothing asynchronous happens any more. */
  onExit(listener: () => void): void;
  /** Lets the process end although a timer runs. */
  unref(timer: ReturnType<typeof setTimeout>): void;
  /**
   * Bytes of buffers that should live in a process that makes many over foreign memory, so that its collector does not
   * take each for garbage to come; 0 where it does not.
   */
  readonly ballastBytes: number;
  /** A new ArrayBuffer over foreign memory. Nothing is copied and nothing is freed with it. */
  view(base: Pointer, offset: number, byteLength: number): ArrayBuffer;
}

/** `MFD_CLOEXEC | MFD_EXEC`, and the first alone for kernels before 6.3, which refuse the second. */
export const MEMORY_FILE_FLAGS: readonly number[] = [0x1 | 0x10, 0x1];

/** Adds a description to what the runtime threw, so that the load error can show both. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
