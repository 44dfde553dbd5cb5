/**
 * Asking for frames by number or time, or for the newest one.
 *
 * @module
 */
import { Finder } from "../ring/finder.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { Pace } from "../ring/pace.ts";
import { checkFrameNumber, checkTimestamp, checkWait, checkWithin } from "./checks.ts";
import { Frame } from "./frame.ts";
import { checkNames, PEEK_NAMES, WAIT_NAMES } from "./option_names.ts";
import type { ElementType, PeekAtOptions } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * What is known of a frame number.
 *
 * - `stored`: it is in the queue
 * - `evicted`: it was, and is no more: consumed by this depot object, cleared, or overwritten
 * - `pending`: it is above all seen, and may still come
 * - `missing`: no frame has it: it is a gap, below the first, or above all seen in a depot that takes no more frames
 */
export type FrameStatus = "stored" | "evicted" | "pending" | "missing";

/** The looking-up side of one depot object. */
export class Lookup<E extends ElementType> {
  readonly #session: Session;
  /** Made when first needed: it takes an entry of the reader table. */
  #made: Finder | undefined;

  readonly #pace = new Pace();

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
    if (frame !== undefined) this.#finder.consume(number);
    return frame;
  }

  /** As {@linkcode FramesDepot.peekFrame}. */
  peek(frameNumber: number): Frame<E> | undefined {
    const number = checkFrameNumber(frameNumber);
    this.#session.assertOpen();
    return this.#lease(number);
  }

  /** As {@linkcode FramesDepot.latest}. */
  latest(): Frame<E> | undefined {
    this.#session.assertOpen();
    this.#finder.attach();
    return this.#leased(this.#finder.pinNewest());
  }

  /** As {@linkcode FramesDepot.peekAt}. */
  peekAt(timestampNs: bigint | number, options: PeekAtOptions): Frame<E> | undefined {
    const wanted = BigInt(checkTimestamp(timestampNs));
    const within = checkWithin(options);
    checkNames("peekAt", options, PEEK_NAMES);
    this.#session.assertOpen();
    this.#finder.attach();
    return this.#leased(this.#finder.pinNearest(Number(wanted & 0xffffffffn), Number(wanted >> 32n), within));
  }

  /** As {@linkcode FramesDepot.waitFor}. */
  async waitFor(frameNumber: number, options: WaitOptions): Promise<Frame<E> | undefined> {
    const number = checkFrameNumber(frameNumber);
    const wait = checkWait(options);
    checkNames("waitFor", options, WAIT_NAMES);
    this.#session.assertOpen();
    this.#finder.attach();
    const found = await this.#session.published.until(
      () => this.#lease(number) ?? (this.#finder.mayCome(number) ? undefined : "evicted"),
      () => this.#session.attachment.recover(),
      this.#pace,
      wait,
    );
    if (found === undefined) this.#session.assertOpen();
    return found === "evicted" ? undefined : found;
  }

  #lease(number: number): Frame<E> | undefined {
    return this.#leased(this.#finder.pin(number));
  }

  /** @param sequence of a frame that has been pinned; negative where there is none */
  #leased(sequence: number): Frame<E> | undefined {
    if (sequence < 0) return undefined;
    const { reader } = this.#finder;
    const { attachment, leases } = this.#session;
    const slot = reader.slotOf(sequence);
    const known = { sequence, frameNumber: reader.frameNumber(slot), lost: 0, redelivered: false };
    const frame = new Frame<E>(attachment, reader, slot, known, false);
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
