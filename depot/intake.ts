/**
 * Putting frames in: one copy (enqueue) or none (claim), and what happens when there is no room.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { byteLengthOf, kindOf } from "../ffi/buffers.ts";
import { TIME } from "../ffi/constants.ts";
import { Claimer } from "../ring/claimer.ts";
import { droppedFrames } from "../ring/counters.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { Pace, SLICE_MS } from "../ring/pace.ts";
import { CLOSED, EXHAUSTED, FULL } from "../ring/producer.ts";
import { backpressureEvent, Told } from "./backpressure.ts";
import {
  checkDetails,
  checkFrame,
  checkFrameNumber,
  checkMetadata,
  checkObject,
  checkTimestamp,
  checkWait,
  NOTHING_SAID,
} from "./checks.ts";
import { Line } from "./line.ts";
import { checkNames, DETAIL_NAMES, INPUT_NAMES, WAIT_NAMES } from "./option_names.ts";
import type { ElementType, EnqueueResult, FrameDetails, FrameInput, OnBackpressure } from "./options.ts";
import type { Session } from "./session.ts";
import { FrameSlot } from "./slot.ts";

/**
 * Accepted calls of a depot object in which the names of a frame's details are checked, and later where there is no
 * room: a look at each name costs a tenth of a hand-off.
 */
const CHECKED_CALLS = 32;

/** What `claim` takes: it may wait, too. */
const CLAIM_NAMES = { ...DETAIL_NAMES, ...WAIT_NAMES };

/** @throws {TypeError} for a name that `enqueue` does not have, or has in its second argument */
function checkInputNames(input: FrameInput): void {
  const astray = Object.keys(WAIT_NAMES).find((name) => Object.hasOwn(input, name));
  if (astray === undefined) return checkNames("enqueue", input, INPUT_NAMES);
  throw new TypeError(`enqueue takes ${astray} in its second argument: enqueue({ frame }, { ${astray} })`);
}

/** The producing side of one depot object. */
export class Intake<E extends ElementType = ElementType> {
  readonly #session: Session;
  readonly #onBackpressure: OnBackpressure | undefined;
  readonly #claimer: Claimer;
  readonly #line = new Line();
  readonly #closing = new AbortController();
  /** Whether the callback has been told since a frame that waited was stored. */
  #isStalled = false;
  readonly #pace = new Pace();
  #calls = 0;

  constructor(session: Session, onBackpressure: OnBackpressure | undefined) {
    this.#session = session;
    this.#claimer = new Claimer(session.attachment);
    this.#onBackpressure = onBackpressure;
  }

  /** As {@linkcode FramesDepot.enqueue}. */
  async enqueue(input: FrameInput, options: WaitOptions): Promise<EnqueueResult> {
    const { bytes, details } = this.#checkInput(input);
    const wait = checkWait(options);
    checkNames("enqueue", options, WAIT_NAMES);
    // After the arguments: a getter of theirs may have closed the depot.
    this.#session.assertOpen();
    const sequence = this.#claimNow();
    if (sequence >= 0) {
      const stored = this.#store(sequence, bytes, details);
      if (this.#session.turns.due()) await this.#session.turns.take();
      return stored;
    }
    checkInputNames(input);
    const [byteLength, metadataBytes] = [byteLengthOf(bytes), details.metadata?.length];
    const stored = await this.#whenFull(
      details.frameNumber,
      wait,
      (sequence) => this.#store(sequence, bytes, details),
      () => {
        // Resized or transferred meanwhile: said before anything is claimed.
        if (byteLengthOf(bytes) !== byteLength) {
          throw new TypeError(`frame must not change while it waits: it has ${byteLengthOf(bytes)} bytes now`);
        }
        const { metadata } = details;
        if (metadata === undefined || byteLengthOf(metadata) === metadataBytes) return;
        throw new TypeError(`metadata must not change while it waits: it has ${byteLengthOf(metadata)} bytes now`);
      },
    );
    return stored ?? { state: "timeout" };
  }

  /** As {@linkcode FramesDepot.tryEnqueue}. */
  tryEnqueue(input: FrameInput): EnqueueResult | undefined {
    const { bytes, details } = this.#checkInput(input);
    this.#session.assertOpen();
    const sequence = this.#claimNow();
    if (sequence >= 0) return this.#store(sequence, bytes, details);
    checkInputNames(input);
    return undefined;
  }

