/**
 * Claim, write, publish: steps C of docs/internals/protocol.md, for any number of producers.
 *
 * @module
 */
import { CLAIM, LANE, PRODUCERS, SLEEPERS, TIME, TOO_LATE } from "../ffi/constants.ts";
import { FATE, fateOf } from "./fate.ts";
import type { Geometry, Layout } from "./geometry.ts";
import { HEADER, KEPT, LAST_SEQUENCE, PEER, PEER_FLAGS, SLOT } from "./layout.ts";
import type { Peers } from "./peers.ts";
import type { Room } from "./room.ts";
import { Slots } from "./slots.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";
import type { Words } from "./words.ts";

/** No room: what that means is the depot's policy. */
export const FULL = -1;
/** The last sequence has been used. */
export const EXHAUSTED = -2;
/** No number will be claimed any more: the depot has ended, or another segment has its name. */
export const CLOSED = -3;

/** Minimum interval between two looks for dead peers before frames are given up. */
const RECOVER_EVERY_MS = 100;

/** Looks at a slot that another producer holds, before its number is skipped: a few microseconds. */
const PATIENCE = 200;

/** The producing side of one depot object. Claims nothing by itself; every claim ends in publish or giveBack. */
export class Producer {
  readonly #words: Words;
  readonly #room: Room;
  readonly #peers: Peers;
  readonly #maxSize: number;
  readonly #pinWords: number;
  readonly #overwrite: boolean;
  readonly #drops: boolean;
  #lastRecovery = -Infinity;
  readonly #frameBytes: number;
  /** The gate as last computed: an old one errs on the safe side, because gates only grow. */
  #gate = 0;
  /** Whether a slot was passed over, or no room was found, because of leases. The caller sets it back. */
  hasPassedLeased = false;
  /** Whether a reader has been woken to see a frame being written that is not there yet. */
  #awaited = false;
  /** Whether this peer has said that it produces (F2). */
  #produces = false;
  /** Where head is, if no other producer has claimed since. */
  #next: number;
  readonly #slots: Slots;

  constructor(words: Words, room: Room, peers: Peers, geometry: Geometry, { pinWords }: Layout) {
    this.#words = words;
    this.#room = room;
    this.#peers = peers;
    this.#maxSize = geometry.maxSize;
    this.#slots = new Slots(geometry.maxSize);
    this.#pinWords = pinWords;
    this.#overwrite = geometry.whenFull === "overwrite";
    this.#drops = geometry.whenFull === "drop";
    this.#frameBytes = geometry.frameBytes;
    this.#next = room.head();
  }

  /** The slot of a sequence. */
  slotOf(sequence: number): number {
    return this.#slots.of(sequence);
  }

  /** Takes the next slot to write in. @returns its sequence, FULL, EXHAUSTED or CLOSED */
  claim(): number {
    // Where one producer works alone, head is where it left it: a guess saves a look, and C1 tells if it is wrong.
    const h = this.#next;
    const answer = this.#try(h);
    return answer === CLAIM.CLAIMED ? h : this.#finish(h, answer);
  }

