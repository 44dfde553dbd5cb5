/**
 * Following a depot: a loop over its frames, and the web streams on top of it.
 *
 * @module
 */
import type { Wait, WaitOptions } from "../ring/lane.ts";
import { READER_MODES } from "../ring/layout.ts";
import { Pace } from "../ring/pace.ts";
import { FATE } from "../ring/fate.ts";
import { FrameIndex } from "../ring/frame_index.ts";
import type { Reader } from "../ring/reader.ts";
import type { Room } from "../ring/room.ts";
import type { Attachment } from "../ring/segment.ts";
import { Frame } from "./frame.ts";
import { Losses } from "../ring/losses.ts";
import { type Loop, outlives, type Remains, type Traces } from "./lease.ts";
import { checkFrameNumber, checkWait } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * Where a reader begins: the oldest frame still kept, the newest one, the next to come, or a frame number. What lies
 * before that place it has passed: when the last lossless reader leaves, it counts as consumed.
 */
export type From = "oldest" | "latest" | "next" | number;

/** What a reader does when it falls behind. */
export type ReadMode = "lossless" | "lossy" | "latest";

/** How a depot is followed. */
export type FramesOptions = WaitOptions & {
  /**
   * Default `"oldest"`. A number begins with the frame of that number; if it is not in the queue, with the first frame
   * whose number is not below it.
   */
  from?: From;
  /**
   * - `"lossless"` (default): producers are held back for this reader, unless the depot overwrites
   * - `"lossy"`: never holds anyone back; `frame.lost` counts what it missed just before
   * - `"latest"`: lossy, and always jumps to the newest frame
   */
  mode?: ReadMode;
};

/** A slot that is held for so long is looked after: its producer may be dead. */
const STUCK_MS = 100;
/** Looks at a frame that is there but whose slot a producer touches at this moment, before others get their turn. */
const PIN_TRIES = 100;

/**
 * A reader with its own place in the queue: `for await`, or {@linkcode FrameReader.tryNext} without waiting. Each frame
 * is released when the next one is asked for. It belongs to one loop at a time.
 */
export class FrameReader implements AsyncIterableIterator<Frame>, AsyncDisposable {
  readonly #session: Session;
  readonly #attachment: Attachment;
  readonly #room: Room;
  readonly #reader: Reader;
  readonly #mode: ReadMode;
  readonly #wait: WaitOptions;
  readonly #pace = new Pace();
  readonly #maxSize: number;
  /** Frames numbered below are passed over, until the first that is not. */
  #skipBelow = -Infinity;
  #current: Frame | undefined;
  /** Of the current frame: for the case that it is forgotten together with this reader. */
  readonly #traces: Traces = { slot: -1, lent: false };
  readonly #loop: Loop = { traces: this.#traces, reader: this };
  #remains: Remains | undefined;
  #released = false;
  #clearedSeen: number;
  readonly #losses: Losses;
  /** The sequence whose slot a producer holds, and since when we have known. */
  #stuckAt = -1;
  #stuckSince = 0;
  /** Whether the next frame was being written when last looked for in vain. */
  #isComing = false;

  /** Made by a depot. @throws {TypeError | RangeError} for wrong options @throws {DepotError} TOO_MANY_PEERS */
  constructor(session: Session, options: FramesOptions) {
    session.assertOpen();
    this.#wait = checkWait(options);
    const { from = "oldest", mode = "lossless" } = options;
    if (!READER_MODES.includes(mode) || mode as string === "lookup") {
      throw new RangeError(`mode must be one of "lossless", "lossy", "latest": ${String(mode)}`);
    }
    if (typeof from === "number") checkFrameNumber(from, `from`);
    else if (!["oldest", "latest", "next"].includes(from)) {
      throw new RangeError(`from must be "oldest", "latest", "next" or a frame number: ${String(from)}`);
    }
    const { room, geometry } = session.attachment;
    this.#session = session;
    this.#attachment = session.attachment;
    this.#room = room;
    this.#mode = mode;
    this.#maxSize = geometry.maxSize;
    this.#reader = session.reader(mode);
    this.#clearedSeen = room.clearedHint();
    const wish = this.#place(from);
    if (mode === "lossless") this.#reader.startGating(wish);
    else this.#reader.startAt(wish);
    this.#losses = new Losses(this.#reader, room.head(), this.#maxSize);
    session.leases.watch(this);
  }