  /** As {@linkcode FramesDepot.tryClaim}. */
  tryClaim(details: FrameDetails): FrameSlot<E> | undefined {
    const checked = this.#check(details, DETAIL_NAMES);
    // After the arguments: a getter of theirs may have closed the depot.
    this.#session.assertOpen();
    const sequence = this.#claimNow();
    if (sequence >= 0) return this.#slot(sequence, checked);
    checkNames("claim", details, DETAIL_NAMES);
    return undefined;
  }

  /** As {@linkcode FramesDepot.claim}. */
  async claim(details: FrameDetails, options: WaitOptions): Promise<FrameSlot<E> | undefined> {
    const checked = this.#check(details, CLAIM_NAMES);
    const wait = checkWait(options);
    this.#session.assertOpen();
    const sequence = this.#claimNow();
    if (sequence >= 0) {
      const slot = this.#slot(sequence, checked);
      if (this.#session.turns.due()) await this.#session.turns.take();
      return slot;
    }
    checkNames("claim", details, CLAIM_NAMES);
    const taken = await this.#whenFull(checked.frameNumber, wait, (sequence) => this.#slot(sequence, checked));
    return taken instanceof FrameSlot ? taken : undefined;
  }

  #checkInput(input: FrameInput): { bytes: Uint8Array; details: FrameDetails } {
    if (typeof input !== "object" || input === null || kindOf(input) !== undefined) {
      throw new TypeError("enqueue takes an object with a frame: { frame, frameNumber, timestampNs, metadata }");
    }
    if (this.#calls < CHECKED_CALLS) {
      checkInputNames(input);
      this.#calls++;
    }
    const { frame, frameNumber, timestampNs, metadata } = input;
    const { geometry } = this.#session.attachment;
    return {
      bytes: checkFrame(frame, geometry),
      details: checkDetails(frameNumber, timestampNs, metadata, geometry.metadataBytes),
    };
  }

