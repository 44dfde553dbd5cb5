/**
 * Following the sequence: which frame a reader takes next, what it passes over, and what it has lost.
 *
 * @module
 */
import type { Attachment } from "./attachment.ts";
import { beginningOf, newestOf } from "./beginning.ts";
import type { Following, From } from "./from.ts";
import { waitsForReader } from "./counters.ts";
import { FATE } from "./fate.ts";
import { Losses } from "./losses.ts";
import type { Reader } from "./reader.ts";
import type { ReaderMode } from "./reader_table.ts";
import type { Room } from "./room.ts";
import { Stuck } from "./stuck.ts";

/** Interval between two looks after the dead of a reader that does not wait: as often as one that does. */
const RECOVER_EVERY_MS = 250;
/** Tries to pin a frame whose slot a producer touches at this moment, before other readers get their turn. */
const PIN_TRIES = 100;

/** A place in the sequence that moves from frame to frame. */
export class Follower {
  /** The entry through which it reads. */
  readonly reader: Reader;
  /** Of the frame that {@linkcode Follower.take} has pinned. */
  sequence = -1;
  /** The number that its producer gave it. */
  frameNumber = 0;
  /** Frames missed between the frame before and this one. */
  lost = 0;
  /** Frames are given again in groups alone. */
  readonly redelivered = false;
  /** Why no more frames will come; undefined while they may. */
  end: "ended" | "replaced" | "producers-gone" | undefined;
  /** Whether the next frame was being written when {@linkcode Follower.take} last found none. */
  isComing = false;
  readonly #attachment: Attachment;
  readonly #room: Room;
  readonly #maxSize: number;
  readonly #mode: ReaderMode;
  /** Whether frames numbered below `#skipBelow` are passed over, until the first that is not. */
  #skips = false;
  #skipBelow = 0;
  #clearedSeen: number;
  readonly #losses: Losses;
  /** Whether it ends when producers are gone. */
  readonly #needsProducers: boolean;
  readonly #stuck = new Stuck();
  #recovered = performance.now();

  /** Takes an entry and its place. @throws {DepotError} TOO_MANY_PEERS, CORRUPT */
  constructor(attachment: Attachment, mode: ReaderMode, from: From, needsProducers = false, following?: Following) {
    const { room, geometry } = attachment;
    this.#attachment = attachment;
    this.#room = room;
    this.#mode = mode;
    this.#needsProducers = needsProducers;
    this.#maxSize = geometry.maxSize;
    this.reader = attachment.reader(mode);
    this.#clearedSeen = room.clearedHint();
    try {
      const { sequence, skipsBelow } = beginningOf(this.reader, room, geometry, from);
      this.#skips = skipsBelow !== undefined;
      this.#skipBelow = skipsBelow ?? 0;
      const isNext = following?.lost !== undefined;
      if (mode === "lossless") this.reader.startGating(sequence);
      else this.reader.startAt(sequence);
      // Others that were quicker may have passed what is still stored.
      if (mode === "lossless" && isNext) this.reader.catchUpFrom(sequence);
      const sequences = this.reader.cursor - geometry.firstSequence;
      const before = isNext ? { in: following as { lost: number }, sequences } : undefined;
      this.#losses = new Losses(this.reader, room.head(), this.#maxSize, before);
    } catch (error) {
      this.reader.end(); // its entry would be lost
      throw error;
    }
  }

