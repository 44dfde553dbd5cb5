/**
 * What is read from an open depot: loops, streams and look-ups.
 *
 * @module
 */
import { queueLength } from "../ring/counters.ts";
import type { WaitOptions } from "../ring/lane.ts";
import type { Frame } from "./frame.ts";
import { type FrameStatus, Lookup } from "./lookup.ts";
import { OpenDepot } from "./open_depot.ts";
import type { ElementType, FramesOptions, PeekAtOptions } from "./options.ts";
import type { Session } from "./session.ts";
import { FrameReader } from "./stream.ts";
import { readableOf } from "./web_streams.ts";

/** The reading side of an open depot. {@linkcode FramesDepot} is the one there is. */
export abstract class ReadableDepot<E extends ElementType = ElementType> extends OpenDepot<E> {
  readonly #session: Session;
  readonly #lookup: Lookup<E>;

  /**
   * Made by its subclass.
   *
   * @ignore
   */
  constructor(session: Session) {
    super(session);
    this.#session = session;
    this.#lookup = new Lookup(session);
  }

  /**
   * Returns the frame of that number, and consumes every frame numbered up to it; without such a frame it consumes
   * nothing. From the first call on, this depot object is a lossless reader: producers wait until it has consumed.
   *
   * @returns undefined when there is none in the queue; {@linkcode FramesDepot.statusOf} tells why
   * @throws {TypeError | RangeError} unless it is a safe integer @throws {DepotError} CLOSED, TOO_MANY_PEERS
   */
  getFrame(frameNumber: number): Frame<E> | undefined {
    return this.#lookup.get(frameNumber);
  }

  /**
   * The frame of that number. Unlike {@linkcode FramesDepot.getFrame} it consumes nothing, and no producer waits for
   * it. The first look-up of a depot object takes one of the depot's `maxReaders`.
   *
   * @returns undefined when there is none in the queue; {@linkcode FramesDepot.statusOf} tells why
   * @throws {TypeError | RangeError} unless it is a safe integer @throws {DepotError} CLOSED, TOO_MANY_PEERS
   */
  peekFrame(frameNumber: number): Frame<E> | undefined {
    return this.#lookup.peek(frameNumber);
  }

  /**
   * The newest frame, also if this depot object has consumed it. From the first call on, this depot object counts as an
   * attached reader that no producer waits for: a depot that drops then stays live without a lossless reader.
   *
   * @returns undefined when there is none
   * @throws {DepotError} CLOSED, TOO_MANY_PEERS
   *
   * @example A picture on request
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-latest", { frameSize: [4, 2, 3] });
   * for (const n of [1, 2]) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(24).fill(n) });
   * using frame = depot.latest();
   * assertEquals(frame?.data[0], 2);
   * ```
   */
  latest(): Frame<E> | undefined {
    return this.#lookup.latest();
  }

  /**
   * The frame of that number, once it is there. It consumes nothing. This depot object counts as an attached reader, as
   * with {@linkcode FramesDepot.latest}.
   *
   * @param options what ends the waiting; default: nothing
   * @returns undefined when the time is up, and at once when the frame has come and gone, or when the depot has ended
   *   and it is not among what is left
   * @throws {TypeError | RangeError} unless it is a safe integer
   * @throws {DepotError} CLOSED, also when the depot object is closed meanwhile, TOO_MANY_PEERS
   * @throws the reason of the `signal`
   */
  waitFor(frameNumber: number, options: WaitOptions = {}): Promise<Frame<E> | undefined> {
    return this.#lookup.waitFor(frameNumber, options);
  }

  /**
   * The frame whose `timestampNs` is nearest, of two equally near the newer one. It looks at every slot; distances from
   * 2^53 nanoseconds on (104 days) are rounded. This depot object counts as an attached reader, as with
   * {@linkcode FramesDepot.latest}, and frames that it has consumed are found, too.
   *
   * @param timestampNs nanoseconds, 0 to 2^64 - 1
   * @returns undefined when there is none within the limit
   * @throws {TypeError | RangeError} for wrong arguments @throws {DepotError} CLOSED, TOO_MANY_PEERS
   */
  peekAt(timestampNs: bigint | number, options: PeekAtOptions = {}): Frame<E> | undefined {
    return this.#lookup.peekAt(timestampNs, options);
  }

  /**
   * What is known of a frame number.
   *
   * @throws {TypeError | RangeError} unless it is a safe integer @throws {DepotError} CLOSED, TOO_MANY_PEERS
   */
  statusOf(frameNumber: number): FrameStatus {
    return this.#lookup.statusOf(frameNumber);
  }

  /**
   * A reader with its own place in the queue, for `for await`. It takes its place at once, and each frame is released
   * when the next one is asked for.
   *
   * @throws {TypeError | RangeError} for wrong options, and for another `from` than that of the `group`
   * @throws {DepotError} CLOSED, TOO_MANY_PEERS; with a `group` also NOT_READY (its membership was being changed for
   *   two seconds)
   *
   * @example Work that is shared
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-group", { frameSize: [4, 2, 3] });
   * for (const n of [1, 2, 3]) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(24) });
   * using a = depot.frames({ group: "detectors" }); // in one process
   * using b = depot.frames({ group: "detectors" }); // in another
   * assertEquals([a, b, a].map((reader) => reader.tryNext()?.frameNumber), [1, 2, 3]);
   * ```
   */
  frames(options: FramesOptions = {}): FrameReader<E> {
    return new FrameReader(this.#session, options);
  }

  /**
   * The frames as a stream. Each belongs to its reader, as WebCodecs' `VideoFrame` does: `release()` or `using` ends
   * its lease. So they can be piped, kept, and read ahead by others; each branch of `tee()` gets a lease of its own.
   *
   * @throws as {@linkcode FramesDepot.frames}
   */
  readable(options: FramesOptions = {}): ReadableStream<Frame<E>> {
    return readableOf(this.frames(options));
  }

  /** Frames that wait for the slowest lossless reader or, while there is none, for one to come. 0 once closed. */
  get length(): number {
    if (this.#session.closed) return 0;
    this.#lookup.settle();
    return queueLength(this.#session.attachment);
  }
}
