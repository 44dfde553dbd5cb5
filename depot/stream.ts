/**
 * Following a depot: a loop over its frames, and the web streams on top of it.
 *
 * @module
 */
import type { Attachment } from "../ring/attachment.ts";
import { Follower } from "../ring/follower.ts";
import type { Following } from "../ring/from.ts";
import type { Wait, WaitOptions } from "../ring/lane.ts";
import { Member } from "../ring/member.ts";
import { Pace } from "../ring/pace.ts";
import { checkFollowing, checkWait } from "./checks.ts";
import { Frame } from "./frame.ts";
import { type Loop, outlives, type Remains, type Traces } from "./lease.ts";
import { checkNames, FRAMES_NAMES } from "./option_names.ts";
import type { ElementType, FramesOptions, ReaderEnd } from "./options.ts";
import type { Session } from "./session.ts";

/** The place in the sequence that a reader has: for what goes on behind it. */
export let placeOf: (reader: FrameReader) => Follower | Member;

/**
 * A reader with its own place in the queue: `for await`, or {@linkcode FrameReader.tryNext} without waiting. Each frame
 * is released when the next one is asked for. It belongs to one loop at a time.
 */
export class FrameReader<E extends ElementType = ElementType>
  implements AsyncIterableIterator<Frame<E>>, Disposable, AsyncDisposable {
  readonly #session: Session;
  readonly #attachment: Attachment;
  readonly #follower: Follower | Member;
  readonly #wait: WaitOptions;
  readonly #pace = new Pace();
  #current: Frame<E> | undefined;
  /** Of the current frame: for the case that it is forgotten together with this reader. */
  readonly #traces: Traces = { slot: -1, lent: false };
  readonly #loop: Loop = { traces: this.#traces, reader: this };
  #remains: Remains | undefined;
  #released = false;
  #end: ReaderEnd | undefined;
  /** Whether the user has been told why nothing comes. */
  #told = false;

  /**
   * Made by a depot.
   *
   * @param following that it follows a name; what was lost in a depot before counts once for all members of a group
   * @throws as {@linkcode FramesDepot.frames}
   * @ignore
   */
  constructor(session: Session, options: FramesOptions, following?: Following) {
    this.#wait = checkWait(options);
    checkNames("frames", options, FRAMES_NAMES);
    const { mode, from, group, whenProducersGone } = checkFollowing(options);
    session.assertOpen(); // after the arguments: a getter of theirs may have closed the depot
    this.#session = session;
    this.#attachment = session.attachment;
    const needsProducers = whenProducersGone === "end";
    this.#follower = group === undefined
      ? new Follower(session.attachment, mode, from, needsProducers, following)
      : new Member(session.attachment, group.name, group.from, needsProducers, following);
    session.leases.watch(this);
  }

  static {
    placeOf = (reader) => reader.#follower;
    outlives(FrameReader, (reader) => reader.#prepare());
  }

  /** Whether the reader has ended. */
  get released(): boolean {
    return this.#released;
  }

  /**
   * Why the reader has ended; undefined while it goes on:
   *
   * - `ended`: `depot.end()` was called, and it has passed every frame
   * - `replaced`: another depot has the name, and it has passed every frame
   * - `producers-gone`: as `whenProducersGone: "end"` asks for
   * - `timeout`: its loop waited for `timeoutMs`
   * - `closed`: the depot object was closed
   * - `released`: by its user: `break`, `release()`, an aborted signal
   */
  get ended(): ReaderEnd | undefined {
    return this.#end ?? (this.#session.closed ? "closed" : undefined);
  }

  /** The next frame if there is one now. The frame before is released. */
  tryNext(): Frame<E> | undefined {
    if (this.#released || this.#session.closed) return undefined;
    this.#releaseCurrent();
    const slot = this.#follower.take();
    if (slot < 0) return this.#foundNone();
    this.#traces.slot = slot;
    this.#traces.lent = false;
    return this.#current = new Frame(this.#attachment, this.#follower.reader, slot, this.#follower, true, this.#loop);
  }

  /** There is no frame now, and perhaps there will be none. */
  #foundNone(): undefined {
    if (this.#follower.end !== undefined) this.#finish(this.#follower.end);
  }

  #finish(end: ReaderEnd): void {
    this.#end ??= end;
    this.release();
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
  async next(): Promise<IteratorResult<Frame<E>, undefined>> {
    if (this.#session.turns.due()) await this.#session.turns.take();
    const atOnce = this.#wait.signal?.aborted ? undefined : this.tryNext();
    if (atOnce !== undefined) return { done: false, value: atOnce };
    if (this.#released || this.#session.closed) return this.return();
    let frame: Frame<E> | "released" | undefined;
    try {
      frame = await this.#session.published.until(
        (wait) => this.#look(wait),
        () => this.#idle(),
        this.#pace,
        this.#wait,
      );
    } catch (error) {
      await this.return();
      throw error;
    }
    if (frame !== undefined && frame !== "released") return { done: false, value: frame };
    if (!this.#session.closed) this.#finish("timeout");
    return this.return();
  }

  /**
   * The next frame, if it comes in time; the reader goes on in any case.
   *
   * @param timeoutMs milliseconds to wait, in place of the reader's own `timeoutMs`
   * @returns undefined when the time is up, or when the reader or the depot object has ended
   * @throws {TypeError | RangeError} for a wrong time @throws the reason of the `signal`
   */
  async within(timeoutMs: number): Promise<Frame<E> | undefined> {
    const wait = checkWait({ ...this.#wait, timeoutMs });
    if (timeoutMs === undefined) throw new TypeError("timeoutMs must be a number: undefined");
    if (this.#session.turns.due()) await this.#session.turns.take();
    wait.signal?.throwIfAborted();
    const frame = this.tryNext();
    if (frame !== undefined || this.#released || this.#session.closed) return frame;
    const found = await this.#session.published.until(
      (wait) => this.#look(wait),
      () => this.#idle(),
      this.#pace,
      wait,
    );
    return found === "released" ? undefined : found;
  }

  /**
   * The next frame, blocking this thread until it is there: nothing else runs meanwhile, timers, promises and signals
   * neither. For a worker or a process that does nothing else; the event loop's part of a wake is saved.
   *
   * @returns undefined when `timeoutMs` passed without a frame; the reader goes on. Also when it or the depot is closed
   */
  nextSync(): Frame<E> | undefined {
    if (this.#released || this.#session.closed) return undefined;
    const found = this.tryNext() ??
      this.#session.published.untilSync(
        (wait) => this.#look(wait),
        () => this.#idle(),
        this.#pace,
        this.#wait,
      );
    return found === "released" ? undefined : found;
  }

  /** Nothing has come for a while. */
  #idle(): void {
    this.#follower.recover();
    if (this.#told || !this.#follower.isStarved) return;
    this.#told = true;
    console.warn(
      `frames-depot: depot "${this.#session.name}" is full and waits for a lossless reader, so this one gets nothing ` +
        'new. Attach a lossless reader, or make the depot with whenFull "drop" or "overwrite" (said once)',
    );
  }

  #look(wait: Wait): Frame<E> | "released" | undefined {
    const frame = this.tryNext();
    if (frame !== undefined) return frame;
    if (this.#released) return "released";
    wait.soon(this.#follower.isComing);
    return undefined;
  }

  /**
   * Ends the reader: the frame of its loop is released, and producers no longer wait for it. Clones of its frames stay
   * valid; its entry counts against the depot's `maxReaders` until the last of them is released.
   */
  return(): Promise<IteratorResult<Frame<E>, undefined>> {
    this.release();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** {@linkcode FrameReader.return}, at once. */
  release(): void {
    if (this.#released) return;
    this.#end ??= this.#session.closed ? "closed" : "released";
    this.#releaseCurrent();
    this.#released = true;
    if (this.#remains !== undefined) this.#remains.ended = true;
    this.#follower.reader.end();
    this.#session.published.nudge();
  }

  /** What to do if it is forgotten. */
  #prepare(): Remains {
    const [{ reader }, traces] = [this.#follower, this.#traces];
    return this.#remains = Object.assign(traces, {
      what: "a reader",
      ended: false,
      end() {
        const held = traces.slot;
        if (held >= 0 && !traces.lent) reader.unpin(held);
        else if (held >= 0) reader.keep(held, 0);
        reader.end();
        return held < 0 || !traces.lent;
      },
    });
  }

  /** The reader itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** {@linkcode FrameReader.release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** {@linkcode FrameReader.release}, at the end of an `await using` scope. */
  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}
