/**
 * A member of a group: which frame it takes next (steps M of docs/internals/protocol.md), and when there is none any
 * more.
 *
 * @module
 */
import { LANE, SLEEPERS, TAKE } from "../ffi/constants.ts";
import type { Attachment } from "./attachment.ts";
import type { Following, From } from "./from.ts";
import { FATE } from "./fate.ts";
import type { Follower } from "./follower.ts";
import type { GroupCursor } from "./group_cursor.ts";
import { join } from "./joining.ts";
import { FORMED, GROUP } from "./layout.ts";
import type { MemberReader } from "./member_reader.ts";
import { Stuck } from "./stuck.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";

/** Interval between two looks after the dead of a member that does not wait. */
const RECOVER_EVERY_MS = 250;
/** Tries to pin a frame whose slot a producer touches at this moment, before other readers get their turn. */
const PIN_TRIES = 100;

/** A loop that shares its frames with the other members of its group; otherwise as a {@linkcode Follower}. */
export class Member {
  /** The entry through which it reads. */
  readonly reader: MemberReader;
  /** Of the frame that {@linkcode Member.take} has taken. */
  sequence = -1;
  /** The number that its producer gave it. */
  frameNumber = 0;
  /** Frames that the group missed before this one and after the one that was last taken before it. */
  lost = 0;
  /** Whether a member that has died had it before. */
  redelivered = false;
  /** Why no more frames will come; undefined while they may. */
  end: Follower["end"];
  /** Whether the next frame was being written when {@linkcode Member.take} last found none. */
  isComing = false;
  /** Producers wait for the group. */
  readonly isStarved = false;
  readonly #attachment: Attachment;
  readonly #cursor: GroupCursor;
  /** Byte offsets of the group's entry and of its take words. */
  readonly #group: number;
  readonly #takes: number;
  /** Where the group's own bit is in a slot, and which it is. */
  readonly #groupPins: number;
  readonly #groupBit: number;
  readonly #needsProducers: boolean;
  readonly #overwrites: boolean;
  readonly #stuck = new Stuck();
  #recovered = performance.now();
  /** The clearing that the cursor has passed, as far as this member knows. */
  #clearedSeen: number | undefined;
  /** How many recoveries it knows of; a new member has seen none. */
  #againSeen: number | undefined;
  /** Whether frames with low numbers may still be passed over. */
  #skips: boolean;
  /** Frames lost in the depot before that no frame has reported. */
  #lostBefore: number;
  /** Where the cursor was last: all before it is passed. */
  #next: number;

  /** Joins. @throws as {@linkcode join} */
  constructor(
    attachment: Attachment,
    name: string,
    from: From | undefined,
    needsProducers = false,
    following?: Following,
  ) {
    const { words, geometry } = attachment;
    this.#attachment = attachment;
    this.#overwrites = geometry.whenFull === "overwrite";
    this.#needsProducers = needsProducers;
    const { reader, cursor, group, entry } = join(attachment, name, from, following);
    this.reader = reader;
    this.#lostBefore = following?.lost ?? 0;
    this.#cursor = cursor;
    this.#group = words.group(group);
    this.#takes = words.take(group, 0);
    this.#groupPins = words.pins(0, entry);
    this.#groupBit = (1 << (entry & 31)) >>> 0;
    this.#skips = this.#isSkipping;
    this.#next = cursor.passTaken();
  }

