/**
 * Putting frames in: one copy (enqueue) or none (claim), and what happens when there is no room.
 *
 * @module
 */
import { TIME } from "../ffi/shim.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { Pace } from "../ring/pace.ts";
import { EXHAUSTED, FULL } from "../ring/producer.ts";
import { DepotError } from "./errors.ts";
import { FrameSlot } from "./frame.ts";
import type { FrameDetails } from "./frame.ts";
import { checkFrameNumber, checkWait, type OnBackpressure } from "./options.ts";
import { checkFrame, checkMetadata, checkTimestamp } from "./payload.ts";
import type { Session } from "./session.ts";
import { backpressureEvent, droppedFrames } from "./stats.ts";

/** What {@linkcode FramesDepot.enqueue} takes. */
export type FrameInput = FrameDetails & {
  /** The depot's `frameBytes` as an array of its element type, or as bytes. */
  frame: ArrayBufferView<ArrayBufferLike> | ArrayBuffer;
};

/** What became of a frame. */
export type EnqueueResult =
  | { state: "stored"; sequence: number }
  | { state: "dropped"; droppedFrames: number }
  | { state: "timeout" };

/** At most so often a producer that finds no room asks the kernel whether somebody died. */
const RECOVER_EVERY_MS = 100;

/** The producing side of one depot object. */
export class Intake {
  readonly #session: Session;
  readonly #onBackpressure: OnBackpressure | undefined;
  /** Those who wait for room, in the order they came: only the first may take it. */
  readonly #queue: symbol[] = [];
  #lastRecovery = -Infinity;
  readonly #pace = new Pace();

  constructor(session: Session, onBackpressure: OnBackpressure | undefined) {
    this.#session = session;
    this.#onBackpressure = onBackpressure;
  }

  /** As {@linkcode FramesDepot.enqueue}. */
  async enqueue(input: FrameInput, options: WaitOptions): Promise<EnqueueResult> {
    const { attachment } = this.#session;
    this.#session.assertOpen();
    if (typeof input !== "object" || input === null) throw new TypeError("enqueue takes an object with a frame");
    const bytes = checkFrame(input.frame, attachment.geometry);
    const checked = this.#check(input);
    const wait = checkWait(options);
    const sequence = this.#queue.length === 0 ? this.#claim() : FULL;
    if (sequence >= 0) {
      const stored = this.#store(sequence, bytes, checked);
      if (this.#session.turns.due()) await this.#session.turns.take();
      return stored;
    }
    const stored = await this.#whenFull(
      checked.frameNumber,
      wait,
      (sequence) => this.#store(sequence, bytes, checked),
      () => {
        // Resized or transferred meanwhile: said before anything is claimed.
        if (bytes.length === attachment.geometry.frameBytes) return;
        throw new TypeError(`frame must not change while it waits: it has ${bytes.length} bytes now`);
      },
    );
    return stored ?? { state: "timeout" };
  }

