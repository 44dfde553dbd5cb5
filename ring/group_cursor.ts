/**
 * The place of a group in the sequence, which any member moves on (M4), and what the group has lost.
 *
 * @module
 */
import { LANE } from "../ffi/constants.ts";
import { FATE, type Fate, fateOf } from "./fate.ts";
import type { Geometry } from "./geometry.ts";
import { GROUP, LAST_SEQUENCE, READER } from "./layout.ts";
import type { Peers } from "./peers.ts";
import type { Room } from "./room.ts";
import { Slots } from "./slots.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";
import type { Words } from "./words.ts";

/** Larger words were overwritten, and travel as doubles that are not what they hold. */
const isCount = (value: number): boolean => value <= LAST_SEQUENCE;

/** What a group's cursor works with. */
export type Ring = { words: Words; room: Room; peers: Peers; geometry: Geometry };

/** The cursor of one group: what lies before it is taken, done, or gone. */
export class GroupCursor {
  /** What became of the number at which {@linkcode GroupCursor.pass} last came to a halt. */
  fate: Fate = FATE.NOT_YET;
  readonly #ring: Ring;
  readonly #maxSize: number;
  readonly #slots: Slots;
  /** Byte offsets: of the group, its take words, its cursor. */
  readonly #group: number;
  readonly #takes: number;
  readonly #cursor: number;

  /** @param group its place in the table @param entry index of its entry in the reader table */
  constructor(ring: Ring, group: number, entry: number) {
    this.#ring = ring;
    this.#maxSize = ring.geometry.maxSize;
    this.#slots = new Slots(this.#maxSize);
    this.#group = ring.words.group(group);
    this.#takes = ring.words.take(group, 0);
    this.#cursor = ring.words.reader(entry) + READER.cursor;
  }

  /** Where it is now. */
  get place(): number {
    return this.#ring.words.mapping.load(this.#cursor);
  }

  /** Moves it over all that is taken or done. @returns where it is then */
  passTaken(): number {
    const { words } = this.#ring;
    const cursor = words.mapping.pass(this.#takes, this.#maxSize, this.#cursor);
    if (cursor >= 0) return cursor;
    wake(words, LANE.CONSUMED);
    return -1 - cursor;
  }

  /** Moves it over all that is taken, done, cleared, or gone. @returns a number that may be taken, or none yet */
  pass(): number {
    const { room } = this.#ring;
    for (;;) {
      const at = this.passTaken();
      const head = room.head();
      const cleared = Math.min(room.cleared(), head);
      // Past the slot that is overwritten next: on it, members and producer could keep refusing each other.
      const lapped = at < head - this.#maxSize ? head - this.#maxSize + 1 : 0;
      if (at < Math.max(cleared, lapped)) {
        this.#jump(at, Math.max(cleared, lapped));
        continue;
      }
      this.fate = this.fateOf(at, false);
      if (this.fate !== FATE.GONE) return at;
      if (this.step(at)) Atomics.add(this.#ring.words.u32, (this.#group + GROUP.burned) >> 2, 1);
    }
  }

  /** What became of a sequence. */
  fateOf(sequence: number, recover: boolean): Fate {
    const { words, room, peers } = this.#ring;
    return fateOf(words, room, peers, words.slot(this.#slots.of(sequence)), sequence, recover);
  }

  /** Moves it over one number. @returns false when another member has done so */
  step(at: number): boolean {
    return this.#move(at, at + 1);
  }

  #move(from: number, to: number): boolean {
    const { words } = this.#ring;
    if (words.mapping.cas(this.#cursor, from, to) === 0) return false;
    trace.at?.("M4");
    wake(words, LANE.CONSUMED);
    return true;
  }

  /** Passes what is not looked at one by one; how much of it was burned, the next frame tells. */
  #jump(from: number, to: number): void {
    const { mapping } = this.#ring.words;
    if (!this.#move(from, to)) return;
    const missed = to - from - mapping.taken(this.#takes, this.#maxSize, from, to);
    const jumped = this.#group + GROUP.jumped;
    for (let before = mapping.load(jumped); missed > 0 && isCount(before); before = mapping.load(jumped)) {
      if (mapping.cas(jumped, before, before + missed) === 1) return;
    }
  }

  /**
   * Begins the account of losses.
   *
   * @param skipped burned numbers that had been counted before the account begins
   * @param passed numbers between that and the group's place
   */
  startLosses(skipped: number, passed: number): void {
    const { u32, mapping } = this.#ring.words;
    u32[(this.#group + GROUP.skipped) >> 2] = skipped;
    u32[(this.#group + GROUP.burned) >> 2] = 0;
    // The count of losses is never lowered.
    mapping.store(this.#group + GROUP.jumped, mapping.load(this.#group + GROUP.lost) + passed);
  }

  /**
   * Brings the account of losses up to a frame, as ring/losses.ts does for one reader.
   *
   * @param skipped burned numbers that the frame's producer had counted @returns the losses to report with it
   */
  lostAt(skipped: number): number {
    const { u32, mapping } = this.#ring.words;
    const at = this.#group >> 2;
    if (u32[at + (GROUP.jumped >> 2)] === 0 && u32[at + (GROUP.jumped >> 2) + 1] === 0) return 0;
    const burned = (skipped - u32[at + (GROUP.skipped >> 2)] | 0) - u32[at + (GROUP.burned >> 2)];
    const total = mapping.load(this.#group + GROUP.jumped) - Math.max(0, burned);
    for (;;) {
      const before = mapping.load(this.#group + GROUP.lost);
      if (total <= before || !isCount(before) || !isCount(total)) return 0;
      if (mapping.cas(this.#group + GROUP.lost, before, total) === 1) return total - before;
    }
  }
}
