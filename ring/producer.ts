/**
 * Claim, write, publish: steps C of docs/protocol.md, for any number of producers.
 *
 * @module
 */
import { LANE } from "../ffi/shim.ts";
import { FATE, fateOf } from "./fate.ts";
import type { Geometry } from "./geometry.ts";
import { HEADER, LAST_SEQUENCE, PEER, SLOT } from "./layout.ts";
import type { Peers } from "./peers.ts";
import type { Room } from "./room.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

/** No room: what that means is the depot's policy. */
export const FULL = -1;
/** The last sequence has been used. */
export const EXHAUSTED = -2;

/** Looks at a slot that another producer holds, before its number is skipped: a few microseconds. */
const PATIENCE = 200;

/** What is written beside a frame. */
export type FrameHeader = { frameNumber: number; timestampNs: bigint | number; metadataLength: number };

/** The producing side of one depot object. Claims nothing by itself; every claim ends in publish or giveBack. */
export class Producer {
  readonly #words: Words;
  readonly #room: Room;
  readonly #peers: Peers;
  readonly #maxSize: number;
  readonly #pinWords: number;
  readonly #overwrite: boolean;
  readonly #frameBytes: number;
  /** The gate as last computed: an old one errs on the safe side, because gates only grow. */
  #gate = 0;
  #lastSequence = 0;
  #lastSlot = 0;

  constructor(words: Words, room: Room, peers: Peers, geometry: Geometry, pinWords: number) {
    this.#words = words;
    this.#room = room;
    this.#peers = peers;
    this.#maxSize = geometry.maxSize;
    this.#pinWords = pinWords;
    this.#overwrite = geometry.whenFull === "overwrite";
    this.#frameBytes = geometry.frameBytes;
  }

