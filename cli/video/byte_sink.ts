/**
 * Bytes into a pipe or a file, straight from the array that holds them, which may be a frame in shared memory.
 *
 * @module
 */
import fs from "node:fs";
import { OutputRefused } from "../terminal/output.ts";
import { reopenPipe, writeFully } from "./descriptors.ts";

/** Thrown when the reader of a pipe has gone, as after `| head`. */
export class PipeClosed extends Error {}

/** Writes one descriptor. */
export class ByteSink implements Disposable {
  readonly #fd: number;
  readonly #signal: AbortSignal;
  #writing = false;
  /** The pipe, opened again in blocking mode: Bun makes standard output non-blocking. */
  readonly #patient: number | undefined;

  /** @param signal ends a write that hangs, with its reason */
  constructor(fd: number, signal: AbortSignal) {
    this.#fd = fd;
    this.#signal = signal;
    // Our own pipes are as they should be. To open one again would wait for a reader, which may have died.
    this.#patient = fd <= 2 ? reopenPipe(fd, fs.constants.O_WRONLY) : undefined;
  }

  /** Whether a write is under way: the process then does not end by itself. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Writes all bytes; the array must not change until then. @throws {PipeClosed} @throws {OutputRefused} */
  async write(bytes: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    let abort: () => void;
    const aborted = new Promise<never>((_, reject) => {
      this.#signal.addEventListener("abort", abort = () => reject(this.#signal.reason));
    });
    this.#writing = true;
    const written = writeFully(this.#patient ?? this.#fd, bytes).finally(() => this.#writing = false);
    try {
      await Promise.race([written, aborted]);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new PipeClosed();
      throw code !== undefined && this.#fd === 1 ? new OutputRefused(error) : error;
    } finally {
      this.#signal.removeEventListener("abort", abort!);
      written.catch(() => {}); // after an abort its failure concerns no caller
    }
  }

  /** Closes what it has opened itself; the descriptor stays open. */
  [Symbol.dispose](): void {
    if (this.#patient !== undefined) fs.closeSync(this.#patient);
  }
}
