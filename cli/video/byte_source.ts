/**
 * Bytes of a pipe or a file in the portions that a format wants: lines, and frames straight into their slots.
 *
 * @module
 */
import fs from "node:fs";
import process from "node:process";
import { EXIT, Failure } from "../failure.ts";
import { readNow, readSome, reopenPipe } from "./descriptors.ts";

/** The size of a pipe on most systems. Waits happen with a buffer of this size, never with a claimed slot. */
const CHUNK_BYTES = 65536;
/** How long a read into a slot may go on after a signal. */
const GRACE_MS = 300;

/** Reads one descriptor. It belongs to one reader at a time. */
export class ByteSource implements Disposable {
  readonly #fd: number;
  readonly #signal: AbortSignal;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #start = 0;
  #end = 0;
  #ended = false;
  #reading = false;
  /** The pipe, opened again in non-blocking mode: bytes that are there need no trip to another thread. */
  readonly #quick: number | undefined;

  /** @param signal ends every wait, with its reason */
  constructor(fd: number, signal: AbortSignal) {
    this.#fd = fd;
    this.#signal = signal;
    this.#quick = reopenPipe(fd, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  }

  /** Closes what it has opened itself; the descriptor stays open. */
  [Symbol.dispose](): void {
    if (this.#quick !== undefined) fs.closeSync(this.#quick);
  }

  /** Whether a read is under way: the process then does not end by itself. */
  get reading(): boolean {
    return this.#reading;
  }

  async #read(into: Uint8Array): Promise<number> {
    this.#reading = true;
    try {
      const count = await readSome(this.#fd, into);
      if (count === 0) this.#ended = true;
      return count;
    } finally {
      this.#reading = false;
    }
  }

  /** Waits until there are `count` bytes, at most 64 KiB, to look at. @returns fewer only at the end */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#end - this.#start < count && !this.#ended) {
      if (this.#start === this.#end) this.#start = this.#end = 0;
      if (this.#start + count > CHUNK_BYTES) {
        this.#chunk.copyWithin(0, this.#start, this.#end);
        [this.#start, this.#end] = [0, this.#end - this.#start];
      }
      this.#end += await this.#unlessAborted(this.#read(this.#chunk.subarray(this.#end)));
    }
    return this.#chunk.subarray(this.#start, this.#end);
  }

  async #unlessAborted<T>(promise: Promise<T>): Promise<T> {
    this.#signal.throwIfAborted();
    let abort: () => void;
    const aborted = new Promise<never>((_, reject) => {
      this.#signal.addEventListener("abort", abort = () => reject(this.#signal.reason));
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      this.#signal.removeEventListener("abort", abort!);
      promise.catch(() => {}); // after an abort its failure concerns no caller
    }
  }

  /** Waits for a byte. @returns false at the end */
  async more(): Promise<boolean> {
    return (await this.peek(1)).length > 0;
  }

  /** The text up to the next line feed, which is consumed, too; undefined where there is none within `limit` bytes. */
  async line(limit: number): Promise<string | undefined> {
    for (let seen = 0; seen < limit;) {
      const bytes = await this.peek(seen + 1);
      const at = bytes.indexOf(10, seen);
      if (at >= 0 && at < limit) {
        this.#start += at + 1;
        return new TextDecoder("latin1").decode(bytes.subarray(0, at));
      }
      if (bytes.length === seen) return undefined;
      seen = bytes.length;
    }
    return undefined;
  }

  /**
   * Fills an array in place. Its memory must stay while a read is under way, so an abort waits for that read; where it
   * hangs, the process ends here.
   *
   * @returns bytes filled: fewer than the array has only at the end
   */
  async fill(into: Uint8Array): Promise<number> {
    let filled = Math.min(into.length, this.#end - this.#start);
    into.set(this.#chunk.subarray(this.#start, this.#start + filled));
    this.#start += filled;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hurry = () => timer = setTimeout(() => process.exit(exitCodeOf(this.#signal.reason)), GRACE_MS);
    this.#signal.addEventListener("abort", hurry);
    try {
      while (filled < into.length && !this.#ended) {
        this.#signal.throwIfAborted();
        const rest = into.subarray(filled);
        const ready = this.#quick === undefined ? 0 : readNow(this.#quick, rest);
        filled += ready > 0 ? ready : await this.#read(rest); // which waits, or finds the end
      }
      return filled;
    } finally {
      this.#signal.removeEventListener("abort", hurry);
      clearTimeout(timer);
    }
  }
}

function exitCodeOf(reason: unknown): number {
  return reason instanceof Failure ? reason.exitCode : EXIT.failed;
}
