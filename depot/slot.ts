/**
 * A slot to write a frame into: a lease on shared memory.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { TIME } from "../ffi/constants.ts";
import type { Attachment } from "../ring/attachment.ts";
import { ELEMENT_BYTES } from "../ring/geometry.ts";
import type { Returned } from "../ring/payload.ts";
import { type ByteSource, Feed } from "./byte_source.ts";
import {
  checkByteLength,
  checkDetails,
  checkInteger,
  checkLastFrame,
  checkObject,
  checkWait,
  NOTHING_SAID,
} from "./checks.ts";
import { outlives, type Remains } from "./lease.ts";
import { checkNames, type Names, PUBLISH_NAMES } from "./option_names.ts";
import type { ElementType, FrameData, FrameDetails, PublishDetails } from "./options.ts";
import { sessionOf } from "./session.ts";
import { CONSTRUCTORS, type Plane } from "./planes.ts";
import { SlotMemory } from "./slot_memory.ts";

/** What bounds {@linkcode FrameSlot.fillFrom}. */
export interface FillOptions {
  /** Ends the filling; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

const FILL_NAMES: Names<FillOptions> = { signal: true };

/** What {@linkcode FrameSlot.fillFrom} has put in, and what ends the call that is under way. */
type Filling = { bytes: number; underWay: AbortController | undefined };

/**
 * A slot to write a frame into, without a copy. No reader sees it before {@linkcode FrameSlot.publish}; leaving the
 * scope of a `using` declaration without it gives the slot back.
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
export class FrameSlot<E extends ElementType = ElementType> implements Disposable {
  /** The ring's number of the frame to be. */
  readonly sequence: number;
  readonly #attachment: Attachment;
  #frameNumber: number | undefined;
  #timestampNs: bigint | number | undefined;
  #given: Uint8Array | undefined;
  /** Bytes of the frame to be, where that has been said. */
  #byteLength: number | undefined;
  #filling: Filling | undefined;
  #memory: SlotMemory | undefined;
  #remains: Remains | undefined;
  #released = false;

  /**
   * Made by a depot, over a sequence that it has claimed, with details that it has checked.
   *
   * @ignore
   */
  constructor(attachment: Attachment, sequence: number, details: FrameDetails) {
    this.sequence = sequence;
    this.#attachment = attachment;
    this.#frameNumber = details.frameNumber;
    this.#timestampNs = details.timestampNs;
    this.#given = details.metadata;
  }

