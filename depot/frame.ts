/**
 * Frames to read and slots to write: leases on shared memory.
 *
 * @module
 */
import { TIME } from "../ffi/shim.ts";
import { ELEMENT_BYTES } from "../ring/geometry.ts";
import type { Reader } from "../ring/reader.ts";
import type { Attachment } from "../ring/segment.ts";
import { OUTLIVE, type Remains } from "./lease.ts";
import { checkFrameNumber, type ElementType, type FrameData } from "./options.ts";
import { checkMetadata, checkTimestamp } from "./payload.ts";
import { CONSTRUCTORS, SlotMemory } from "./slot_memory.ts";

/**
 * One frame, leased: as long as it is held no process overwrites it. It is shared memory, not a copy; after
 * {@linkcode Frame.release} every view of it is empty (length 0), so what is read is never torn.
 *
 * @example A lease ends with its scope
 * ```ts
 * import { FramesDepot } from "@frames-depot/frames-depot";
 * import { assertEquals } from "@std/assert";
 *
 * await using depot = await FramesDepot.create("doc-frame", { frameSize: [4, 2, 3] });
 * await depot.enqueue({ frameNumber: 5, frame: new Uint8Array(24).fill(7) });
 * {
 *   using frame = depot.getFrame(5);
 *   assertEquals(frame?.data[23], 7);
 * }
 * ```
 */
export class Frame implements Disposable {
  /** The user's number. */
  readonly frameNumber: number;
  /** The ring's number: grows by one from frame to frame, with gaps where a number was burned. */
  readonly sequence: number;
  /** Frames that this reader missed between the frame before and this one. Always 0 for lookups. */
  readonly lost: number;
  readonly #attachment: Attachment;
  readonly #reader: Reader;
  readonly #slot: number;
  readonly #timestampLow: number;
  readonly #timestampHigh: number;
  /** Whether the reader's cursor passes the frame when the lease ends. */
  readonly #passes: boolean;
  #memory: SlotMemory | undefined;
  #remains: Remains | undefined;
  #released = false;

  /** Made by a depot, over a slot that `reader` has pinned. */
  constructor(
    attachment: Attachment,
    reader: Reader,
    slot: number,
    sequence: number,
    frameNumber: number,
    lost: number,
    passes: boolean,
  ) {
    this.frameNumber = frameNumber;
    this.sequence = sequence;
    this.lost = lost;
    this.#attachment = attachment;
    this.#reader = reader;
    this.#slot = slot;
    this.#timestampLow = reader.timestampLow(slot);
    this.#timestampHigh = reader.timestampHigh(slot);
    this.#passes = passes;
  }

  /** The frame's elements over the shared memory itself; length 0 once released. Do not write. */
  get data(): FrameData {
    this.#memory ??= new SlotMemory(this.#attachment, this.#slot, this.#released);
    return this.#memory.data(this);
  }

  /** The user's bytes beside the frame, as many as were given; length 0 once released. */
  get metadata(): Uint8Array<ArrayBuffer> {
    const { metadataBytes } = this.#attachment.geometry;
    const length = this.#released ? 0 : this.#reader.metadataLength(this.#slot, metadataBytes);
    this.#memory ??= new SlotMemory(this.#attachment, this.#slot, this.#released);
    return this.#memory.metadata(this, length);
  }