  /** Pins the next frame. @returns its slot, or -1 when there is none now */
  take(): number {
    if (this.#room.clearedHint() !== this.#clearedSeen) this.#passCleared();
    if (this.#mode === "latest") this.#passOlder();
    for (let refusals = 0; refusals >= 0;) {
      const sequence = this.reader.cursor;
      const slot = this.reader.pin(sequence);
      if (slot < 0) refusals = this.#decide(sequence, refusals);
      else if (this.#look(slot, sequence)) return slot;
    }
    return -1;
  }

  #passCleared(): void {
    this.#clearedSeen = this.#room.clearedHint();
    this.#jump(this.#room.cleared());
  }

  #passOlder(): void {
    const head = this.#room.head();
    const newest = newestOf(this.reader, head, Math.max(this.reader.cursor, head - this.#maxSize));
    if (newest !== undefined) this.#jump(newest);
  }

  /** Notes what is known of a pinned frame. @returns false where it is passed over */
  #look(slot: number, sequence: number): boolean {
    const { reader } = this;
    const number = reader.frameNumber(slot);
    if (this.#skips && this.#skip(slot, sequence, number)) return false;
    this.sequence = sequence;
    this.frameNumber = number;
    this.lost = this.#losses.any ? this.#missed(this.reader.skippedAt(slot)) : 0;
    reader.countRead();
    return true;
  }

  /** Frames missed that no frame has reported. */
  get lostAtEnd(): number {
    return this.#losses.any ? this.#missed(this.reader.skippedNow()) : 0;
  }

  /** Passes a frame over if its number is too low. The first that is not ends this. */
  #skip(slot: number, sequence: number, number: number): boolean {
    this.#skips = number < this.#skipBelow;
    if (this.#skips) this.reader.unpinAndPass(slot, sequence + 1);
    return this.#skips;
  }

  /** Brings the account of losses up to a frame. @returns the losses to report with it */
  #missed(skipped: number): number {
    const before = this.#losses.total;
    const lost = this.#losses.at(skipped);
    this.reader.countLost(this.#losses.total - before);
    return lost;
  }

  /**
   * What to do about a sequence that could not be pinned.
   *
   * @param refusals how often a frame that is there could not be
   * @returns the same, to look again, or a negative number when there is nothing for now
   */
  #decide(sequence: number, refusals: number): number {
    const fate = this.reader.fate(sequence, false);
    this.isComing = fate === FATE.BEING_WRITTEN;
    if (fate === FATE.GONE || this.#isLapped(sequence)) {
      this.#pass(sequence);
      return refusals;
    }
    if (fate === FATE.NOT_YET) return this.#hasMore(sequence) ? refusals : -1;
    if (fate === FATE.ENDED) this.end = this.#room.end();
    if (fate === FATE.ENDED) return -1;
    if (fate === FATE.THERE && refusals < PIN_TRIES) return refusals + 1;
    if (this.#stuck.recover(sequence, (recover) => this.reader.fate(sequence, recover))) return refusals;
    if (!this.#stuck.isLasting || !this.#room.isReplaced) return -1;
    // It is there, and a producer stands still before or after that (C3, C10): none is waited for in this segment.
    this.#pass(sequence);
    return refusals;
  }

  /**
   * There is nothing to read: whether producers are gone (F3, F4), or another has the name (T7).
   *
   * @returns true to look again: something has been claimed meanwhile, or the last producer has ended it
   */
  #hasMore(sequence: number): boolean {
    if (performance.now() - this.#recovered >= RECOVER_EVERY_MS) this.recover();
    if (!this.#needsProducers || this.#attachment.peers.hasProducers) return false;
    const head = this.#room.headOrEnd();
    if (head < 0 || head > sequence) return true;
    if (head !== this.#attachment.geometry.firstSequence) this.end = "producers-gone";
    return false;
  }

  /** Whether producers are a lap ahead: whatever becomes of the sequence, it is not worth waiting for. */
  #isLapped(sequence: number): boolean {
    return this.#room.head() - sequence > this.#maxSize;
  }

  /** A sequence that will not come, or that is too far behind. */
  #pass(sequence: number): void {
    const cleared = this.#room.cleared();
    if (cleared > sequence) {
      this.#jump(cleared);
    } else if (this.#isLapped(sequence)) {
      // Past the slot that is overwritten next: on it, reader and producer could keep refusing each other.
      const next = Math.max(sequence + 1, this.#room.head() - this.#maxSize + 1);
      this.#jump(this.reader.isCatchingUp ? Math.min(next, this.reader.place) : next);
    } else {
      this.#losses.burned++;
      this.reader.advance(sequence + 1);
    }
  }

  #jump(to: number): void {
    if (to <= this.reader.cursor) return;
    this.#losses.jumped += to - this.reader.cursor;
    this.reader.advance(to);
  }

  /** Whether nothing new can come: the depot is full and waits for a lossless reader, and this one is none. */
  get isStarved(): boolean {
    return this.#mode !== "lossless" && waitsForReader(this.#attachment);
  }

  /** To be called when nothing has come for a while: a producer may have died with the slot in its hands. */
  recover(): void {
    this.#recovered = performance.now();
    this.reader.fate(this.reader.cursor, true);
    this.#attachment.recover();
  }
}