  /** Details of a claim. What is built here and read by the slot at once, engines do not allocate. */
  #check(details: FrameDetails, names: object): FrameDetails {
    if (details === NOTHING_SAID) return details;
    checkObject("details", details);
    if (this.#calls < CHECKED_CALLS) {
      checkNames("claim", details, names);
      this.#calls++;
    }
    const { frameNumber, timestampNs, metadata } = details;
    const { metadataBytes } = this.#session.attachment.geometry;
    return {
      frameNumber: frameNumber === undefined ? undefined : checkFrameNumber(frameNumber),
      timestampNs: timestampNs === undefined ? undefined : checkTimestamp(timestampNs),
      // Kept until it is published, so it must be our own by then.
      metadata: metadata === undefined ? undefined : checkMetadata(metadata, metadataBytes).slice(),
    };
  }

  /** A sequence, unless others wait for one already. */
  #claimNow(): number {
    return this.#line.isEmpty ? this.#claim() : FULL;
  }

  #slot(sequence: number, details: FrameDetails): FrameSlot<E> {
    const slot = new FrameSlot<E>(this.#session.attachment, sequence, details);
    this.#session.leases.watch(slot);
    return slot;
  }

  #store(sequence: number, bytes: Uint8Array, details: FrameDetails): EnqueueResult {
    const { producer, payload, geometry } = this.#session.attachment;
    const slot = producer.slotOf(sequence);
    const byteLength = geometry.variableLength ? byteLengthOf(bytes) : geometry.frameBytes;
    payload.write(slot, bytes, byteLength);
    const { frameNumber = sequence, timestampNs = TIME.NOW, metadata } = details;
    const metadataLength = metadata === undefined ? 0 : payload.writeMetadata(slot, metadata);
    const isStored = producer.publish(sequence, frameNumber, timestampNs, metadataLength, byteLength);
    if (!isStored) throw this.#session.endedError();
    return { state: "stored", sequence };
  }

  /** A sequence, FULL, or an error when there are no more. */
  #claim(): number {
    const { producer } = this.#session.attachment;
    const sequence = producer.claim();
    return sequence < 0 || producer.hasPassedLeased ? this.#whenRefused(sequence) : sequence;
  }

  /** Gives back what dead peers, or operations that are over, have held; then there is a second try. */
  #whenRefused(claimed: number): number {
    let sequence = this.#claimer.recover(claimed);
    if (sequence === FULL && this.#session.kept.retry() > 0) sequence = this.#claimer.claim();
    if (sequence === CLOSED) throw this.#session.endedError();
    if (sequence === EXHAUSTED) {
      const depot = this.#session.name;
      throw new DepotError(
        "UNSUPPORTED",
        `cannot put a frame into depot "${depot}": it has used its last sequence, 2^53 - 2`,
        { depot, remedy: "create() with `replace: true` makes the next one of that name" },
      );
    }
    return sequence;
  }

  /**
   * No room: refuses the frame or waits, by the depot's policy.
   *
   * @param verify throws if the frame cannot be stored any more
   * @param take what to do with a sequence once there is one, at once: nothing may come between a claim and its use
   * @returns undefined when the time is up
   */
  async #whenFull<T>(
    frameNumber: number | undefined,
    wait: WaitOptions,
    take: (sequence: number) => T,
    verify: () => void = () => {},
  ): Promise<T | EnqueueResult & { state: "dropped" } | undefined> {
    const { attachment } = this.#session;
    const deadline = performance.now() + (wait.timeoutMs ?? Infinity);
    if (attachment.geometry.whenFull !== "wait") {
      attachment.producer.countDropped();
      const refused = { state: "dropped", droppedFrames: droppedFrames(attachment) } as const;
      await this.#tell(frameNumber)?.bounded(deadline, wait.signal);
      return refused;
    }
    const place = this.#line.join();
    let told: Told | undefined;
    const tell = () => {
      this.#isStalled = true;
      told = this.#tell(frameNumber, () => this.#session.consumed.nudge());
    };
    let taken: { value: T } | undefined;
    try {
      // Once a stall, and beside the waiting: a callback may take its time, clear the queue, or enqueue itself. Its
      // error ends the waiting; if there was room before it came, it is printed. A stall begins when a frame finds no
      // room, and ends when one of those that wait is stored.
      if (place.isFirst) tell();
      if (await place.first(deadline - performance.now(), wait.signal)) {
        taken = await this.#session.consumed.until(
          (waited) => {
            this.#session.assertOpen();
            told?.throwIfFailed();
            verify();
            const sequence = this.#claim();
            if (sequence < 0) {
              if (!this.#isStalled) tell();
              return undefined;
            }
            this.#isStalled = false;
            waited.came();
            const value = take(sequence);
            told?.leave(); // from here on nothing may throw: what was taken would be lost
            return { value };
          },
          () => attachment.recover(),
          this.#pace,
          { ...wait, timeoutMs: Math.max(0, deadline - performance.now()) },
        );
      }
      if (taken === undefined) this.#session.assertOpen();
    } finally {
      place.leave();
      told?.leave();
    }
    return taken?.value;
  }

  /** Calls the user's callback, if there is one; it may be asynchronous. @param failed called when it has thrown */
  #tell(frameNumber: number | undefined, failed: () => void = () => {}): Told | undefined {
    const { attachment, closing, name } = this.#session;
    const callback = this.#onBackpressure;
    if (callback === undefined) return undefined;
    return new Told(name, () => callback(backpressureEvent(attachment, frameNumber)), failed, closing);
  }

  /** @throws {DepotError} CLOSED */
  assertOpen(): void {
    this.#session.assertOpen();
  }

  /**
   * Says, within a tick, that no more frames are taken (N1, T7), to what waits for something else than this depot.
   *
   * @returns stops it
   */
  watchEnd(tell: (error: unknown) => void): () => void {
    const session = this.#session;
    const { mapping, room } = session.attachment;
    const timer = setInterval(() => {
      if (session.closed) return;
      try {
        session.attachment.recover();
        if (room.end() !== undefined) tell(session.endedError());
      } catch (error) {
        tell(error);
      }
    }, SLICE_MS);
    mapping.unref(timer);
    return () => clearInterval(timer);
  }

  /** Aborted when the depot object begins to close: ends what waits for a source. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends the waits of a depot object that is being closed. */
  close(): void {
    this.#line.end();
    this.#closing.abort(this.#session.closedError());
  }
}
