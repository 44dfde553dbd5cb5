/**
 * A frame to read: a lease on shared memory.
 *
 * @module
 */
import { byteLengthOf, bytesOf, kindOf } from "../ffi/buffers.ts";
import type { Attachment } from "../ring/attachment.ts";
import type { Color, FieldOrder } from "../ring/color.ts";
import { ELEMENT_BYTES } from "../ring/geometry.ts";
import { joined64, type Reader } from "../ring/reader.ts";
import { type Loop, outlives, type Remains } from "./lease.ts";
import type { ElementType, FrameData } from "./options.ts";
import { sessionOf } from "./session.ts";
import { CONSTRUCTORS, type Plane } from "./planes.ts";
import { SlotMemory } from "./slot_memory.ts";

/** What a reader knows of a frame. */
export type Known = Readonly<{ sequence: number; frameNumber: number; lost: number; redelivered: boolean }>;

/**
 * One frame, leased: until it is released, or its depot object is closed, no process overwrites it, whatever becomes of
 * the reader it came from. It is shared memory, not a copy; {@linkcode Frame.release} empties every view of it (length
 * 0), so what is read is never torn.
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
export class Frame<E extends ElementType = ElementType> implements Disposable {
  /** The user's number. */
  readonly frameNumber: number;
  /** The ring's number: grows by one from frame to frame, with gaps where a number was burned. */
  readonly sequence: number;
  /** Frames that this reader missed between the frame before and this one. Always 0 for lookups. */
  readonly lost: number;
  /** Whether a member of the same group, which died, had this frame before: it may have been worked on already. */
  readonly redelivered: boolean;
  readonly #attachment: Attachment;
  readonly #reader: Reader;
  readonly #slot: number;
  readonly #timestampLow: number;
  readonly #timestampHigh: number;
  /** Whether the reader's cursor passes the frame when the lease ends. */
  readonly #passes: boolean;
  /** The loop that it is from, whose reader must not be collected before the frame. */
  readonly #loop: Loop | undefined;
  #memory: SlotMemory | undefined;
  #remains: Remains | undefined;
  #released = false;

  /**
   * Made by a depot, over a slot that `reader` has pinned.
   *
   * @param known what the reader knows of the frame at this moment
   * @param passes whether the reader's cursor passes the frame when the lease ends
   * @param loop what the lease depends on; a lease that passes notes itself there, for the case that both are forgotten
   * @ignore
   */
  constructor(
    attachment: Attachment,
    reader: Reader,
    slot: number,
    known: Known,
    passes: boolean,
    loop?: Loop,
  ) {
    this.frameNumber = known.frameNumber;
    this.sequence = known.sequence;
    this.lost = known.lost;
    this.redelivered = known.redelivered;
    this.#attachment = attachment;
    this.#reader = reader;
    this.#slot = slot;
    this.#timestampLow = reader.timestampLow(slot);
    this.#timestampHigh = reader.timestampHigh(slot);
    this.#passes = passes;
    this.#loop = loop;
  }

  static {
    outlives(Frame, (frame) => frame.#prepare());
  }

  #slotMemory(): SlotMemory {
    this.#assertHeld();
    const traces = this.#passes ? this.#loop?.traces : this.#remains;
    if (traces !== undefined) traces.lent = true;
    return this.#memory ??= new SlotMemory(this.#attachment, this.#slot);
  }

  /**
   * The frame's elements over the shared memory itself. Do not write. Views of it have length 0 once it is released.
   *
   * @throws {TypeError} when the frame has been released
   */
  get data(): FrameData<E> {
    return this.#slotMemory().data(this, this.byteLength) as FrameData<E>;
  }

  /**
   * The frame's planes over the shared memory itself, as its `pixelFormat` has them: Y, U and V of `yuv420p`; one where
   * all components of a pixel are side by side. None where the content varies in length, or is a label of your own with
   * other bytes than width × height × channels. Do not write. Views have length 0 once it is released.
   *
   * @throws {TypeError} when the frame has been released
   *
   * @example The chroma of a frame, row by row
   * ```ts
   * import { FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-planes", { frameSize: [6, 4], pixelFormat: "nv12" });
   * await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(depot.frameBytes).fill(128) });
   *
   * using frame = depot.peekFrame(1)!;
   * const y = frame.planes[0]!, uv = frame.planes[1]!;
   * assertEquals([y.name, y.width, y.height, y.data.length], ["y", 6, 4, 24]);
   * assertEquals([uv.name, uv.width, uv.height, uv.stride], ["uv", 3, 2, 6]);
   * for (let row = 0; row < uv.height; row++) {
   *   assertEquals(uv.data.subarray(row * uv.stride, (row + 1) * uv.stride).at(-1), 128);
   * }
   * ```
   */
  get planes(): readonly Plane<E>[] {
    return this.#slotMemory().planes(this, this.byteLength) as readonly Plane<E>[];
  }

  /**
   * The user's bytes beside the frame, as many as were given. Views have length 0 once it is released.
   *
   * @throws {TypeError} when the frame has been released
   */
  get metadata(): Uint8Array<ArrayBuffer> {
    const memory = this.#slotMemory();
    return memory.metadata(this, this.#reader.metadataLength(this.#slot, this.#attachment.geometry.metadataBytes));
  }

  /**
   * Bytes of the frame: the depot's `frameBytes`, unless it was made with `variableLength`.
   *
   * @throws {TypeError} when the frame has been released
   */
  get byteLength(): number {
    this.#assertHeld();
    return this.#reader.byteLength(this.#slot, this.#attachment.geometry);
  }

  /** Nanoseconds: as given with the frame, or since 1970 when it was published. */
  get timestampNs(): bigint {
    return joined64(this.#timestampLow, this.#timestampHigh);
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
  get elementType(): E {
    return this.#attachment.geometry.elementType as E;
  }

  /** The depot's label, empty if it has none. */
  get pixelFormat(): string {
    return this.#attachment.geometry.pixelFormat;
  }

  /** How numbers become colours. What was not said is absent. */
  get color(): Color {
    return this.#attachment.geometry.color;
  }

  /** Width and height of a pixel; undefined where it was not said. */
  get sampleAspectRatio(): readonly [width: number, height: number] | undefined {
    return this.#attachment.geometry.sampleAspectRatio;
  }

  /** Whether a frame is two fields, and which is the first; undefined where it was not said. */
  get fieldOrder(): FieldOrder | undefined {
    return this.#attachment.geometry.fieldOrder;
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
  copy(): FrameData<E> {
    const { byteLength } = this;
    const { elementType } = this.#attachment.geometry;
    const copy = new CONSTRUCTORS[elementType](byteLength / ELEMENT_BYTES[elementType]) as FrameData<E>;
    this.#attachment.payload.read(this.#slot, bytesOf(copy, byteLength));
    return copy;
  }

  /**
   * Copies the elements into an array that you keep for it: faster than {@linkcode Frame.copy}, which allocates.
   *
   * @param destination of the same element type, or bytes; at least as long as the frame
   * @throws {TypeError} when the frame has been released @throws {RangeError} when the destination is too short
   */
  copyTo<T extends FrameData | Uint8Array>(destination: T): T {
    const { byteLength } = this;
    const { elementType } = this.#attachment.geometry;
    const View = CONSTRUCTORS[elementType];
    const kind = kindOf(destination);
    if (kind !== "Uint8Array" && kind !== View.name) {
      const or = View.name === "Uint8Array" ? "" : " or a Uint8Array";
      throw new TypeError(`destination must be a ${View.name}${or}: it is ${kind ?? typeof destination}`);
    }
    if (byteLengthOf(destination) < byteLength) {
      throw new RangeError(
        `destination must have at least ${byteLength} bytes, those of the frame: ${byteLengthOf(destination)}`,
      );
    }
    // Not through a view: making one and detaching it costs more than a small copy.
    this.#attachment.payload.read(this.#slot, bytesOf(destination, byteLength));
    return destination;
  }

  /**
   * Another lease on the same frame, yours to release: to keep a frame that a loop would release, or to hand it to
   * another part of the program. A loop releases only its own lease.
   *
   * @throws {TypeError} when the frame has been released
   *
   * @example A frame kept beyond its turn of the loop
   * ```ts
   * import { type Frame, FramesDepot } from "@frames-depot/frames-depot";
   * import { assertEquals } from "@std/assert";
   *
   * await using depot = await FramesDepot.create("doc-clone", { frameSize: [4, 2, 3] });
   * for (const n of [1, 2]) await depot.enqueue({ frameNumber: n, frame: new Uint8Array(24).fill(n) });
   *
   * let before: Frame | undefined;
   * for await (const frame of depot.frames({ timeoutMs: 10 })) {
   *   if (before) assertEquals([before.data[0], frame.data[0]], [1, 2]);
   *   before?.release();
   *   before = frame.clone();
   * }
   * before?.release();
   * ```
   */
  clone(): Frame<E> {
    this.#assertHeld();
    this.#reader.pinHeld(this.#slot);
    const frame = new Frame<E>(this.#attachment, this.#reader, this.#slot, this, false, this.#loop);
    sessionOf(this.#attachment).leases.watch(frame);
    return frame;
  }

  #assertHeld(): void {
    if (!this.#released) return;
    throw new TypeError(
      `frame ${this.frameNumber} has been released` +
        (this.#passes ? ": a loop releases each frame when it asks for the next one; clone() keeps it" : ""),
    );
  }

  /**
   * Ends the lease: every view of the frame is detached. A second call does nothing.
   *
   * While an operation of the runtime works on a view (seen in Bun), or where its buffer was moved away, the slot stays
   * leased until nothing can reach it any more: at the latest until the depot object is closed.
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    if (this.#remains !== undefined) this.#remains.ended = true;
    if (this.#passes) this.#loop!.traces.slot = -1;
    if (this.#memory !== undefined && !this.#giveMemory(this.#memory)) return;
    if (this.#passes) this.#reader.unpinAndPass(this.#slot, this.sequence + 1);
    else this.#reader.unpin(this.#slot);
  }

  /** @returns false where the memory can still be reached: then the slot stays pinned */
  #giveMemory(memory: SlotMemory): boolean {
    const returned = memory.give();
    if (returned === "given") return true;
    const [reader, slot] = [this.#reader, this.#slot];
    reader.keep(slot, this.#passes ? this.sequence + 1 : 0);
    const { kept } = sessionOf(this.#attachment);
    kept.add(returned, `frame ${this.frameNumber}`, memory, () => reader.unpinKept(slot), () => reader.moved());
    return false;
  }

  /** What to do if it is forgotten. */
  #prepare(): Remains {
    const [reader, slot] = [this.#reader, this.#slot];
    const remains: Remains = {
      what: `frame ${this.frameNumber}`,
      slot,
      lent: this.#memory !== undefined,
      ended: false,
      end() {
        if (remains.lent) reader.keep(slot, 0);
        else reader.unpin(slot);
        return !remains.lent;
      },
    };
    return this.#remains = remains;
  }

  /** {@linkcode Frame.release}, at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.release();
  }
}
