/**
 * Which frame is in which slot, as last seen: by slot, and by frame number.
 *
 * A `Map` would do, but engines keep numbers beyond 31 bits as objects of their own: with many slots a look-up then
 * waits for several cache lines more. So this is open addressing with linear probing, and deletion that leaves no
 * gravestones (D. E. Knuth, *The Art of Computer Programming* 3, 6.4, algorithms L and R).
 *
 * @module
 */

const NOTHING = -1;
const HIGH = 2 ** 32;

/** At most one frame a slot. Of several frames with one number, the one with the highest sequence is found by it. */
export class FrameTable {
  /** By slot a pair, for both are asked for together: sequence and frame number. */
  readonly #frames: Float64Array;
  /** By number: a slot plus one, or 0 where nothing is. At most half of it is in use. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  constructor(slots: number) {
    const size = 2 << (32 - Math.clz32(slots));
    this.#frames = new Float64Array(2 * slots).fill(NOTHING);
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
  }

  /** The sequence that was last seen in a slot; negative before there was one. */
  sequenceIn(slot: number): number {
    return this.#frames[slot << 1];
  }

  /** The frame number that was last seen in a slot. */
  numberIn(slot: number): number {
    return this.#frames[(slot << 1) + 1];
  }

  /** The sequence of a number's newest frame. */
  sequenceOf(number: number): number | undefined {
    const entry = this.#slots[this.#placeOf(number)];
    return entry === 0 ? undefined : this.sequenceIn(entry - 1);
  }

  /** Notes what is in a slot now. */
  set(slot: number, sequence: number, number: number): void {
    if (this.sequenceIn(slot) !== NOTHING) this.#remove(slot);
    this.#frames[slot << 1] = sequence;
    this.#frames[(slot << 1) + 1] = number;
    const place = this.#placeOf(number);
    const entry = this.#slots[place];
    if (entry === 0 || this.sequenceIn(entry - 1) < sequence) this.#slots[place] = slot + 1;
  }

  /** Where a number would be if it were alone. The mixing is the end of A. Appleby's MurmurHash3. */
  #home(number: number): number {
    let bits = (number | 0) ^ Math.imul(number / HIGH, 0x9e3779b1);
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return (bits ^ (bits >>> 16)) & this.#mask;
  }

  /** Where a number is, or where it would be entered. */
  #placeOf(number: number): number {
    let place = this.#home(number);
    while (this.#slots[place] !== 0 && this.numberIn(this.#slots[place] - 1) !== number) {
      place = (place + 1) & this.#mask;
    }
    return place;
  }

  /** Takes a slot's number out, unless it leads to another slot by now. */
  #remove(slot: number): void {
    let hole = this.#placeOf(this.numberIn(slot));
    if (this.#slots[hole] !== slot + 1) return;
    for (let place = (hole + 1) & this.#mask; this.#slots[place] !== 0; place = (place + 1) & this.#mask) {
      const home = this.#home(this.numberIn(this.#slots[place] - 1));
      // What would not be found beyond a hole moves into it.
      if (((place - home) & this.#mask) < ((place - hole) & this.#mask)) continue;
      this.#slots[hole] = this.#slots[place];
      hole = place;
    }
    this.#slots[hole] = 0;
  }
}