  /** As {@linkcode FramesDepot.tryEnqueue}. */
  tryEnqueue(input: FrameInput): EnqueueResult | undefined {
    this.#session.assertOpen();
    const bytes = checkFrame(input.frame, this.#session.attachment.geometry);
    const checked = this.#check(input);
    const sequence = this.#queue.length === 0 ? this.#claim() : FULL;
    return sequence < 0 ? undefined : this.#store(sequence, bytes, checked);
  }

  /** As {@linkcode FramesDepot.tryClaim}. */
  tryClaim(details: FrameDetails): FrameSlot | undefined {
    this.#session.assertOpen();
    const checked = this.#check(details);
    const sequence = this.#queue.length === 0 ? this.#claim() : FULL;
    return sequence < 0 ? undefined : this.#slot(sequence, checked);
  }

  /** As {@linkcode FramesDepot.claim}. */
  async claim(details: FrameDetails, options: WaitOptions): Promise<FrameSlot | undefined> {
    this.#session.assertOpen();
    const checked = this.#check(details);
    const wait = checkWait(options);
    const sequence = this.#queue.length === 0 ? this.#claim() : FULL;
    if (sequence >= 0) {
      const slot = this.#slot(sequence, checked);
      if (this.#session.turns.due()) await this.#session.turns.take();
      return slot;
    }
    let taken: FrameSlot | undefined;
    try {
      await this.#whenFull(checked.frameNumber, wait, (sequence) => taken = this.#slot(sequence, checked));
    } catch (error) {
      taken?.release(); // nobody else will: the caller gets the error instead
      throw error;
    }
    return taken;
  }

  #check({ frameNumber, timestampNs, metadata }: FrameDetails): FrameDetails {
    return {
      frameNumber: frameNumber === undefined ? undefined : checkFrameNumber(frameNumber),
      timestampNs: timestampNs === undefined ? undefined : checkTimestamp(timestampNs),
      metadata: metadata === undefined
        ? undefined
        : checkMetadata(metadata, this.#session.attachment.geometry.metadataBytes),
    };
  }

  #slot(sequence: number, details: FrameDetails): FrameSlot {
    const slot = new FrameSlot(this.#session.attachment, sequence, details);
    this.#session.leases.watch(slot);
    return slot;
  }

  #store(sequence: number, bytes: Uint8Array, details: FrameDetails): EnqueueResult {
    const { producer, payload } = this.#session.attachment;
    const slot = producer.slotOf(sequence);
    payload.write(slot, bytes);
    const { frameNumber = sequence, timestampNs = TIME.NOW, metadata } = details;
    const metadataLength = metadata === undefined ? 0 : payload.writeMetadata(slot, metadata);
    producer.publish(sequence, frameNumber, timestampNs, metadataLength);
    return { state: "stored", sequence };
  }

  /** One try, and a second one if the room was held by the dead. */
  #claim(): number {
    const sequence = this.#session.attachment.producer.claim();
    return sequence >= 0 ? sequence : this.#whenRefused(sequence);
  }

  #whenRefused(sequence: number): number {
    const { producer, peers } = this.#session.attachment;
    if (sequence === FULL && performance.now() - this.#lastRecovery > RECOVER_EVERY_MS) {
      this.#lastRecovery = performance.now();
      if (peers.recoverDead() > 0) sequence = producer.claim();
    }
    if (sequence === EXHAUSTED) {
      throw new DepotError("UNSUPPORTED", `depot "${this.#session.name}" has used its last sequence, 2^53 - 2`, {
        depot: this.#session.name,
      });
    }
    return sequence;
  }

  /**
   * No room: refuses the frame or waits, by the depot's policy.
   *
   * @param verify throws if what is to be taken cannot be any more
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
    if (attachment.geometry.whenFull !== "wait") {
      attachment.producer.countDropped();
      const refused = { state: "dropped", droppedFrames: droppedFrames(attachment) } as const;
      await this.#onBackpressure?.(backpressureEvent(attachment, frameNumber));
      return refused;
    }
    const ticket = Symbol();
    this.#queue.push(ticket);
    let told: Promise<void> | undefined;
    let failure: { error: unknown } | undefined;
    let taken: { value: T } | undefined;
    try {
      // Once a stall, and beside the waiting: a callback may take its time, clear the queue, or enqueue itself. Its
      // error ends the waiting, and is never swallowed: if there was room before it came, the frame is stored all the same.
      if (this.#queue.length === 1) {
        const answer = this.#onBackpressure?.(backpressureEvent(attachment, frameNumber));
        told = Promise.resolve(answer).catch((error) => {
          failure = { error };
          this.#session.consumed.nudge();
        });
      }
      taken = await this.#session.consumed.until(
        (waited) => {
          if (this.#session.closed) throw this.#session.closedError();
          if (failure !== undefined) throw failure.error;
          if (this.#queue[0] !== ticket) return undefined;
          verify();
          const sequence = this.#claim();
          if (sequence < 0) return undefined;
          waited.came();
          return { value: take(sequence) };
        },
        () => attachment.peers.recoverDead(),
        this.#pace,
        wait,
      );
      if (taken === undefined && this.#session.closed) throw this.#session.closedError();
    } finally {
      this.#queue.splice(this.#queue.indexOf(ticket), 1);
      this.#session.consumed.nudge();
      await told;
    }
    if (failure !== undefined) throw (failure as { error: unknown }).error;
    return taken?.value;
  }
}
