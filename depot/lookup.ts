/**
 * Asking for frames by number: getFrame, peekFrame, statusOf.
 *
 * @module
 */
import { FrameIndex } from "../ring/frame_index.ts";
import { FATE } from "../ring/fate.ts";
import type { Reader } from "../ring/reader.ts";
import { Frame } from "./frame.ts";
import { checkFrameNumber } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * What is known of a frame number: it is in the queue; it was and is no more (consumed by this depot object, cleared,
 * or overwritten); it is above all seen; or it is a gap.
 */
export type FrameStatus = "stored" | "evicted" | "pending" | "missing";

/** How long a frame is tried for whose slot a producer touches at this moment: it may have lost its core there. */
const PIN_MS = 5;
/** Tries between two looks at the clock. */
const PIN_TRIES = 100;

/** The looking-up side of one depot object: one reader entry and one index, made when first needed. */
export class Lookup {
  readonly #session: Session;
  #reader: Reader | undefined;
  #index: FrameIndex | undefined;
  /** Sequences beyond the cursor that were consumed because their number was small enough. */
  readonly #consumedAhead = new Set<number>();

  constructor(session: Session) {
    this.#session = session;
  }

  #tools(): { reader: Reader; index: FrameIndex } {
    const { room, geometry } = this.#session.attachment;
    this.#reader ??= this.#session.reader("lookup");
    this.#index ??= new FrameIndex(this.#reader, room, geometry);
    this.#index.refresh();
    return { reader: this.#reader, index: this.#index };
  }

  /** As {@linkcode FramesDepot.getFrame}. */
  get(frameNumber: number): Frame | undefined {
    this.#session.assertOpen();
    const number = checkFrameNumber(frameNumber);
    const { reader, index } = this.#tools();
    if (!reader.gating) this.#startGating(reader, index);
    const frame = this.#lease(reader, index, number);
    this.#consume(reader, index, number);
    return frame;
  }

  #startGating(reader: Reader, index: FrameIndex): void {
    reader.startGating(0);
    index.refresh();
  }

  /** As {@linkcode FramesDepot.peekFrame}. */
  peek(frameNumber: number): Frame | undefined {
    this.#session.assertOpen();
    const number = checkFrameNumber(frameNumber);
    const { reader, index } = this.#tools();
    return this.#lease(reader, index, number);
  }

  /** As {@linkcode FramesDepot.statusOf}. */
  statusOf(frameNumber: number): FrameStatus {
    this.#session.assertOpen();
    const number = checkFrameNumber(frameNumber);
    const { reader, index } = this.#tools();
    const sequence = index.sequenceOf(number);
    if (sequence === undefined) return index.stateOf(number);
    return this.#isQueued(reader, sequence) && reader.fate(sequence, false) === FATE.THERE ? "stored" : "evicted";
  }

  /** Passes what the ring has overwritten or cleared meanwhile, so that the count of waiting frames is exact. */
  settle(): void {
    if (this.#reader?.gating && this.#index !== undefined) this.#consume(this.#reader, this.#index, -Infinity);
  }

  /** Whether neither clearQueue nor this depot object's own getFrame has taken a sequence out. */
  #isQueued(reader: Reader, sequence: number): boolean {
    if (sequence < this.#session.attachment.room.cleared()) return false;
    return !reader.gating || (sequence >= reader.cursor && !this.#consumedAhead.has(sequence));
  }

  #lease(reader: Reader, index: FrameIndex, number: number): Frame | undefined {
    const sequence = index.sequenceOf(number);
    if (sequence === undefined || !this.#isQueued(reader, sequence)) return undefined;
    if (!this.#pin(reader, sequence)) return undefined;
    const slot = reader.slotOf(sequence);
    if (reader.frameNumber(slot) !== number) {
      reader.unpin(slot);
      return undefined;
    }
    reader.countRead();
    const frame = new Frame(this.#session.attachment, reader, slot, sequence, number + 0, 0, false); // never -0
    this.#session.leases.watch(frame);
    return frame;
  }

  #pin(reader: Reader, sequence: number): boolean {
    let deadline = 0;
    for (let tries = 1; !reader.pin(sequence); tries++) {
      const late = tries % PIN_TRIES === 0;
      if (reader.fate(sequence, late) !== FATE.THERE) return false;
      if (!late) continue;
      if (deadline === 0) deadline = performance.now() + PIN_MS;
      else if (performance.now() > deadline) return false;
    }
    return true;
  }

  /** Passes every frame numbered up to `number`. The cursor moves past what has been consumed without a gap. */
  #consume(reader: Reader, index: FrameIndex, number: number): void {
    const { room, geometry } = this.#session.attachment;
    const head = room.head();
    // In an overwriting depot the ring may have gone on without us.
    let cursor = Math.max(reader.cursor, room.cleared(), head - geometry.maxSize);
    let beyond = index.isAscendingFrom(cursor) ? head : cursor;
    for (; cursor < head; cursor++) {
      const known = index.numberOf(cursor);
      if (known !== undefined ? known <= number : reader.fate(cursor, false) === FATE.GONE) continue;
      if (this.#consumedAhead.has(cursor)) continue;
      // A slot still being written holds the cursor up, but not what comes after it.
      if (known === undefined) beyond = cursor;
      break;
    }
    for (let sequence = Math.max(beyond, cursor); sequence < head; sequence++) {
      if ((index.numberOf(sequence) ?? Infinity) <= number) this.#consumedAhead.add(sequence);
    }
    if (cursor !== reader.cursor) reader.advance(cursor);
    if (this.#consumedAhead.size === 0) return;
    for (const sequence of this.#consumedAhead) if (sequence < cursor) this.#consumedAhead.delete(sequence);
    reader.setAhead(this.#consumedAhead.size);
  }
}