  /** The slot of a sequence. Sequences mostly follow each other, and a remainder of large doubles is slow. */
  slotOf(sequence: number): number {
    let slot = this.#lastSlot + (sequence - this.#lastSequence);
    if (slot >= this.#maxSize) slot -= this.#maxSize;
    if (slot < 0 || slot >= this.#maxSize) slot = sequence % this.#maxSize;
    this.#lastSequence = sequence;
    this.#lastSlot = slot;
    return slot;
  }

  /** Takes the next slot to write in. @returns its sequence, FULL or EXHAUSTED */
  claim(): number {
    const { u32, mapping } = this.#words;
    const me = this.#peers.id;
    let patience = PATIENCE;
    let skips = 0;
    for (;;) {
      const h = mapping.load(HEADER.head); // C1
      if (h > LAST_SEQUENCE) return EXHAUSTED;
      if (!this.#overwrite && !this.#hasRoom(h)) return FULL; // C2
      const slot = this.#words.slot(this.slotOf(h));
      const writer = (slot + SLOT.writer) >> 2;
      const owner = Atomics.compareExchange(u32, writer, 0, me); // C3
      if (owner !== 0) {
        if (mapping.load(HEADER.head) !== h || --patience > 0) continue;
        patience = PATIENCE;
        if (this.#peers.isDead(owner)) this.#peers.recoverSlot(slot, owner);
        else if (++skips > this.#maxSize) return FULL;
        else this.#skip(h);
        continue;
      }
      trace.at?.("C3");
      if (mapping.load(HEADER.head) !== h) { // C4
        this.#retreat(writer);
        continue;
      }
      if (this.#isPinned(slot)) { // C5
        this.#retreat(writer);
        if (++skips > this.#maxSize || this.#allPinned()) return FULL;
        this.#skip(h);
        continue;
      }
      this.#words.setPlain64(slot + SLOT.claimed, h + 1); // C6
      trace.at?.("C6");
      if (mapping.cas(HEADER.head, h, h + 1) === 0) { // C7
        this.#retreat(writer);
        continue;
      }
      trace.at?.("C7");
      mapping.store(slot + SLOT.sequence, 0); // C8
      u32[(slot + SLOT.skipped) >> 2] = Atomics.load(u32, HEADER.skipped >> 2);
      trace.at?.("C8");
      return h;
    }
  }

  /** A reader that saw us in the slot may have gone to sleep for a frame that does not come. */
  #retreat(writer: number): void {
    Atomics.store(this.#words.u32, writer, 0);
    this.#room.wake(LANE.PUBLISHED);
  }

  #hasRoom(h: number): boolean {
    if (h - this.#maxSize < this.#gate) return true;
    this.#gate = this.#room.gate(this.#gate);
    if (h - this.#maxSize < this.#gate) return true;
    if (!this.#passBurned(h)) return false;
    this.#gate = this.#room.gate(this.#gate);
    return h - this.#maxSize < this.#gate;
  }

  /** While nobody reads, numbers that carry no frame would take up room for ever: `tail` passes them (G5). */
  #passBurned(h: number): boolean {
    if (this.#room.slowest() !== undefined) return false;
    let sequence = this.#gate;
    for (const end = Math.min(h, sequence + this.#maxSize); sequence < end; sequence++) {
      const slot = this.#words.slot(this.slotOf(sequence));
      if (fateOf(this.#words, this.#room, this.#peers, slot, sequence, false) !== FATE.GONE) break;
    }
    if (sequence === this.#gate) return false;
    this.#room.raiseTail(sequence);
    return true;
  }

  #isPinned(slot: number): boolean {
    let index = (slot + SLOT.size) >> 2;
    for (const end = index + this.#pinWords; index < end; index++) {
      if (Atomics.load(this.#words.u32, index) !== 0) return true;
    }
    return false;
  }

  /** Whether passing over leased slots would lead nowhere. Nearly always the second look already says no. */
  #allPinned(): boolean {
    for (let slot = 0; slot < this.#maxSize; slot++) {
      if (!this.#isPinned(this.#words.slot(slot))) return false;
    }
    return true;
  }

  #skip(h: number): void {
    if (this.#words.mapping.cas(HEADER.head, h, h + 1) === 0) return;
    trace.at?.("skip");
    Atomics.add(this.#words.u32, HEADER.skipped >> 2, 1);
    this.#room.wake(LANE.PUBLISHED);
  }

  /** Makes a claimed slot, whose payload has been written, visible to readers (C9 to C12). */
  publish(sequence: number, header: FrameHeader): void {
    const { u32, f64, mapping } = this.#words;
    const slot = this.#words.slot(this.slotOf(sequence));
    this.#words.setPlain64(slot + SLOT.frameNumber, header.frameNumber); // C9
    const { timestampNs } = header;
    if (typeof timestampNs === "number") this.#words.setPlain64(slot + SLOT.timestampNs, timestampNs);
    else this.#words.setBig64(slot + SLOT.timestampNs, timestampNs);
    u32[(slot + SLOT.metadataLength) >> 2] = header.metadataLength;
    this.#words.setPlain64(slot + SLOT.byteLength, this.#frameBytes);
    trace.at?.("C9");
    mapping.store(slot + SLOT.sequence, sequence + 1); // C10
    trace.at?.("C10");
    Atomics.store(u32, (slot + SLOT.writer) >> 2, 0); // C11
    trace.at?.("C11");
    f64[(this.#words.peer(this.#peers.index) + PEER.stored) >> 3]++;
    this.#room.wake(LANE.PUBLISHED); // C12
  }

  /** Gives a claimed slot back without a frame; its number is burned. */
  giveBack(sequence: number): void {
    const slot = this.#words.slot(this.slotOf(sequence));
    Atomics.add(this.#words.u32, HEADER.skipped >> 2, 1);
    Atomics.store(this.#words.u32, (slot + SLOT.writer) >> 2, 0);
    this.#room.wake(LANE.PUBLISHED);
    this.#room.wake(LANE.CONSUMED);
  }

  /** Counts a frame that was refused. */
  countDropped(): void {
    this.#words.f64[(this.#words.peer(this.#peers.index) + PEER.dropped) >> 3]++;
  }
}
