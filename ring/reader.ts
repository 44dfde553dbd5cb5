/**
 * Pin, read, unpin: steps R of docs/internals/protocol.md, for any number of readers.
 *
 * @module
 */
import { LANE, SLEEPERS } from "../ffi/constants.ts";
import { type Fate, fateOf } from "./fate.ts";
import { ELEMENT_BYTES, type Geometry } from "./geometry.ts";
import { GATING, HEADER, READER, SLOT } from "./layout.ts";
import type { Peers } from "./peers.ts";
import type { ReaderTable } from "./reader_table.ts";
import type { Room } from "./room.ts";
import { Slots } from "./slots.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";
import type { Words } from "./words.ts";

/** A number of 64 bits without a sign, of the halves that a slot has. */
export function joined64(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** One entry of the reader table: a cursor and a bit in every slot's pins. */
export class Reader {
  /** Place in the table, and number of the bit. */
  readonly index: number;
  readonly #words: Words;
  readonly #room: Room;
  readonly #readers: ReaderTable;
  readonly #peers: Peers;
  readonly #bit: number;
  readonly #entry: number;
  /** From a slot's start to the word of pins that holds this reader's bit. */
  readonly #pinsAt: number;
  /** Leases by slot: the bit is shared by all leases of this reader. */
  readonly #pinned: Uint32Array;
  /** Leases of all slots together. */
  #leases = 0;
  #gating = false;
  #ended = false;
  /** Leases whose memory was moved away: they do not end. */
  #moved = 0;
  #forgoesMoved = false;
  #whenFree: () => void = () => {};
  /** The oldest sequence this reader still wants. */
  cursor = 0;
  /** Producers know its cursor from here on. */
  place = 0;
  readonly #slots: Slots;

  constructor(words: Words, room: Room, readers: ReaderTable, peers: Peers, geometry: Geometry, index: number) {
    this.index = index;
    this.#words = words;
    this.#room = room;
    this.#readers = readers;
    this.#peers = peers;
    this.#slots = new Slots(geometry.maxSize);
    this.#pinned = new Uint32Array(geometry.maxSize);
    this.#bit = (1 << (index & 31)) >>> 0;
    this.#pinsAt = words.pins(0, index);
    this.#entry = words.reader(index);
  }

  /** Whether producers wait for it. */
  get gating(): boolean {
    return this.#gating;
  }

  /** Begins to hold producers back, from `wish` on or from the oldest that is still kept. */
  startGating(wish: number): void {
    this.#gating = true;
    this.place = this.cursor = this.#room.startGating(this.index, wish);
  }

  /** A reader that gates reads from `sequence` on, as lossy readers do, until it comes to its place. */
  catchUpFrom(sequence: number): void {
    this.cursor = Math.min(sequence, this.place);
  }

  /** Whether it reads what other readers have passed, below its place. */
  get isCatchingUp(): boolean {
    return this.cursor < this.place;
  }

  /** Begins without holding producers back. */
  startAt(sequence: number): void {
    this.cursor = sequence;
    this.#words.mapping.store(this.#entry + READER.cursor, sequence);
    this.#words.store32(this.#entry + READER.gating, GATING.attached);
  }

  /** Passes everything below `sequence`; producers may then overwrite it. */
  advance(sequence: number): void {
    this.cursor = sequence;
    if (sequence < this.place) return;
    this.#words.mapping.store(this.#entry + READER.cursor, sequence);
    trace.at?.("R6");
    if (this.#gating) wake(this.#words, LANE.CONSUMED);
  }

  /** The slot of a sequence. */
  slotOf(sequence: number): number {
    return this.#slots.of(sequence);
  }

  /** Whether a sequence seems to be in its slot: a look that disturbs no producer, and is confirmed by pinning. */
  seems(sequence: number): boolean {
    const slot = this.#words.slot(this.slotOf(sequence));
    return this.#words.load32(slot + SLOT.writer) === 0 &&
      this.#words.plain64(slot + SLOT.sequence) === sequence + 1;
  }

  /**
   * Pins a sequence's slot if the sequence is in it (R1 to R4). Every success needs an {@linkcode Reader.unpin}.
   *
   * @returns the slot, or -1 when it is not there, or when a producer touches the slot at this moment
   */
  pin(sequence: number): number {
    const slotIndex = this.slotOf(sequence);
    const slot = this.#words.slot(slotIndex);
    if (this.#pinned[slotIndex] > 0) return this.#pinAgain(slotIndex, sequence);
    const answer = this.#words.mapping.pin(slot, slot + this.#pinsAt, this.#bit, sequence);
    if (answer === 1) {
      this.#pinned[slotIndex] = 1;
      this.#leases++;
      return slotIndex;
    }
    // A producer that saw the bit may have found the depot full because of it, so it is told.
    if (answer === SLEEPERS) wake(this.#words, LANE.CONSUMED);
    return -1;
  }

  /** No producer writes in a slot that we hold: what is there stays there. */
  #pinAgain(slotIndex: number, sequence: number): number {
    if (this.#words.plain64(this.#words.slot(slotIndex) + SLOT.sequence) !== sequence + 1) return -1;
    this.pinHeld(slotIndex);
    return slotIndex;
  }

  /** Takes another lease on a slot that this reader has pinned. It needs an {@linkcode Reader.unpin} of its own. */
  pinHeld(slotIndex: number): void {
    this.#pinned[slotIndex]++;
    this.#leases++;
  }

  /** Ends one lease on a slot (R5); after the last one, an ended reader's entry is free. */
  unpin(slotIndex: number): void {
    this.#leases--;
    if (--this.#pinned[slotIndex] === 0) {
      const pins = this.#words.slot(slotIndex) + this.#pinsAt;
      if (this.#words.mapping.unpin(pins, this.#bit, 0, 0) === SLEEPERS) wake(this.#words, LANE.CONSUMED);
    }
    if (this.#ended) this.#settle();
  }

  /**
   * Ends one lease and passes everything below `sequence` (R5, R6). A cursor never goes back, nor anywhere once ended.
   */
  unpinAndPass(slotIndex: number, sequence: number): void {
    if (this.#ended) return this.unpin(slotIndex);
    if (sequence > this.cursor) this.cursor = sequence;
    this.#leases--;
    if (--this.#pinned[slotIndex] > 0) return this.advance(this.cursor);
    const pins = this.#words.slot(slotIndex) + this.#pinsAt;
    const passes = this.isCatchingUp ? 0 : this.#entry + READER.cursor;
    const answer = this.#words.mapping.unpin(pins, this.#bit, passes, this.cursor);
    if (answer === SLEEPERS) wake(this.#words, LANE.CONSUMED);
  }

  /**
   * Ends a lease for its user, and passes everything below `sequence`, while its memory can still be reached: the pin
   * stays until {@linkcode Reader.unpinKept}.
   */
  keep(_slotIndex: number, sequence: number): void {
    if (!this.#ended && sequence > this.cursor) this.advance(sequence);
  }

  /** Ends a lease that was kept: its memory is out of reach now. */
  unpinKept(slotIndex: number): void {
    this.unpin(slotIndex);
  }

  /** What became of a sequence; see {@linkcode fateOf}. */
  fate(sequence: number, recover: boolean): Fate {
    const slot = this.#words.slot(this.slotOf(sequence));
    return fateOf(this.#words, this.#room, this.#peers, slot, sequence, recover);
  }

  /** The frame number of a sequence that seems to be there, without a pin: a hint. NaN where it is not. */
  look(sequence: number): number {
    return this.#words.mapping.look(this.#words.slot(this.slotOf(sequence)), sequence);
  }

  /** Words beside a pinned frame. */
  frameNumber(slotIndex: number): number {
    return this.#words.plainSigned64(this.#words.slot(slotIndex) + SLOT.frameNumber);
  }

  /** Low half of the nanoseconds, as a small integer: a bigint or a double would have to be allocated. */
  timestampLow(slotIndex: number): number {
    return this.#words.u32[(this.#words.slot(slotIndex) + SLOT.timestampNs) >> 2] | 0;
  }

  /** High half of the nanoseconds. */
  timestampHigh(slotIndex: number): number {
    return this.#words.u32[(this.#words.slot(slotIndex) + SLOT.timestampNs + 4) >> 2] | 0;
  }

  /** How many nanoseconds a frame's time is away from another; exact below 2^53. */
  nsFrom(slotIndex: number, low: number, high: number): number {
    const highs = (this.timestampHigh(slotIndex) >>> 0) - (high >>> 0);
    return Math.abs(highs * 2 ** 32 + ((this.timestampLow(slotIndex) >>> 0) - (low >>> 0)));
  }

  /** Bytes of the frame: whole elements, bounded by what the depot has room for. */
  byteLength(slotIndex: number, { variableLength, frameBytes, elementType }: Geometry): number {
    if (!variableLength) return frameBytes;
    const said = this.#words.plain64(this.#words.slot(slotIndex) + SLOT.byteLength);
    return said > frameBytes ? frameBytes : said - said % ELEMENT_BYTES[elementType];
  }

  /** Bytes of metadata, bounded by what the depot has room for. */
  metadataLength(slotIndex: number, limit: number): number {
    return Math.min(this.#words.u32[(this.#words.slot(slotIndex) + SLOT.metadataLength) >> 2], limit);
  }

  /** The count of burned numbers that the frame's producer saw. */
  skippedAt(slotIndex: number): number {
    return this.#words.u32[(this.#words.slot(slotIndex) + SLOT.skipped) >> 2];
  }

  /** The count of burned numbers now. */
  skippedNow(): number {
    return this.#words.load32(HEADER.skipped);
  }

  /** Counts a frame that was leased. */
  countRead(): void {
    this.#words.f64[(this.#entry + READER.read) >> 3]++;
  }

  /** Counts frames that were missed; fewer than none when they turn out to have been burned. */
  countLost(count: number): void {
    this.#words.f64[(this.#entry + READER.lost) >> 3] += count;
  }

  /** Notes how many frames beyond the cursor were consumed by number already. */
  setAhead(count: number): void {
    this.#words.u32[(this.#entry + READER.ahead) >> 2] = count;
  }

  /** Whether {@linkcode Reader.end} has been called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Holds producers back no more. The entry and its bit stay until the last lease is released. Can be done twice. */
  end(): void {
    if (this.#ended) return;
    this.#gating = false;
    this.#ended = true;
    this.#room.stopGating(this.index);
    this.#settle();
  }

  #settle(): void {
    if (this.#leases === 0) this.#readers.free(this.index);
    if (this.#isFree) this.#whenFree();
  }

  get #isFree(): boolean {
    return this.#ended && this.#leases === (this.#forgoesMoved ? this.#moved : 0);
  }

  /** Calls back once the reader has ended and its last lease is released; at once where that is so. */
  whenFree(call: () => void): void {
    this.#whenFree = call;
    if (this.#isFree) call();
  }

  /** Notes that the memory of a kept lease was moved away. */
  moved(): void {
    this.#moved++;
    if (this.#isFree) this.#whenFree();
  }

  /** From now on leases whose memory was moved away do not keep {@linkcode Reader.whenFree} from calling back. */
  forgoMoved(): void {
    this.#forgoesMoved = true;
    if (this.#isFree) this.#whenFree();
  }
}