  get #isSkipping(): boolean {
    return this.#attachment.words.load32(this.#group + GROUP.formed) === FORMED.skips;
  }

  /** Takes the next frame. @returns its slot, or -1 when there is none now */
  take(): number {
    const { words, room } = this.#attachment;
    if (room.clearedHint() !== this.#clearedSeen) this.#passCleared();
    // From an older place it would pass over what may still be had, and others would have it, counted as lost.
    if (this.#overwrites) this.#next = Math.max(this.#next, this.#cursor.place);
    const again = words.load32(this.#group + GROUP.again); // M0
    if (again !== this.#againSeen) {
      const slot = this.#takeAgain(again);
      if (slot >= 0) return slot;
    }
    for (let refusals = 0; refusals >= 0;) {
      const sequence = this.#next;
      const answer = this.#try(sequence);
      if (answer === TAKE.GOT || answer === TAKE.GOT_AGAIN) {
        this.#next = this.#cursor.passTaken();
        return this.#took(sequence, answer);
      }
      this.#next = this.#cursor.pass();
      if (this.#next === sequence) refusals = this.#decide(sequence, refusals);
    }
    return -1;
  }

  #passCleared(): void {
    this.#clearedSeen = this.#attachment.room.clearedHint();
    this.#next = this.#cursor.pass();
  }

  /** What dead members had, in its order. A clearing takes nothing of it. */
  #takeAgain(again: number): number {
    const { mapping, geometry } = this.#attachment;
    let refused = false;
    let sequence = mapping.again(this.#takes, geometry.maxSize, 0);
    for (; sequence >= 0; sequence = mapping.again(this.#takes, geometry.maxSize, sequence + 1)) {
      const answer = this.reader.take(sequence);
      if (answer === TAKE.GOT || answer === TAKE.GOT_AGAIN) return this.#took(sequence, answer);
      refused ||= answer === TAKE.NOT_THERE;
    }
    if (!refused) this.#againSeen = again;
    return -1;
  }

  /** M1 and M2. @returns one of TAKE */
  #try(sequence: number): number {
    return this.#skips ? this.#trySkipping(sequence) : this.reader.take(sequence);
  }

  /**
   * Nothing is taken before a frame whose number is not too low. Members that look at one number find the same, and the
   * cursor is moved by one of them, so none passes over a frame after the first.
   */
  #trySkipping(sequence: number): number {
    const { reader } = this;
    const { words } = this.#attachment;
    this.#skips = this.#isSkipping;
    if (!this.#skips) return TAKE.OTHERS; // and look where the cursor is
    const slot = reader.pin(sequence);
    if (slot < 0) return TAKE.NOT_THERE;
    const isLow = reader.frameNumber(slot) < words.plainSigned64(this.#group + GROUP.fromNumber);
    if (isLow) this.#cursor.step(sequence);
    else Atomics.compareExchange(words.u32, (this.#group + GROUP.formed) >> 2, FORMED.skips, FORMED.yes);
    reader.unpin(slot);
    return TAKE.OTHERS;
  }

  /** Notes what is known of a frame that is its own now. @returns its slot */
  #took(sequence: number, answer: number): number {
    const { reader } = this;
    const slot = reader.slotOf(sequence);
    this.redelivered = answer === TAKE.GOT_AGAIN;
    if (this.redelivered) this.#unpinForGroup(slot);
    this.sequence = sequence;
    this.frameNumber = reader.frameNumber(slot);
    this.lost = this.redelivered ? 0 : this.#lostAt(reader.skippedAt(slot));
    reader.countRead();
    return slot;
  }

  /** The pin is this member's now (M3). */
  #unpinForGroup(slot: number): void {
    const { words, mapping } = this.#attachment;
    const answer = mapping.unpin(words.slot(slot) + this.#groupPins, this.#groupBit, 0, 0);
    trace.at?.("M3");
    if (answer === SLEEPERS) wake(words, LANE.CONSUMED);
  }

  #lostAt(skipped: number): number {
    const lost = this.#cursor.lostAt(skipped) + this.#lostBefore;
    this.#lostBefore = 0;
    if (lost > 0) this.reader.countLost(lost);
    return lost;
  }

  /**
   * What to do about the number at the cursor that could not be taken.
   *
   * @param refusals how often a frame that is there could not be
   * @returns the same, to look again, or a negative number when there is nothing for now
   */
  #decide(sequence: number, refusals: number): number {
    const { fate } = this.#cursor;
    this.isComing = fate === FATE.BEING_WRITTEN;
    if (fate === FATE.NOT_YET) return this.#hasMore(sequence) ? refusals : -1;
    if (fate === FATE.ENDED) {
      this.#recoverNowAndThen();
      this.#finish(this.#attachment.room.end());
      return -1;
    }
    if (fate === FATE.THERE && refusals < PIN_TRIES) return refusals + 1;
    if (this.#stuck.recover(sequence, (recover) => this.#cursor.fateOf(sequence, recover))) return refusals;
    if (!this.#stuck.isLasting || !this.#attachment.room.isReplaced) return -1;
    // It is there, and a producer stands still before or after that (C3, C10): none is waited for in this segment.
    this.#cursor.step(sequence);
    return refusals;
  }

  /** A member that polls looks after the dead as often as one that waits. */
  #recoverNowAndThen(): void {
    if (performance.now() - this.#recovered >= RECOVER_EVERY_MS) this.recover();
  }

  /** There is nothing to read: whether it was claimed or ended although producers seem to be gone (F3, F4). */
  #hasMore(sequence: number): boolean {
    this.#recoverNowAndThen();
    const { room, peers, geometry } = this.#attachment;
    if (!this.#needsProducers || peers.hasProducers) return false;
    const head = room.headOrEnd();
    if (head < 0 || head > sequence) return true;
    if (head !== geometry.firstSequence) this.#finish("producers-gone");
    return false;
  }

  /** Nothing fresh will come. What others have may be given again if they die. */
  #finish(end: Follower["end"]): void {
    if (!this.reader.othersHold) this.end = end;
  }

  /** Frames that the group missed and no frame has reported. */
  get lostAtEnd(): number {
    return this.#lostAt(this.reader.skippedNow());
  }

  /** To be called when nothing has come for a while: a producer may have died with the slot in its hands. */
  recover(): void {
    this.#recovered = performance.now();
    this.#cursor.fateOf(this.#next, true);
    this.#attachment.recover();
  }
}
