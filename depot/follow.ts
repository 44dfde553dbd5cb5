/**
 * Following a name: whatever depot has it, one after the other.
 *
 * @module
 */
import type { Attachment } from "../ring/attachment.ts";
import type { Following } from "../ring/from.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { Pace } from "../ring/pace.ts";
import { isAbandoned } from "../ring/replacing.ts";
import { DepotError } from "../errors.ts";
import { checkElements, checkFollowing, checkOneOf, checkOpening, checkWait } from "./checks.ts";
import { find } from "./finding.ts";
import { Followed, Lookout } from "./followed.ts";
import type { Frame } from "./frame.ts";
import { checkNames, FOLLOW_NAMES } from "./option_names.ts";
import type { ElementType, FollowOptions, ReaderEnd } from "./options.ts";
import type { OpenDepot } from "./open_depot.ts";
import { leave, type Session, sessionOf } from "./session.ts";
import { FrameReader, placeOf } from "./stream.ts";

/** How long a wait lasts before it looks whether the name was removed: no process wakes for that. */
const LOOK_MS = 500;

/** Depots in which a follower has its place early: each keeps its memory until it has been read. */
const MOST_AHEAD = 4;

/** Whether the name was removed, and no process is left that would fill what had it. */
const isForsaken = ({ attachment }: Session): boolean => !attachment.isLinked && isAbandoned(attachment);

const isTimeUp = (error: unknown): boolean =>
  error instanceof DepotError && (error.code === "NOT_FOUND" || error.code === "NOT_READY");

/** A depot that is followed: now, or next. */
type Present<E extends ElementType, D> = { depot: D; session: Session; reader: FrameReader<E>; following: Following };

/** A follower that was forgotten leaves its depots; its reader and its frames are reclaimed as any others. */
const forgotten = new FinalizationRegistry<Followed>((followed) => followed.leaveAll(false));

/**
 * The frames of whatever depot has a name: `for await`, or {@linkcode FrameFollower.within}. It goes on across
 * restarts, replacements and changes of format, so ask each frame for its size. Each frame is released when the next
 * one is asked for. It belongs to one loop at a time.
 */