  /** C1 to C8. @returns one of {@linkcode CLAIM} and perhaps {@linkcode SLEEPERS}, FULL or EXHAUSTED */
  #try(h: number): number {
    if (!this.#produces) this.#begin();
    if (h > LAST_SEQUENCE) return EXHAUSTED;
    if (h - this.#maxSize >= this.#gate && !this.#overwrite && !this.#mayClaim(h)) return FULL; // C2
    const answer = this.#words.mapping.claim(this.#words.slot(this.slotOf(h)), this.#pinWords, h, this.#peers.id);
    if (answer === CLAIM.CLAIMED || answer === CLAIM.AWAITED) this.#next = h + 1;
    return answer;
  }

  /** Says that this peer is a producer, before its first claim (F2): it is one until it leaves. */
  #begin(): void {
    Atomics.or(this.#words.u32, (this.#words.peer(this.#peers.index) + PEER.flags) >> 2, PEER_FLAGS.produces);
    this.#produces = true;
  }

  /**
   * Wakes readers that want to know of writing. A slot that cannot be had is recovered or skipped, or the claim fails.
   */
  #finish(h: number, answer: number): number {
    let patience = PATIENCE;
    let skips = 0;
    for (;; answer = this.#try(h)) {
      const barred = answer < 0 ? answer : answer & ~(SLEEPERS | PRODUCERS);
      // A reader or a producer that saw us in the slot may have gone to sleep over it.
      if (barred !== answer) this.#wake(answer);
      let failed = 0;
      switch (barred) {
        case CLAIM.AWAITED:
          this.#awaited = true;
          wake(this.#words, LANE.PUBLISHED);
          this.#giveWay();
          return h;
        case CLAIM.CLAIMED:
          return h;
        case EXHAUSTED:
        case FULL:
          failed = barred;
          break;
        case CLAIM.LEASED:
          this.hasPassedLeased = true;
          if (++skips > this.#maxSize || this.allHeld) failed = FULL;
          else this.#skip(h);
          break;
        case CLAIM.TAKEN: {
          const slot = this.#words.slot(this.slotOf(h));
          const owner = this.#words.load32(slot + SLOT.writer);
          if (owner === 0 || this.#room.headOrEnd() !== h) break;
          if (!this.#isKept(slot) && --patience > 0) break;
          patience = PATIENCE;
          if (this.#peers.isDead(owner)) this.#peers.recoverSlot(slot, owner);
          else if (++skips > this.#maxSize || this.allHeld) failed = FULL;
          else this.#skip(h);
        }
      }
      const head = this.#room.headOrEnd();
      if (head < 0) return CLOSED;
      if (failed !== 0 && head === h) return failed;
      h = head;
    }
  }

  /** Wakes the lanes that a step's answer names. */
  #wake(answer: number): void {
    if ((answer & SLEEPERS) !== 0) wake(this.#words, LANE.PUBLISHED);
    if ((answer & PRODUCERS) !== 0) wake(this.#words, LANE.CONSUMED);
  }

  /** Whether there is room. Where nothing will be claimed any more, nothing is given up for it either. */
  #mayClaim(h: number): boolean {
    return this.#room.headOrEnd() >= 0 && this.#findRoom(h);
  }

  #findRoom(h: number): boolean {
    if (this.#drops) this.#recoverFollowers();
    this.#gate = this.#room.gate(this.#gate, this.#drops ? h - this.#maxSize + 1 : 0);
    if (h - this.#maxSize < this.#gate) return true;
    if (!this.#passBurned(h)) return false;
    this.#gate = this.#room.gate(this.#gate);
    return h - this.#maxSize < this.#gate;
  }

  /**
   * To be called before frames are given up because readers are attached that are not waited for. Where those are dead,
   * frames wait for the next reader.
   */
  #recoverFollowers(): void {
    const now = performance.now();
    if (now - this.#lastRecovery <= RECOVER_EVERY_MS) return;
    this.#lastRecovery = now;
    this.#peers.recoverDead();
  }

  /** Without a gating reader, numbers that carry no frame would take up room for ever: `tail` passes them (G5). */
  #passBurned(h: number): boolean {
    if (this.#room.isGated()) return false;
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
    let index = (slot + SLOT.pins) >> 2;
    for (const end = index + this.#pinWords; index < end; index++) {
      if (Atomics.load(this.#words.u32, index) !== 0) return true;
    }
    return false;
  }

  /** Whether a slot's memory can still be reached although its number will not come ({@linkcode Producer.keepBack}). */
  #isKept(slot: number): boolean {
    return this.#words.mapping.load(slot + SLOT.claimed) === KEPT && this.#words.load32(slot + SLOT.writer) !== 0;
  }

  /**
   * Whether every slot is leased, or in the hands of a producer: passing over them would lead nowhere, and would leave
   * frames behind that are being written. Nearly always the second look already says no.
   */
  get allHeld(): boolean {
    for (let index = 0; index < this.#maxSize; index++) {
      const slot = this.#words.slot(index);
      if (this.#words.load32(slot + SLOT.writer) === 0 && !this.#isPinned(slot)) return false;
    }
    return true;
  }

  /** Whether the next claim finds no room. */
  get isFull(): boolean {
    if (this.allHeld) return true;
    if (this.#overwrite || this.#drops && this.#room.isFollowedOnly()) return false;
    const head = this.#room.head();
    return head - this.#maxSize >= this.#gate && !this.#findRoom(head);
  }

  #skip(h: number): void {
    if (this.#words.mapping.cas(HEADER.head, h, h + 1) === 0) return;
    trace.at?.("skip");
    Atomics.add(this.#words.u32, HEADER.skipped >> 2, 1);
    wake(this.#words, LANE.PUBLISHED);
  }

  /**
   * Makes a claimed slot, whose payload has been written, visible to readers (C9 to C12).
   *
   * @returns false when another segment has the depot's name: then not every reader will see it, or none
   */
  publish(
    sequence: number,
    frameNumber: number,
    timestampNs: bigint | number,
    metadataLength: number,
    byteLength: number = this.#frameBytes,
  ): boolean {
    const { f64, mapping } = this.#words;
    const slot = this.#words.slot(this.slotOf(sequence));
    let time = timestampNs as number;
    if (typeof timestampNs === "bigint") {
      this.#words.setBig64(slot + SLOT.timestampNs, timestampNs);
      time = TIME.KEPT;
    }
    const answer = mapping.publish(slot, sequence, frameNumber, time, metadataLength, byteLength);
    if (answer === TOO_LATE.REPLACED) {
      this.giveBack(sequence);
      return false;
    }
    f64[(this.#words.peer(this.#peers.index) + PEER.stored) >> 3]++;
    if (answer !== 0) this.#wake(answer);
    if (this.#awaited) {
      this.#awaited = false;
      this.#giveWay();
    }
    return answer < TOO_LATE.LATE;
  }

  /**
   * A reader that was woken may have been put on this very processor. At a claim this lets it wake up, and it stays
   * awake from then on; at a publication it lets it take the frame first.
   */
  #giveWay(): void {
    this.#words.mapping.yield();
  }

  /** Gives a claimed slot back without a frame; its number is burned. */
  giveBack(sequence: number): void {
    this.#burn(sequence);
    this.#free(sequence);
  }

  /**
   * Burns a claimed number and keeps its slot (K1 to K3): its memory can still be reached. No reader waits for the
   * number, and producers pass the slot over, until {@linkcode Producer.letGo} or until this peer leaves.
   */
  keepBack(sequence: number): void {
    const slot = this.#words.slot(this.slotOf(sequence));
    this.#words.mapping.store(slot + SLOT.claimed, KEPT);
    this.#burn(sequence);
    this.#wake(SLEEPERS | PRODUCERS);
  }

  /** Gives a kept slot back (K4). */
  letGo(sequence: number): void {
    this.#words.mapping.store(this.#words.slot(this.slotOf(sequence)) + SLOT.claimed, 0);
    this.#free(sequence);
  }

  /** The number will not come. In this order: a death between leaves the count short, and never counts twice. */
  #burn(sequence: number): void {
    this.#awaited = false;
    this.#words.mapping.store(this.#words.slot(this.slotOf(sequence)) + SLOT.sequence, 0);
    Atomics.add(this.#words.u32, HEADER.skipped >> 2, 1);
  }

  #free(sequence: number): void {
    Atomics.store(this.#words.u32, (this.#words.slot(this.slotOf(sequence)) + SLOT.writer) >> 2, 0);
    this.#wake(SLEEPERS | PRODUCERS);
  }

  /** Counts a frame that was refused. */
  countDropped(): void {
    this.#words.f64[(this.#words.peer(this.#peers.index) + PEER.dropped) >> 3]++;
  }
}
