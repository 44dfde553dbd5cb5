/**
 * Writing and reading frames, the same for everyone: a fill of the whole frame, and a sum over a word of every cache
 * line. `payload.py`, `payload.h` and `iceoryx2/src/payload.rs` do exactly this.
 *
 *     bytes 0-3 number   4-7 1 in the last frame   8-15 when it was written, ns   16-... the pattern
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { monotonicNs } from "./clock.ts";
import type { Outcome, Task } from "./task.ts";

/** Words of 32 bits in a cache line. */
const LINE = 16;

const patternOf = (number: number) => (number * 37 + 11) & 255;
const wordsOf = (bytes: Uint8Array) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);

/** The frames to be sent, one after the other. */
export class Source {
  #number = -1;
  #last = false;
  #startNs = 0;
  readonly #task: Task;

  constructor(task: Task) {
    this.#task = task;
  }

  /**
   * Moves on to the next frame; in a test of latency it waits until that is due, once warm.
   *
   * @returns false after the last one
   */
  async next(): Promise<boolean> {
    if (this.#last) return false;
    const { kind, warmup, seconds, frames, fps } = this.#task;
    this.#number++;
    const counted = this.#number - warmup;
    if (counted === 0) this.#startNs = monotonicNs();
    if (counted < 0) return true;
    if (kind === "latency") {
      const dueNs = this.#startNs + counted * 1e9 / fps;
      await sleep(Math.max(0, (dueNs - monotonicNs()) / 1e6));
      this.#last = counted === frames - 1;
    } else if (counted > 0) {
      this.#last = monotonicNs() - this.#startNs > seconds * 1e9;
    }
    return true;
  }

  /** Writes the frame, and at last when that was. */
  write(bytes: Uint8Array): void {
    bytes.fill(patternOf(this.#number));
    const words = wordsOf(bytes);
    words[0] = this.#number;
    words[1] = this.#last ? 1 : 0;
    const now = monotonicNs();
    words[2] = now >>> 0;
    words[3] = now / 2 ** 32;
  }
}

/** The frames received: each is checked, and counts once the warm-up is over. */
export class Sink {
  #next = 0;
  #startNs = 0;
  #endNs = 0;
  readonly #arrivedNs: number[] = [];
  readonly #readNs: number[] = [];
  readonly #task: Task;

  constructor(task: Task) {
    this.#task = task;
  }

  /** Reads a frame. @returns whether it was the last @throws {Error} when it is not what was written */
  read(bytes: Uint8Array): boolean {
    const arrivedNs = monotonicNs();
    const words = wordsOf(bytes);
    let sum = 0;
    for (let at = 0; at < words.length; at += LINE) sum = sum + words[at] | 0;
    const readNs = monotonicNs();
    const number = words[0];
    const lines = Math.ceil(words.length / LINE);
    const expected = number + Math.imul(lines - 1, Math.imul(patternOf(number), 0x01010101)) | 0;
    if (number !== this.#next || sum !== expected || bytes.byteLength !== this.#task.frameBytes) {
      throw new Error(`wrong checksum: frame ${number} instead of ${this.#next}, sum ${sum} instead of ${expected}`);
    }
    this.#next++;
    this.#endNs = readNs;
    if (number === this.#task.warmup) this.#startNs = readNs;
    if (number >= this.#task.warmup && this.#task.kind === "latency") {
      const writtenNs = (words[2] >>> 0) + words[3] * 2 ** 32;
      this.#arrivedNs.push(arrivedNs - writtenNs);
      this.#readNs.push(readNs - writtenNs);
    }
    return words[1] === 1;
  }

  /** What came of it. */
  outcome(): Outcome {
    return {
      frames: this.#next - 1 - this.#task.warmup,
      seconds: (this.#endNs - this.#startNs) / 1e9,
      arrivedNs: this.#arrivedNs,
      readNs: this.#readNs,
    };
  }
}
