/**
 * The table of groups: readers that share frames among their members. Forming and dissolving are steps B and V of
 * docs/internals/protocol.md; all of it happens under the membership lock.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { LANE } from "../ffi/constants.ts";
import type { From } from "./from.ts";
import { GroupCursor, type Ring } from "./group_cursor.ts";
import { AGAIN, FORMED, GROUP, GROUP_FROM, GROUP_OWNER, HOLDER_BITS, READER } from "./layout.ts";
import type { ReaderTable } from "./reader_table.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";

/** Limit of a group's name, in bytes. */
export const GROUP_NAME_BYTES = 64;

const HOLDERS = 2 ** HOLDER_BITS - 1;
/** Above all sequences, in words that say what a take word is about. */
const FRAME_UNIT = 2 ** (32 - HOLDER_BITS);

/** No groups. */
const NONE = new Uint32Array(0);

/** What one take word says. */
export type Take = {
  /** The sequence that it is about; -1 where it is about none. */
  sequence: number;
  /** The reader that has the frame; undefined where none has it. */
  reader: number | undefined;
  /** Whether it is offered again. */
  again: boolean;
};

/** The groups of one segment, seen from one depot object. */
export class Groups {
  readonly #ring: Ring;
  readonly #readers: ReaderTable;
  readonly #maxGroups: number;

  constructor(ring: Ring, readers: ReaderTable) {
    this.#ring = ring;
    this.#readers = readers;
    this.#maxGroups = ring.geometry.maxGroups;
  }