  static {
    outlives(FrameSlot, (slot) => slot.#prepare());
  }

  #slotMemory(): SlotMemory {
    if (this.#remains !== undefined) this.#remains.lent = true;
    return this.#memory ??= new SlotMemory(this.#attachment, this.#attachment.producer.slotOf(this.sequence));
  }

  /** The slot's elements over the shared memory itself, with what an older frame left in them; length 0 afterwards. */
  get data(): FrameData<E> {
    if (this.#released) return new CONSTRUCTORS[this.#attachment.geometry.elementType](0) as FrameData<E>;
    return this.#slotMemory().data(this, this.#attachment.geometry.frameBytes) as FrameData<E>;
  }

  /** The slot's planes over the shared memory itself, as {@linkcode Frame.planes} has them; none afterwards. */
  get planes(): readonly Plane<E>[] {
    if (this.#released) return [];
    return this.#slotMemory().planes(this, this.#attachment.geometry.frameBytes) as readonly Plane<E>[];
  }

  /** All `metadataBytes` of the slot, to be written in place; length 0 afterwards. */
  get metadata(): Uint8Array<ArrayBuffer> {
    if (this.#released) return new Uint8Array(0);
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
   * @throws {TypeError} when the slot has been published or given back; or when its memory was moved away, which burns
   *   the number @throws {RangeError} see {@linkcode FrameDetails}
   * @throws {DepotError} BUSY when the engine says that an operation still works on the memory (Bun), which burns the
   *   number; and while {@linkcode FrameSlot.fillFrom} is under way, which changes nothing. REPLACED when another depot
   *   has the name: then no reader needs the frame
   */
  publish(details: PublishDetails = NOTHING_SAID): void {
    // What is said is read first: a getter may publish the slot, give it back, or close the depot.
    const said = details === NOTHING_SAID ? details : this.#checked(details);
    if (this.#released) throw new TypeError(`slot ${this.sequence} has been published or given back`);
    if (this.#filling?.underWay !== undefined) throw this.#beingFilled();
    if (said !== NOTHING_SAID) this.#say(said);
    const { sequence } = this;
    const metadataLength = this.#given === undefined && this.#memory === undefined ? 0 : this.#putMetadata();
    const returned = this.#end();
    if (returned !== "given") throw this.#unpublishable(returned);
    const isStored = this.#attachment.producer.publish(
      sequence,
      this.#frameNumber ?? sequence,
      this.#timestampNs ?? TIME.NOW,
      metadataLength,
      this.#byteLength ?? this.#filledBytes(),
    );
    if (!isStored) throw sessionOf(this.#attachment).endedError();
  }

  #checked(details: PublishDetails): PublishDetails {
    checkObject("details", details);
    checkNames("publish", details, PUBLISH_NAMES);
    const { frameNumber, timestampNs, metadata, byteLength } = details;
    const { geometry } = this.#attachment;
    const checked = checkDetails(frameNumber, timestampNs, metadata, geometry.metadataBytes);
    if (byteLength === undefined) return checked;
    checkInteger("byteLength", byteLength, 0, geometry.frameBytes);
    return { ...checked, byteLength: checkByteLength("the frame", byteLength, geometry) };
  }

  /** Of a slot that was filled in part, in a depot of varying length: what else is in it is an older frame's. */
  #filledBytes(): number | undefined {
    const { geometry } = this.#attachment;
    if (this.#filling === undefined || !geometry.variableLength) return undefined;
    return this.#filling.bytes - this.#filling.bytes % ELEMENT_BYTES[geometry.elementType];
  }

  #say({ frameNumber, timestampNs, metadata, byteLength }: PublishDetails): void {
    this.#byteLength = byteLength ?? this.#byteLength;
    this.#frameNumber = frameNumber ?? this.#frameNumber;
    this.#timestampNs = timestampNs ?? this.#timestampNs;
    this.#given = metadata ?? this.#given;
  }

  #putMetadata(): number {
    const { producer, payload, geometry } = this.#attachment;
    if (this.#given !== undefined) return payload.writeMetadata(producer.slotOf(this.sequence), this.#given);
    return this.#memory?.lentMetadata ? geometry.metadataBytes : 0;
  }

  #beingFilled(): DepotError {
    const { name: depot } = this.#attachment;
    const remedy = "await fillFrom() before publish()";
    return new DepotError("BUSY", `cannot publish slot ${this.sequence} of depot "${depot}": it is being filled`, {
      depot,
      remedy,
    });
  }

  #unpublishable(returned: "moved" | "busy"): TypeError | DepotError {
    const { name: depot } = this.#attachment;
    const what = `slot ${this.sequence} of depot "${depot}" cannot be published, and its number is burned: `;
    const remedy = "read into memory of your own and copy it, or use slot.fillFrom()";
    if (returned === "moved") {
      return new TypeError(
        `${what}its memory was moved away by a transfer list, buffer.transfer(), a byte stream or a BYOB read; ${remedy}`,
      );
    }
    return new DepotError("BUSY", `${what}an operation of this process still works on its memory`, {
      depot,
      remedy: `await it first; ${remedy}`,
    });
  }

  /**
   * Fills the slot with a frame's bytes from a source: a stream, a reader, or an async iterable of typed arrays. No
   * read ever lands in the slot by itself: what is read is copied, so a read that is given up harms no other frame.
   * Bytes beyond the frame are kept for the next call with the same source.
   *
   * @param options `signal` ends it; what has been filled stays, and another call goes on from there
   * @returns false when the source has ended before the first byte of a frame; then nothing has been filled
   * @throws {TypeError} for another source, for pieces that are no bytes, when the source is being read already, and
   *   when the slot is given back meanwhile, at once
   * @throws {RangeError} when the source ends in the middle of the frame; in a depot with `variableLength` the frame is
   *   then shorter
   * @throws {DepotError} CLOSED, when the depot object is closed meanwhile
   * @throws the reason of the `signal`, and what the source throws
   *
   * @example A stream of raw video into slots
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-fill", { frameSize: [4, 2, 3] });
   * const camera = new Blob([new Uint8Array(24).fill(1), new Uint8Array(24).fill(2)]).stream();
   * for (;;) {
   *   using slot = depot.tryClaim()!;
   *   if (!await slot.fillFrom(camera)) break; // the scope gives the slot back
   *   slot.publish();
   * }
   * assertEquals(depot.stats().stored, 2);
   * ```
   */
  async fillFrom(source: ByteSource, options: FillOptions = {}): Promise<boolean> {
    const { signal } = checkWait(options);
    checkNames("fillFrom", options, FILL_NAMES);
    if (this.#released) throw new TypeError(`slot ${this.sequence} has been published or given back`);
    const filling = this.#filling ??= { bytes: 0, underWay: undefined };
    if (filling.underWay !== undefined) throw new TypeError(`slot ${this.sequence} is being filled already`);
    const { payload, producer, geometry } = this.#attachment;
    const { frameBytes } = geometry;
    if (filling.bytes === frameBytes) return true;
    const underWay = filling.underWay = new AbortController();
    let feed: Feed | undefined;
    try {
      feed = Feed.begin(source, [signal, underWay.signal]);
      const isWhole = await feed.read(
        (bytes) => {
          const part = bytes.subarray(0, frameBytes - filling.bytes);
          payload.writePart(producer.slotOf(this.sequence), filling.bytes, part);
          filling.bytes += part.length;
          return part.length;
        },
        () => filling.bytes < frameBytes,
      );
      if (filling.bytes === 0) return false;
      if (!isWhole) checkLastFrame(filling.bytes, geometry);
      return true;
    } finally {
      filling.underWay = undefined;
      feed?.end();
    }
  }

  /** Nothing more is put into the slot; what was read and not put is the source's. */
  #stopFilling(underWay: AbortController): void {
    underWay.abort(
      sessionOf(this.#attachment).closed
        ? sessionOf(this.#attachment).closedError()
        : new TypeError(`slot ${this.sequence} has been given back while it was filled`),
    );
  }

  /** Gives the slot back without a frame, unless it has been published. */
  release(): void {
    if (this.#released) return;
    if (this.#end() === "given") this.#attachment.producer.giveBack(this.sequence);
  }

  /** Takes the memory back. */
  #end(): Returned {
    this.#released = true;
    if (this.#filling?.underWay !== undefined) this.#stopFilling(this.#filling.underWay);
    if (this.#remains !== undefined) this.#remains.ended = true;
    return this.#memory === undefined ? "given" : this.#giveMemory(this.#memory);
  }

  /** Where the memory cannot be had back, the number is burned and the slot is kept. */
  #giveMemory(memory: SlotMemory): Returned {
    const returned = memory.give();
    if (returned === "given") return returned;
    const [{ producer }, { sequence }] = [this.#attachment, this];
    producer.keepBack(sequence);
    sessionOf(this.#attachment).kept.add(returned, `slot ${sequence}`, memory, () => producer.letGo(sequence));
    return returned;
  }

  /** What to do if it is forgotten. */
  #prepare(): Remains {
    const [{ producer }, { sequence }] = [this.#attachment, this];
    const remains: Remains = {
      what: `slot ${sequence}`,
      slot: producer.slotOf(sequence),
      lent: this.#memory !== undefined,
      ended: false,
      end() {
        if (remains.lent) producer.keepBack(sequence);
        else producer.giveBack(sequence);
        return !remains.lent;
      },
    };
    return this.#remains = remains;
  }

  /** {@linkcode FrameSlot.release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}
