/**
 * From sequences to slots.
 *
 * @module
 */

/**
 * The slot of a sequence is the remainder of a division, and that of large doubles is slow; sequences mostly follow
 * each other, so the last answer gives the next.
 */
export class Slots {
  readonly #maxSize: number;
  #sequence = 0;
  #slot = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** The slot of a sequence, always a small integer: engines index arrays by others many times slower. */
  of(sequence: number): number {
    if (sequence === this.#sequence) return this.#slot;
    const ahead = sequence - this.#sequence;
    let slot: number;
    if (ahead >= 0 && ahead <= this.#maxSize) {
      slot = (this.#slot + ahead) | 0;
      if (slot >= this.#maxSize) slot -= this.#maxSize;
    } else {
      slot = (sequence % this.#maxSize) | 0;
    }
    this.#sequence = sequence;
    this.#slot = slot;
    return slot;
  }
}
