/**
 * From frame numbers to sequences. Each depot object keeps its own map, filled by following the slots it has not seen
 * yet, so there is no shared structure that a crash could leave half-written. What it returns is a hint: the
 * caller pins the slot and compares the frame number there.
 *
 * @module
 */
import { FATE } from "./fate.ts";
import { FrameTable } from "./frame_table.ts";
import type { Geometry } from "./geometry.ts";
import type { Reader } from "./reader.ts";
import type { Room } from "./room.ts";

/** What is known of a number that is not in the queue. */
export type NumberState = "evicted" | "pending" | "missing";

const NOTHING = -1;
/** Runs of numbers that are remembered; older ones flow together. */
const RUNS = 4096;

/** Which numbers have ever been seen, as runs of consecutive ones. */
class History {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Remembers `from` to `to`, both included. Numbers that grow by one cost nothing to speak of. */
  add(from: number, to: number): void {
    const last = this.#ends.length - 1;
    if (last >= 0 && from <= this.#ends[last] + 1 && from >= this.#starts[last]) {
      this.#ends[last] = Math.max(this.#ends[last], to);
      return;
    }
    let at = this.#after(from);
    if (at > 0 && this.#ends[at - 1] >= from - 1) at--;
    let end = to;
    let start = from;
    let absorbed = 0;
    while (at + absorbed < this.#starts.length && this.#starts[at + absorbed] <= to + 1) {
      start = Math.min(start, this.#starts[at + absorbed]);
      end = Math.max(end, this.#ends[at + absorbed]);
      absorbed++;
    }
    this.#starts.splice(at, absorbed, start);
    this.#ends.splice(at, absorbed, end);
    if (this.#starts.length > RUNS) {
      this.#starts.splice(1, 1);
      this.#ends.splice(0, 1);
    }
  }

  /** Takes the numbers between this one and the next that was seen for seen as well. @returns false without a next */
  bridge(number: number): boolean {
    const next = this.#after(number);
    if (next === this.#starts.length) return false;
    this.add(number, this.#starts[next]);
    return true;
  }

  has(number: number): boolean {
    const at = this.#after(number);
    return at > 0 && number <= this.#ends[at - 1];
  }

  /** The first run that begins after `number`. */
  #after(number: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The map of one depot object. A look-up costs the same with 10 slots and with 65,536. */
export class FrameIndex {
  readonly #reader: Reader;
  readonly #room: Room;
  readonly #maxSize: number;
  readonly #table: FrameTable;
  readonly #history = new History();
  /** Everything below has been looked at. */
  #seen: number;
  /** Frames had come and gone before this process looked: what is unknown and low was evicted. */
  #joinedLate = false;
  /** Sequences that were still being written when we passed, each with the number before it. */
  readonly #unfinished = new Map<number, number>();
  /** Sequences went by unseen since the last number. */
  #jumped = false;
  #highest = -Infinity;
  #lowest = Infinity;
  #previous = -Infinity;
  /** The last sequence whose number is smaller than that of the one before it. */
  #lastInversion = NOTHING;
  /** Numbers that grow as sequences do need no table: from `#steadyFrom` on each is its sequence less `#offset`. */
  #offset = NaN;
  #steadyFrom = Infinity;

  constructor(reader: Reader, room: Room, { maxSize, firstSequence }: Geometry) {
    this.#reader = reader;
    this.#room = room;
    this.#maxSize = maxSize;
    this.#seen = firstSequence;
    this.#table = new FrameTable(maxSize);
  }

  /** Follows what has been published since the last call. Costs what is new, at most one lap. */
  refresh(): void {
    const head = this.#room.head();
    if (head === this.#seen && this.#unfinished.size === 0) return;
    const earlier = [...this.#unfinished];
    const from = Math.max(this.#seen, head - this.#maxSize);
    // What goes by between two looks is taken to have had the numbers between.
    if (from > this.#seen) this.#jumped = true;
    for (let sequence = from; sequence < head; sequence++) {
      if (!this.#look(sequence)) this.#unfinished.set(sequence, this.#previous);
      else if (this.#wentBy(sequence)) this.#jumped = true;
    }
    this.#seen = head;
    for (const [sequence, before] of earlier) {
      if (!this.#look(sequence)) continue;
      this.#unfinished.delete(sequence);
      if (!this.#wentBy(sequence)) continue;
      // Published and overwritten behind our back, or given back: its number lies between its neighbours'.
      if (before === -Infinity) this.#joinedLate = true;
      else if (!this.#history.bridge(before)) this.#jumped = true;
    }
  }

  /** Whether none of the sequences that it has followed is still being written. */
  get isComplete(): boolean {
    return this.#unfinished.size === 0;
  }

  /** Whether a sequence that is gone may have carried a frame that we never saw: within a lap it can only be burned. */
  #wentBy(sequence: number): boolean {
    return this.numberOf(sequence) === undefined && this.#room.head() - sequence > this.#maxSize;
  }

  /** @returns false while the sequence is still being written */
  #look(sequence: number): boolean {
    const number = this.#reader.look(sequence);
    if (!Number.isNaN(number)) {
      this.#enter(this.#reader.slotOf(sequence), sequence, number);
      return true;
    }
    return this.#reader.fate(sequence, true) === FATE.GONE;
  }

  #enter(slot: number, sequence: number, number: number): void {
    this.#table.set(slot, sequence, number);
    if (sequence - this.#offset !== number) this.#unsettle(sequence, number);
    const bridged = this.#jumped && this.#highest < number;
    if (bridged && this.#highest === -Infinity) this.#joinedLate = true;
    this.#history.add(bridged && this.#highest > -Infinity ? this.#highest : number, number);
    if (bridged) this.#jumped = false;
    if (number < this.#previous || sequence < this.#seen) {
      this.#lastInversion = Math.max(this.#lastInversion, sequence);
    }
    this.#previous = number;
    this.#highest = Math.max(this.#highest, number);
    this.#lowest = Math.min(this.#lowest, number);
  }

  /** A number that is not where it was expected: what is steady begins here, or after it if it was late. */
  #unsettle(sequence: number, number: number): void {
    if (sequence < this.#seen) {
      this.#steadyFrom = Math.max(this.#steadyFrom, sequence + 1);
      return;
    }
    this.#offset = sequence - number;
    // Beyond 2^53 a difference may be rounded.
    this.#steadyFrom = sequence - this.#offset === number ? sequence : Infinity;
  }

  /** The sequence that carried this number when last seen. */
  sequenceOf(number: number): number | undefined {
    const sequence = number + this.#offset;
    const isSteady = sequence >= this.#steadyFrom && sequence < this.#seen;
    // No other from there on has this number, and what came before is older.
    if (isSteady && this.#table.sequenceIn(this.#reader.slotOf(sequence)) === sequence) return sequence;
    return this.#table.sequenceOf(number);
  }

  /** The number that a sequence was last seen with; undefined where it is not known (any more). */
  numberOf(sequence: number): number | undefined {
    const slot = this.#reader.slotOf(sequence);
    return this.#table.sequenceIn(slot) === sequence ? this.#table.numberIn(slot) : undefined;
  }

  /** Whether numbers only grow from this sequence on. */
  isAscendingFrom(sequence: number): boolean {
    return this.#lastInversion <= sequence;
  }

  /** What can be said of a number whose frame is not in the queue. */
  stateOf(number: number): NumberState {
    if (number > this.#highest) return "pending";
    if (this.#history.has(number)) return "evicted";
    return number < this.#lowest && this.#joinedLate ? "evicted" : "missing";
  }
}
