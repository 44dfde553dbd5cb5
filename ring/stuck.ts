/**
 * A slot that a producer holds for long: it may be dead.
 *
 * @module
 */
import type { Fate } from "./fate.ts";

/** A slot that a producer has held for this long is checked. */
const STUCK_MS = 100;

/** Since when a reader has been waiting for one sequence. */
export class Stuck {
  #sequence = -1;
  #first = 0;
  #asked = 0;

  /** Whether the sequence that was asked for last has been waited for that long. */
  get isLasting(): boolean {
    return performance.now() - this.#first >= STUCK_MS;
  }

  /**
   * After a while the kernel is asked whether the producer lives.
   *
   * @param fateOf what became of the sequence, with recovery or without @returns whether the slot was given back
   */
  recover(sequence: number, fateOf: (recover: boolean) => Fate): boolean {
    const now = performance.now();
    if (this.#sequence !== sequence) {
      this.#sequence = sequence;
      this.#first = this.#asked = now;
    }
    if (now - this.#asked < STUCK_MS) return false;
    this.#asked = now;
    const before = fateOf(false);
    return fateOf(true) !== before;
  }
}
