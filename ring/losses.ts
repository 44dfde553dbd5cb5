/**
 * How many frames a reader has missed.
 *
 * @module
 */
import { FATE } from "./fate.ts";
import type { Reader } from "./reader.ts";

/**
 * The account of one reader. Of numbers passed one by one it is known whether they carried a frame; of numbers jumped
 * over, only how many were burned, from the count that each frame's producer saw. That count runs ahead of the place
 * it is read at (several producers) or behind it (a claim given back later), so the total is corrected with every
 * frame, downwards too; what a frame itself reports as lost can only be made up for at a later one.
 */
export class Losses {
  /** Sequences jumped over without a look. */
  jumped = 0;
  /** Sequences passed one by one that were burned. */
  burned = 0;
  /** Frames missed, as far as is known now. */
  total = 0;
  readonly #base: number;
  readonly #before: { readonly lost: number } | undefined;
  #reported = 0;

  /**
   * Begins at the reader's cursor: looks for the first frame from there on, to know what its producer had seen.
   *
   * @param before what has been lost already, which may still grow, and all of this segment that lies before the
   *   cursor; undefined where the account begins with the cursor
   */
  constructor(
    reader: Reader,
    head: number,
    maxSize: number,
    before?: { in: { readonly lost: number }; sequences: number },
  ) {
    this.#before = before?.in;
    if (before !== undefined) {
      this.#base = 0;
      this.jumped = before.sequences;
      return;
    }
    let gone = 0;
    for (let sequence = Math.max(reader.cursor, head - maxSize); sequence < head; sequence++) {
      const slot = reader.seems(sequence) ? reader.pin(sequence) : -1;
      if (slot >= 0) {
        this.#base = reader.skippedAt(slot) - gone;
        reader.unpin(slot);
        return;
      }
      if (reader.fate(sequence, false) === FATE.GONE) gone++;
    }
    this.#base = reader.skippedNow() - gone;
  }

  /** Whether there may be something to report. */
  get any(): boolean {
    return this.jumped !== 0 || (this.#before !== undefined && this.#before.lost !== 0);
  }

  /** Frames to report as lost at a frame whose producer had counted `skipped` burned numbers. */
  at(skipped: number): number {
    const burnedInJumps = Math.max(0, ((skipped - this.#base) | 0) - this.burned);
    this.total = (this.#before?.lost ?? 0) + Math.max(0, this.jumped - burnedInJumps);
    const lost = Math.max(0, this.total - this.#reported);
    this.#reported += lost;
    return lost;
  }
}