  /** Nanoseconds: as given with the frame, or since 1970 when it was published. */
  get timestampNs(): bigint {
    return (BigInt(this.#timestampHigh >>> 0) << 32n) | BigInt(this.#timestampLow >>> 0);
  }

  /** Pixels. */
  get width(): number {
    return this.#attachment.geometry.width;
  }

  /** Pixels. */
  get height(): number {
    return this.#attachment.geometry.height;
  }

  /** Elements per pixel. */
  get channels(): number {
    return this.#attachment.geometry.channels;
  }

  /** What an element is. */
  get elementType(): ElementType {
    return this.#attachment.geometry.elementType;
  }

  /** The depot's label, empty if it has none. */
  get pixelFormat(): string {
    return this.#attachment.geometry.pixelFormat;
  }

  /** Whether the lease has ended. */
  get released(): boolean {
    return this.#released;
  }

  /**
   * A copy of the elements in memory of your own.
   *
   * @throws {TypeError} when the frame has been released
   */
  copy(): FrameData {
    this.#assertHeld();
    const { elementType, frameBytes } = this.#attachment.geometry;
    return this.copyTo(new CONSTRUCTORS[elementType](frameBytes / ELEMENT_BYTES[elementType]));
  }

  /**
   * Copies the elements into an array that you keep for it: faster than {@linkcode Frame.copy}, which allocates.
   *
   * @param destination of the same element type, or bytes; at least as long as the frame
   * @throws {TypeError} when the frame has been released @throws {RangeError} when the destination is too short
   */
  copyTo<T extends FrameData | Uint8Array>(destination: T): T {
    this.#assertHeld();
    const { elementType, frameBytes } = this.#attachment.geometry;
    const View = CONSTRUCTORS[elementType];
    if (!(destination instanceof Uint8Array || destination instanceof View)) {
      throw new TypeError(`destination must be a ${View.name} or a Uint8Array`);
    }
    if (destination.byteLength < frameBytes) {
      throw new RangeError(
        `destination must have at least ${frameBytes} bytes, those of a frame: ${destination.byteLength}`,
      );
    }
    // Not through a view: making one and detaching it costs more than a small copy.
    const bytes = new Uint8Array(destination.buffer, destination.byteOffset, frameBytes);
    this.#attachment.payload.read(this.#slot, bytes);
    return destination;
  }

  #assertHeld(): void {
    if (this.#released) throw new TypeError(`frame ${this.frameNumber} has been released`);
  }

  /** Ends the lease: every view of the frame is detached. A second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#remains !== undefined) this.#remains.ended = true;
    this.#memory?.give();
    if (this.#passes) this.#reader.unpinAndPass(this.#slot, this.sequence + 1);
    else this.#reader.unpin(this.#slot);
  }

  /** What to do if the frame is forgotten. @internal */
  [OUTLIVE](): { what: string; ended: boolean; end: () => void } {
    const [reader, slot] = [this.#reader, this.#slot];
    return this.#remains = { what: `frame ${this.frameNumber}`, ended: false, end: () => reader.unpin(slot) };
  }

  /** {@linkcode Frame.release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}

/** What may be said of a frame at the moment it is claimed or published. */
export type FrameDetails = {
  /** Any safe integer; left out, the frame's sequence is its number. */
  frameNumber?: number;
  /** Nanoseconds, 0 to 2^64 - 1; left out, the time of publishing since 1970. */
  timestampNs?: bigint | number;
  /** At most the depot's `metadataBytes`. */
  metadata?: Uint8Array;
};

const NOTHING_SAID: FrameDetails = {};

/**
 * A slot to write a frame into, without a copy. Nobody sees it before {@linkcode FrameSlot.publish}; leaving the scope
 * of a `using` declaration without it gives the slot back.
 *
 * @example Drawing straight into shared memory
 * ```ts
 * import { FramesDepot } from "@frames-depot/frames-depot";
 * import { assertEquals } from "@std/assert";
 *
 * await using depot = await FramesDepot.create("doc-slot", { frameSize: [4, 2, 3] });
 * {
 *   using slot = depot.tryClaim({ frameNumber: 8 });
 *   slot?.data.fill(200);
 *   slot?.publish();
 * }
 * using frame = depot.getFrame(8);
 * assertEquals(frame?.data[0], 200);
 * ```
 */
export class FrameSlot implements Disposable {
  /** The ring's number of the frame to be. */
  readonly sequence: number;
  readonly #attachment: Attachment;
  #frameNumber: number | undefined;
  #timestampNs: bigint | number | undefined;
  #given: Uint8Array | undefined;
  #memory: SlotMemory | undefined;
  #remains: Remains | undefined;
  #released = false;

  /** Made by a depot, over a sequence that it has claimed, with details that it has checked. */
  constructor(attachment: Attachment, sequence: number, details: FrameDetails) {
    this.sequence = sequence;
    this.#attachment = attachment;
    this.#frameNumber = details.frameNumber;
    this.#timestampNs = details.timestampNs;
    this.#given = details.metadata;
  }

  #slotMemory(): SlotMemory {
    const { producer } = this.#attachment;
    return this.#memory ??= new SlotMemory(this.#attachment, producer.slotOf(this.sequence), this.#released);
  }

  /** The slot's elements over the shared memory itself, with what an older frame left in them; length 0 afterwards. */
  get data(): FrameData {
    return this.#slotMemory().data(this);
  }

  /** All `metadataBytes` of the slot, to be written in place; length 0 afterwards. */
  get metadata(): Uint8Array<ArrayBuffer> {
    return this.#slotMemory().metadata(this, this.#attachment.geometry.metadataBytes);
  }

  /** The number that the frame will have. */
  get frameNumber(): number {
    return this.#frameNumber ?? this.sequence;
  }

  /** Whether the slot has been published or given back. */
  get released(): boolean {
    return this.#released;
  }

  /**
   * Makes the frame visible to every process and detaches the views.
   *
   * @param details what was not said, or said otherwise, when claiming. Metadata left out is what was written into
   *   {@linkcode FrameSlot.metadata}, or nothing if that was never touched
   * @throws {TypeError} when the slot has been published or given back @throws {RangeError} see {@linkcode FrameDetails}
   */
  publish(details: FrameDetails = NOTHING_SAID): void {
    if (this.#released) throw new TypeError(`slot ${this.sequence} has been published or given back`);
    if (details !== NOTHING_SAID) this.#say(details);
    const { sequence } = this;
    const metadataLength = this.#given === undefined && this.#memory === undefined ? 0 : this.#putMetadata();
    this.#end();
    this.#attachment.producer.publish(
      sequence,
      this.#frameNumber ?? sequence,
      this.#timestampNs ?? TIME.NOW,
      metadataLength,
    );
  }

  #say({ frameNumber, timestampNs, metadata }: FrameDetails): void {
    const number = frameNumber === undefined ? this.#frameNumber : checkFrameNumber(frameNumber);
    const time = timestampNs === undefined ? this.#timestampNs : checkTimestamp(timestampNs);
    if (metadata !== undefined) this.#given = checkMetadata(metadata, this.#attachment.geometry.metadataBytes);
    this.#frameNumber = number;
    this.#timestampNs = time;
  }

  #putMetadata(): number {
    const { producer, payload, geometry } = this.#attachment;
    if (this.#given !== undefined) return payload.writeMetadata(producer.slotOf(this.sequence), this.#given);
    return this.#memory?.lentMetadata ? geometry.metadataBytes : 0;
  }

  /** Gives the slot back without a frame, unless it has been published. */
  release(): void {
    if (this.#released) return;
    this.#end();
    this.#attachment.producer.giveBack(this.sequence);
  }

  #end(): void {
    this.#released = true;
    if (this.#remains !== undefined) this.#remains.ended = true;
    this.#memory?.give();
  }

  /** What to do if the slot is forgotten. @internal */
  [OUTLIVE](): { what: string; ended: boolean; end: () => void } {
    const [producer, sequence] = [this.#attachment.producer, this.sequence];
    return this.#remains = { what: `slot ${sequence}`, ended: false, end: () => producer.giveBack(sequence) };
  }

  /** {@linkcode FrameSlot.release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}
