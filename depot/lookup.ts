/**
 * Asking for frames by number: getFrame, peekFrame, statusOf.
 *
 * @module
 */
import { Finder } from "../ring/finder.ts";
import { Frame } from "./frame.ts";
import { checkFrameNumber } from "./checks.ts";
import type { ElementType } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * What is known of a frame number: it is in the queue; it was and is no more (consumed by this depot object, cleared,
 * or overwritten); it is above all seen; or it is a gap.
 */
export type FrameStatus = "stored" | "evicted" | "pending" | "missing";

/** The looking-up side of one depot object. */
export class Lookup<E extends ElementType> {
  readonly #session: Session;
  /** Made when first needed: it takes an entry of the reader table. */
  #made: Finder | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  get #finder(): Finder {
    return this.#made ??= new Finder(this.#session.attachment);
  }

  /** As {@linkcode FramesDepot.getFrame}. */
  get(frameNumber: number): Frame<E> | undefined {
    const number = checkFrameNumber(frameNumber);
    this.#session.assertOpen();
    this.#finder.gate();
    const frame = this.#lease(number);
    this.#finder.consume(number);
    return frame;
  }

  /** As {@linkcode FramesDepot.peekFrame}. */
  peek(frameNumber: number): Frame<E> | undefined {
    const number = checkFrameNumber(frameNumber);
    this.#session.assertOpen();
    return this.#lease(number);
  }

  #lease(number: number): Frame<E> | undefined {
    const { reader } = this.#finder;
    const sequence = this.#finder.pin(number);
    if (sequence < 0) return undefined;
    const { attachment, leases } = this.#session;
    const frame = new Frame<E>(attachment, reader, reader.slotOf(sequence), sequence, number + 0, 0, false); // never -0
    leases.watch(frame);
    return frame;
  }

  /** As {@linkcode FramesDepot.statusOf}. */
  statusOf(frameNumber: number): FrameStatus {
    const number = checkFrameNumber(frameNumber);
    this.#session.assertOpen();
    return this.#finder.statusOf(number);
  }

  /** Passes what the ring has overwritten or cleared meanwhile, so that the count of waiting frames is exact. */
  settle(): void {
    this.#made?.settle();
  }
}