  /** One of FORMED. */
  #formed(group: number): number {
    const { words } = this.#ring;
    return words.load32(words.group(group) + GROUP.formed);
  }

  /** Whether members may join it. */
  isFormed(group: number): boolean {
    return this.#formed(group) !== FORMED.no;
  }

  /** Every formed group. */
  all(): number[] {
    const found: number[] = [];
    for (let group = 0; group < this.#maxGroups; group++) if (this.isFormed(group)) found.push(group);
    return found;
  }

  /** The name, as its bytes say. */
  nameOf(group: number): string {
    return new TextDecoder().decode(this.#nameBytes(group));
  }

  #nameBytes(group: number): Uint8Array {
    const { words } = this.#ring;
    const at = words.group(group);
    const length = Math.min(words.load32(at + GROUP.nameLength), GROUP_NAME_BYTES);
    return new Uint8Array(words.u32.buffer, at + GROUP.name, length).slice();
  }

  /** The formed group of a name. */
  find(name: Uint8Array): number | undefined {
    return this.all().find((group) => this.isNamed(group, name));
  }

  /** Whether it has, or had last, that name. */
  isNamed(group: number, name: Uint8Array): boolean {
    const other = this.#nameBytes(group);
    return other.length === name.length && name.every((byte, i) => byte === other[i]);
  }

  /** A group that may be formed: the one that had the name before, so that its counters go on, or any. */
  free(name: Uint8Array): number | undefined {
    const free: number[] = [];
    for (let group = 0; group < this.#maxGroups; group++) {
      if (!this.isFormed(group) && this.entryOf(group) === undefined) free.push(group);
    }
    return free.find((group) => this.isNamed(group, name)) ?? free[0];
  }

  /** The index of a group's own entry in the reader table. */
  entryOf(group: number): number | undefined {
    return this.#readers.ownedBy(GROUP_OWNER + group).at(0);
  }

  /** The indices of its members' entries. */
  membersOf(group: number): number[] {
    const { words, geometry } = this.#ring;
    const found: number[] = [];
    for (let index = 0; index < geometry.maxReaders; index++) {
      const entry = words.reader(index);
      if (words.load32(entry + READER.group) !== group + 1 || words.load32(entry + READER.owner) === 0) continue;
      found.push(index);
    }
    return found;
  }

  /** What its take word of a slot says. A look: the word may change meanwhile. */
  takeOf(group: number, slot: number): Take {
    const { u32 } = this.#ring.words;
    const at = this.#ring.words.take(group, slot) >> 2;
    const holder = u32[at] & HOLDERS;
    const sequence = u32[at + 1] * FRAME_UNIT + (u32[at] >>> HOLDER_BITS) - 1;
    return { sequence, again: holder === AGAIN, reader: holder === 0 || holder === AGAIN ? undefined : holder - 1 };
  }

  /** Clears the words, and gives the group its name (B2). */
  prepare(group: number, name: Uint8Array, from: number, fromNumber: number): void {
    const { words, geometry } = this.#ring;
    const at = words.group(group);
    const takes = words.take(group, 0);
    words.u32.fill(0, takes >> 2, (takes >> 2) + 2 * geometry.maxSize);
    if (!this.isNamed(group, name)) words.u32.fill(0, (at + GROUP.redelivered) >> 2, (at + GROUP.size) >> 2);
    words.u32[(at + GROUP.again) >> 2] = 0;
    words.u32[(at + GROUP.from) >> 2] = from;
    words.setPlain64(at + GROUP.fromNumber, fromNumber);
    words.u32[(at + GROUP.nameLength) >> 2] = name.length;
    new Uint8Array(words.u32.buffer, at + GROUP.name, name.length).set(name);
    trace.at?.("B2");
  }

  /** The formed groups as a recoverer needs them (P0): three words each. */
  takings(): Uint32Array {
    const { words } = this.#ring;
    const takings: number[] = [];
    for (const group of this.all()) {
      const entry = this.entryOf(group);
      if (entry !== undefined) takings.push(words.group(group), words.take(group, 0), entry);
    }
    return Uint32Array.from(takings);
  }

  /** P0 by a process that ends for what it has in its hands. @param holders its entries in the reader table */
  offerAgain(holders: number[]): void {
    const { words, geometry } = this.#ring;
    for (const group of this.all()) {
      const entry = this.entryOf(group);
      for (let slot = 0; entry !== undefined && slot < geometry.maxSize; slot++) {
        const at = words.take(group, slot) >> 2;
        if (!holders.includes((words.u32[at] & HOLDERS) - 1)) continue;
        Atomics.or(words.u32, words.pins(words.slot(slot), entry) >> 2, 1 << (entry & 31));
        Atomics.or(words.u32, at, AGAIN); // all bits of the holder
        words.f64[(words.group(group) + GROUP.redelivered) >> 3]++;
      }
    }
    this.countAgain();
  }

  /** Says that there may be frames to give again (P0a), also if none was found: what marked some may have died. */
  countAgain(): void {
    const { words } = this.#ring;
    for (const group of this.all()) Atomics.add(words.u32, (words.group(group) + GROUP.again) >> 2, 1);
    trace.at?.("P0a");
  }

  /** Where its first member began. */
  placeOf(group: number): From {
    const { words } = this.#ring;
    const at = words.group(group);
    const from = GROUP_FROM[words.load32(at + GROUP.from) % GROUP_FROM.length];
    return from === "number" ? words.plainSigned64(at + GROUP.fromNumber) : from;
  }

  /** Dissolves what was formed or dissolved half-way by a process that died. */
  dissolveUnformed(): void {
    for (let group = 0; group < this.#maxGroups; group++) {
      if (!this.isFormed(group) && this.entryOf(group) !== undefined) this.dissolve(group);
    }
  }

  /** Dissolves every group without members, also one whose former or dissolver has died half-way. */
  dissolveEmpty(): void {
    for (let group = 0; group < this.#maxGroups; group++) {
      if (this.isFormed(group) || this.entryOf(group) !== undefined) this.dissolveIfEmpty(group);
    }
  }

  /** Dissolves a group unless it has members. */
  dissolveIfEmpty(group: number): void {
    if (this.membersOf(group).length === 0) this.dissolve(group);
  }

  /** V1 to V5. Each step can be done twice. */
  dissolve(group: number): void {
    const { words, room } = this.#ring;
    const entry = this.entryOf(group);
    // No frame that was taken is given to a later reader.
    if (entry !== undefined && this.isFormed(group)) this.#pass(group, entry); // V1
    trace.at?.("V1");
    words.store32(words.group(group) + GROUP.formed, FORMED.no); // V2
    trace.at?.("V2");
    if (entry === undefined) return;
    room.stopGating(entry); // V3
    trace.at?.("V3");
    this.#drop(group, entry); // V4
    trace.at?.("V4");
    this.#readers.free(entry); // V5
  }

  /** V1. Where a process has written over the words of the ring, the group ends anyway. */
  #pass(group: number, entry: number): void {
    try {
      new GroupCursor(this.#ring, group, entry).pass();
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
    }
  }

  /** Lets go of what is offered again, and counts it. */
  #drop(group: number, entry: number): void {
    const { words, geometry } = this.#ring;
    const { mapping, u32, f64 } = words;
    const bits = new Uint32Array(Math.ceil(geometry.maxReaders / 32));
    bits[entry >>> 5] = 1 << (entry & 31);
    let dropped = 0;
    for (let slot = 0; slot < geometry.maxSize; slot++) {
      const at = words.take(group, slot) >> 2;
      if ((u32[at] & HOLDERS) !== AGAIN) continue;
      Atomics.and(u32, at, ~HOLDERS); // done: a second dissolver does not count it
      dropped++;
    }
    const [slots, stride, all] = [words.slot(0), words.slot(1) - words.slot(0), geometry.maxSize];
    // No peer has the group's id, so that no slot is taken from its writer.
    mapping.giveBack(slots, stride, 0, all, bits, GROUP_OWNER + group, NONE, false);
    f64[(words.group(group) + GROUP.dropped) >> 3] += dropped;
    wake(words, LANE.CONSUMED);
  }
}