  /** Where it would like to begin. */
  #place(from: From): number {
    const room = this.#room;
    const head = room.head();
    const oldest = this.#firstThere(Math.max(0, head - this.#maxSize, room.cleared()), head);
    switch (from) {
      case "oldest":
        return oldest;
      case "latest":
        return this.#newest(head, oldest) ?? head;
      case "next":
        return head;
    }
    const index = new FrameIndex(this.#reader, room, this.#attachment.geometry);
    index.refresh();
    const sequence = index.sequenceOf(from);
    if (sequence !== undefined && sequence >= oldest) return sequence;
    this.#skipBelow = from;
    return oldest;
  }

  /** Without history: what is gone at the beginning was read by others, and is not missed by who comes later. */
  #firstThere(oldest: number, head: number): number {
    if (this.#attachment.geometry.history) return oldest;
    let sequence = oldest;
    while (sequence < head && this.#reader.fate(sequence, false) === FATE.GONE) sequence++;
    return sequence;
  }

  /** The newest frame from `from` on that seems to be there. */
  #newest(head: number, from: number): number | undefined {
    for (let sequence = head - 1; sequence >= Math.max(from, head - this.#maxSize); sequence--) {
      if (this.#reader.seems(sequence)) return sequence;
    }
    return undefined;
  }

  /** Whether the reader has ended. */
  get released(): boolean {
    return this.#released;
  }

  /** The next frame if there is one now. The frame before is released. */
  tryNext(): Frame | undefined {
    if (this.#released || this.#session.closed) return undefined;
    this.#releaseCurrent();
    if (this.#room.clearedHint() !== this.#clearedSeen) this.#passCleared();
    if (this.#mode === "latest") this.#passOlder();
    for (let refusals = 0; refusals >= 0;) {
      const sequence = this.#reader.cursor;
      if (this.#reader.pin(sequence)) {
        const frame = this.#lease(sequence);
        if (frame !== undefined) return frame;
      } else {
        refusals = this.#decide(sequence, refusals);
      }
    }
    return undefined;
  }

  #passCleared(): void {
    this.#clearedSeen = this.#room.clearedHint();
    this.#jump(this.#room.cleared());
  }

  #passOlder(): void {
    const newest = this.#newest(this.#room.head(), this.#reader.cursor);
    if (newest !== undefined) this.#jump(newest);
  }

  /**
   * What to do about a sequence that could not be pinned.
   *
   * @param refusals how often a frame that is there could not be
   * @returns the same, to look again, or a negative number when there is nothing for now
   */
  #decide(sequence: number, refusals: number): number {
    const fate = this.#reader.fate(sequence, false);
    this.#isComing = fate === FATE.BEING_WRITTEN;
    if (fate === FATE.GONE || this.#isLapped(sequence)) {
      this.#pass(sequence);
      return refusals;
    }
    if (fate === FATE.NOT_YET) return -1;
    if (fate === FATE.THERE && refusals < PIN_TRIES) return refusals + 1;
    return this.#recoverStuck(sequence) ? refusals : -1;
  }

  /**
   * A slot that somebody holds: if it has been so for a while, the kernel is asked whether they live.
   *
   * @returns whether the slot was given back
   */
  #recoverStuck(sequence: number): boolean {
    const now = performance.now();
    if (this.#stuckAt !== sequence) {
      this.#stuckAt = sequence;
      this.#stuckSince = now;
    }
    if (now - this.#stuckSince < STUCK_MS) return false;
    this.#stuckSince = now;
    const before = this.#reader.fate(sequence, false);
    return this.#reader.fate(sequence, true) !== before;
  }

  /** @returns undefined when the frame is to be passed over */
  #lease(sequence: number): Frame | undefined {
    const reader = this.#reader;
    const slot = reader.slotOf(sequence);
    const number = reader.frameNumber(slot);
    if (number < this.#skipBelow) {
      reader.unpinAndPass(slot, sequence + 1);
      return undefined;
    }
    this.#skipBelow = -Infinity;
    const lost = this.#losses.jumped === 0 ? 0 : this.#missed(slot);
    reader.countRead();
    this.#traces.slot = slot;
    this.#traces.lent = false;
    return this.#current = new Frame(this.#attachment, reader, slot, sequence, number, lost, true, this.#loop);
  }

  /** Brings the account of losses up to a frame. @returns those to report with it */
  #missed(slot: number): number {
    const before = this.#losses.total;
    const lost = this.#losses.at(this.#reader.skippedAt(slot));
    this.#reader.countLost(this.#losses.total - before);
    return lost;
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
      this.#jump(Math.max(sequence + 1, this.#room.head() - this.#maxSize + 1));
    } else if (this.#attachment.geometry.history || this.#mode === "lossless") {
      this.#losses.burned++;
      this.#reader.advance(sequence + 1);
    } else {
      // Burned, or a frame that the lossless readers have passed: the count of burned numbers will tell.
      this.#jump(sequence + 1);
    }
  }

  #jump(to: number): void {
    if (to <= this.#reader.cursor) return;
    this.#losses.jumped += to - this.#reader.cursor;
    this.#reader.advance(to);
  }

  #releaseCurrent(): void {
    this.#current?.release();
    this.#current = undefined;
  }

  /**
   * The next frame, waiting for it if need be.
   *
   * @returns `done` when `timeoutMs` passed without a frame, or when the depot object was closed
   * @throws the reason of the `signal`
   */
  async next(): Promise<IteratorResult<Frame, undefined>> {
    if (this.#session.turns.due()) await this.#session.turns.take();
    const atOnce = this.#wait.signal?.aborted ? undefined : this.tryNext();
    if (atOnce !== undefined) return { done: false, value: atOnce };
    if (this.#released || this.#session.closed) return this.return();
    let frame: Frame | "released" | undefined;
    try {
      frame = await this.#session.published.until(
        (wait) => this.#released ? "released" : this.#look(wait),
        () => this.#idle(),
        this.#pace,
        this.#wait,
      );
    } catch (error) {
      await this.return();
      throw error;
    }
    return frame === undefined || frame === "released" ? this.return() : { done: false, value: frame };
  }

  /**
   * The next frame, blocking this thread until it is there: nothing else runs meanwhile, timers, promises and signals
   * neither. For a worker or a process that does nothing else; the event loop's part of a wake is saved.
   *
   * @returns undefined when `timeoutMs` passed without a frame; the reader goes on. Also when it or the depot is closed
   */
  nextSync(): Frame | undefined {
    if (this.#released || this.#session.closed) return undefined;
    return this.tryNext() ??
      this.#session.published.untilSync((wait) => this.#look(wait), () => this.#idle(), this.#pace, this.#wait);
  }

  #look(wait: Wait): Frame | undefined {
    const frame = this.tryNext();
    if (frame === undefined) wait.soon(this.#isComing);
    return frame;
  }

  /** Nothing came for a while: the producer may have died with the slot in its hands. */
  #idle(): void {
    this.#reader.fate(this.#reader.cursor, true);
    this.#attachment.peers.recoverDead();
  }

  /**
   * Ends the reader: the frame of its loop is released, and producers no longer wait for it. Clones of its frames stay
   * valid; its entry counts against the depot's `maxReaders` until the last of them is released.
   */
  return(): Promise<IteratorResult<Frame, undefined>> {
    this.release();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** {@linkcode FrameReader.return}, at once. */
  release(): void {
    if (this.#released) return;
    this.#releaseCurrent();
    this.#released = true;
    if (this.#remains !== undefined) this.#remains.ended = true;
    this.#reader.end();
    this.#session.published.nudge();
  }

  static {
    outlives(FrameReader, (lease) => lease.#prepare());
  }

  /** What to do if it is forgotten. */
  #prepare(): Remains {
    const [reader, traces] = [this.#reader, this.#traces];
    return this.#remains = Object.assign(traces, {
      what: "a reader",
      ended: false,
      end() {
        const held = traces.slot;
        if (held >= 0 && !traces.lent) reader.unpin(held);
        reader.end();
        return held < 0 || !traces.lent;
      },
    });
  }

  /** The reader itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** {@linkcode FrameReader.release}, at the end of an `await using` scope. */
  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}