export class FrameFollower<E extends ElementType = ElementType, D extends OpenDepot<E> = OpenDepot<E>>
  implements AsyncIterableIterator<Frame<E>>, Disposable, AsyncDisposable {
  /** The name. */
  readonly name: string;
  readonly #options: FollowOptions<E>;
  readonly #wait: WaitOptions;
  readonly #makeDepot: (attachment: Attachment) => D;
  readonly #endsWithProducers: boolean;
  readonly #endsAtEnd: boolean;
  readonly #released = new AbortController();
  readonly #pace = new Pace();
  readonly #isLossless: boolean;
  #present: Present<E, D> | undefined;
  /** Where it has its place already while it still reads what the present depot has, in their order. */
  #ahead: Present<E, D>[] = [];
  /** Taking that place, while it is under way. */
  #looking: Promise<void> | undefined;
  /** When it last looked for that, in milliseconds; Infinity while it goes over to another depot. */
  #lookedAhead = -Infinity;
  /** What was found without a name and without producers: it is left once all that they stored has been read. */
  #forsaken: Present<E, D> | undefined;
  /** Frames lost so far that no frame has reported. */
  #lost = 0;
  #hasFollowed = false;
  #end: ReaderEnd | undefined;
  readonly #followed = new Followed();

  /**
   * Made by {@linkcode FramesDepot.follow}.
   *
   * @param name checked
   * @param makeDepot makes the depot object of what has been opened
   * @throws {TypeError | RangeError} for wrong options
   * @ignore
   */
  constructor(name: string, options: FollowOptions<E>, makeDepot: (attachment: Attachment) => D) {
    this.#wait = checkWait(options);
    checkNames("follow", options, FOLLOW_NAMES);
    checkOpening(options);
    checkElements(options);
    const { mode, group, whenProducersGone } = checkFollowing(options);
    this.#isLossless = mode === "lossless" && group === undefined;
    this.#endsWithProducers = whenProducersGone === "end";
    const whenEnded = checkOneOf("whenEnded", options.whenEnded ?? "wait", ["wait", "end"]);
    this.#endsAtEnd = this.#endsWithProducers || whenEnded === "end";
    this.#makeDepot = makeDepot;
    this.name = name;
    this.#options = { ...options };
    forgotten.register(this, this.#followed);
  }

  /** The {@linkcode FramesDepot.id} of the depot that is followed now; undefined while there is none. */
  get id(): string | undefined {
    return this.#present?.session.attachment.id;
  }

  /**
   * The depot that is followed now, the one of the frame that came last: for its shape, its counters, and look-ups. The
   * follower closes it. Undefined while there is none.
   */
  get depot(): D | undefined {
    return this.#present?.depot;
  }

  /** Whether it has ended. */
  get released(): boolean {
    return this.#end !== undefined;
  }

  /** Why it has ended; undefined while it goes on. See {@linkcode FrameReader.ended}. */
  get ended(): ReaderEnd | undefined {
    return this.#end;
  }

  /**
   * The next frame, waiting for it, for the name, and for the next depot of that name if need be.
   *
   * @returns `done` when `timeoutMs` passed without a frame; with `whenEnded: "end"` also when the depot has ended, and
   *   with `whenProducersGone: "end"` when it has ended or its producers are gone
   * @throws {DepotError} what {@linkcode FramesDepot.open} throws, except NOT_FOUND and NOT_READY
   * @throws the reason of the `signal`
   */
  async next(): Promise<IteratorResult<Frame<E>, undefined>> {
    try {
      const { session, reader } = this.#present ?? {};
      if (this.#isLeftBehind(false)) this.#lookAhead();
      if (session?.turns.due()) await session.turns.take();
      const atOnce = this.#wait.signal?.aborted ? undefined : reader?.tryNext();
      const frame = atOnce ?? await this.#take(this.#wait.timeoutMs ?? Infinity);
      if (frame !== undefined) return { done: false, value: frame };
    } catch (error) {
      await this.return();
      throw error;
    }
    this.#end ??= "timeout";
    return await this.return();
  }

  /**
   * The next frame, if it comes in time; the follower goes on in any case.
   *
   * @param timeoutMs milliseconds to wait, in place of the follower's own `timeoutMs`
   * @returns undefined when the time is up, or when it has ended
   * @throws as {@linkcode FrameFollower.next}; {TypeError | RangeError} for a wrong time
   */
  async within(timeoutMs: number): Promise<Frame<E> | undefined> {
    if (timeoutMs === undefined) throw new TypeError("timeoutMs must be a number: undefined");
    const frame = await this.#take(checkWait({ timeoutMs }).timeoutMs ?? Infinity);
    if (this.#end !== undefined) await this.return();
    return frame;
  }

  /** @returns undefined when the time is up, or when it has ended */
  async #take(timeoutMs: number): Promise<Frame<E> | undefined> {
    const deadline = performance.now() + timeoutMs;
    const left = () => Math.max(0, deadline - performance.now());
    while (this.#end === undefined) {
      this.#wait.signal?.throwIfAborted();
      const present = this.#present;
      if (this.#isLeftBehind(false)) this.#lookAhead();
      const waitMs = this.#forsaken === undefined ? Math.min(left(), LOOK_MS) : 0;
      const frame = await present?.reader.within(waitMs);
      if (frame !== undefined) return frame;
      const goesOn = await (present === undefined ? this.#change(present, left) : this.#goOn(present, left));
      if (!goesOn) return undefined;
    }
    return undefined;
  }

  /** After a wait without a frame. @returns false when the time is up, or when it has ended */
  async #goOn(present: Present<E, D>, left: () => number): Promise<boolean> {
    if (this.#present !== present) return true; // another call has changed it
    const { session, reader } = present;
    const ended = session.closed ? "closed" : reader.ended; // also one that has ended before it was closed
    if (ended === "closed" || ended === "released") {
      this.#end ??= ended;
      return false;
    }
    if (this.#endsAtEnd && ended === "ended" || this.#endsWithProducers && ended === "producers-gone") {
      this.#end ??= ended;
      return false;
    }
    if (ended !== undefined) {
      return await this.#isLeft(session, left()) ? await this.#change(present, left) : left() > 0;
    }
    const before = this.#forsaken;
    this.#forsaken = isForsaken(session) ? present : undefined;
    if (this.#forsaken === undefined) return left() > 0;
    return before === present ? await this.#change(present, left) : true; // once more: it may have been filled before
  }

  /** Goes on with what has the name. @returns false when the time is up, or when it has ended */
  async #change(from: Present<E, D> | undefined, left: () => number): Promise<boolean> {
    if (from !== undefined) this.#lost += placeOf(from.reader).lostAtEnd;
    const looking = this.#looking;
    await looking;
    if (this.#end !== undefined || this.#present !== from) return this.#end === undefined;
    this.#lookedAhead = Infinity;
    try {
      const ahead = this.#ahead.shift();
      if (ahead === undefined && looking !== undefined && left() === 0) return false; // it could not be had
      const next = ahead ?? await this.#attach(left());
      if (next === undefined) return false;
      if (ahead === undefined) this.#followed.add(next.session, placeOf(next.reader).reader);
      else ahead.following.lost = this.#lost;
      // Released, or another call was quicker, while it was being opened.
      const isLate = this.#end !== undefined || this.#present !== from;
      const over = isLate ? next : from;
      over?.reader.release();
      if (over !== undefined) this.#followed.leave(over.session);
      if (isLate) return this.#end === undefined;
      if (this.#isLossless && !this.#hasFollowed) this.#lookOut();
      this.#hasFollowed = true;
      this.#lost = 0;
      this.#forsaken = undefined;
      this.#present = next;
      return true;
    } finally {
      this.#lookedAhead = -Infinity;
    }
  }

  /**
   * Whether what has the name comes after the depots in which it has its place: others may pass it there.
   *
   * @param asks whether the system is asked for the name: a depot that lost it to none is left when it has no producers
   */
  #isLeftBehind(asks: boolean): boolean {
    if (!this.#isLossless || this.#present === undefined) return false;
    const { session } = this.#ahead.at(-1) ?? this.#present;
    if (session.closed || this.#present.session.closed) return false;
    const { room } = session.attachment;
    try {
      const isOver = room.isReplaced || asks && !this.#endsWithProducers && isForsaken(session);
      return isOver && !(this.#endsAtEnd && room.end() === "ended");
    } catch {
      return false; // it is damaged: its own reader says so
    }
  }

  /** Has its place taken in the next depot also while its loop is busy with a frame. */
  #lookOut(): void {
    const self = new WeakRef(this);
    new Lookout(() => {
      const follower = self.deref();
      if (follower === undefined || follower.#end !== undefined) return false;
      if (follower.#present?.session.closed) follower.#leaveAhead();
      else if (follower.#isLeftBehind(true)) follower.#lookAhead();
      return true;
    });
  }

  /** Gives up the places that it has taken early. */
  #leaveAhead(): void {
    for (const { reader, session } of this.#ahead.splice(0)) {
      reader.release();
      this.#followed.leave(session);
    }
  }

  /**
   * Takes its place in the next depot while there are frames of the present one: quicker readers would pass what it has
   * not read. Where the place cannot be had now, the depot is opened in its turn, and what is wrong is said then.
   */
  #lookAhead(): void {
    if (this.#looking !== undefined || this.#ahead.length === MOST_AHEAD) return;
    if (performance.now() - this.#lookedAhead < LOOK_MS) return;
    const from = this.#present;
    this.#looking = this.#attach(0, 0).catch(() => undefined).then((next) => {
      this.#looking = undefined;
      if (next === undefined) {
        this.#lookedAhead = performance.now();
        return;
      }
      this.#followed.add(next.session, placeOf(next.reader).reader);
      if (this.#end === undefined && this.#present === from) this.#ahead.push(next);
      else {
        next.reader.release();
        this.#followed.leave(next.session);
      }
    });
  }

  /**
   * Waits until another depot may have the name. It stays a peer meanwhile: a process that takes the name from a depot
   * wakes its peers.
   *
   * @returns false when the time is up, or when the depot object was closed
   */
  async #isLeft(session: Session, timeoutMs: number): Promise<boolean> {
    const { attachment } = session;
    const isLeft = await session.published.until(
      () => attachment.isReplaced || undefined,
      () => attachment.recover(),
      this.#pace,
      { ...this.#wait, timeoutMs: Math.min(timeoutMs, LOOK_MS) },
    );
    return !session.closed && (isLeft === true || !attachment.isLinked);
  }

  /**
   * Opens what has the name.
   *
   * @param lost frames that no frame has reported
   * @returns undefined when the time is up, or when it has ended
   */
  async #attach(timeoutMs: number, lost = this.#lost): Promise<Present<E, D> | undefined> {
    const { signal } = this.#wait;
    const signals = [this.#released.signal, ...signal === undefined ? [] : [signal]];
    const { trustedOwners: _1, elementType: _2, timeoutMs: _3, whenEnded: _4, ...frames } = this.#options;
    try {
      const opening = { timeoutMs, signal: AbortSignal.any(signals) };
      // What a producer left that died before the next depot was opened is read; not so what lay there before.
      const which = { ...checkOpening(this.#options), stale: this.#hasFollowed };
      const attachment = await find(this.name, which, checkElements(this.#options), opening);
      if (this.#end !== undefined) {
        await leave(attachment);
        return undefined;
      }
      const depot = this.#makeDepot(attachment);
      const session = sessionOf(attachment);
      // A group that others have formed meanwhile is joined as it is.
      const from = frames.group === undefined ? "oldest" as const : undefined;
      const options = this.#hasFollowed ? { ...frames, from } : frames;
      const following = { lost: this.#hasFollowed ? lost : undefined };
      try {
        return { depot, session, reader: new FrameReader<E>(session, options, following), following };
      } catch (error) {
        await session.close(); // no reader: nothing else closes it
        throw error;
      }
    } catch (error) {
      if (this.#end !== undefined || isTimeUp(error)) return undefined;
      throw error;
    }
  }

  /**
   * Ends the follower: the frame of its loop is released, and producers no longer wait for it. Clones of its frames
   * stay valid until they are released. Settled when the depot has been left; where there are clones, it is left after
   * them.
   */
  async return(): Promise<IteratorResult<Frame<E>, undefined>> {
    this.release();
    await this.#followed.left;
    return { done: true, value: undefined };
  }

  /** {@linkcode FrameFollower.return}, without waiting until the depot has been left. */
  release(): void {
    this.#end ??= "released";
    this.#released.abort();
    this.#leaveAhead();
    this.#present?.reader.release();
    this.#present = undefined;
    this.#followed.leaveAll(true);
  }

  /** The follower itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** {@linkcode FrameFollower.release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }

  /** {@linkcode FrameFollower.return}, at the end of an `await using` scope. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
