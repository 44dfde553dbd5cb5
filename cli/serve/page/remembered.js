// @ts-check
/**
 * The last pictures that came, as they were sent: to step back where the depot itself has gone on.
 *
 * @module
 */
/** @import { Picture } from "./messages.js" */

const [MOST, MOST_BYTES] = [120, 48_000_000];

export class Remembered {
  /** In the order in which they came. @type {Picture[]} */
  #pictures = [];
  #bytes = 0;

  /** @param {Picture} picture */
  add(picture) {
    if (picture.header.codec !== "jpeg") return; // another one cannot be decoded alone
    this.#pictures.push(picture);
    this.#bytes += picture.bytes.length;
    while (this.#pictures.length > MOST || this.#bytes > MOST_BYTES) {
      this.#bytes -= this.#pictures.shift()?.bytes.length ?? 0;
    }
  }

  /** The one before or after that of a number. @param {number} number @param {-1 | 1} by */
  beside(number, by) {
    const index = this.#pictures.findLastIndex(({ header }) => header.number === number);
    return index < 0 ? undefined : this.#pictures[index + by];
  }

  clear() {
    this.#pictures = [];
    this.#bytes = 0;
  }
}
