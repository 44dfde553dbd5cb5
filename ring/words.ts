/**
 * The words of a mapped segment, by the offsets of `layout.ts`.
 *
 * @module
 */
import type { Mapping } from "../ffi/shim.ts";
import { Ballast } from "./ballast.ts";
import { HEADER, PEER, READER, SLOT } from "./layout.ts";
import { type Geometry, metadataOffset, type Plan } from "./geometry.ts";

/** Offsets of the wake words by lane, for the shim. */
export const WAKE_WORDS: readonly number[] = [HEADER.published, HEADER.consumed];

const HIGH = 2 ** 32;

/** Smaller slots than this get their page tables fault by fault: asking for all at once would cost as much. */
const POPULATE_FROM_BYTES = 64 * 1024;
/** Frames of this size are copied past the caches, if all slots together are larger than so many of the largest. */
const PAST_FROM_BYTES = 256 * 1024;
const PAST_CACHES = 1.5;

/**
 * Typed arrays over header and tables, and byte offsets into them. 32-bit atomics go through `u32` with `Atomics`;
 * 64-bit ones through the shim, because BigInt atomics cost several times a foreign call.
 */
export class Words {
  readonly mapping: Mapping;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly #peers: number;
  readonly #readers: number;
  readonly #slots: number;
  readonly #slotStride: number;

  constructor(mapping: Mapping, layout: Plan) {
    const buffer = mapping.view(0, layout.payloadOffset);
    this.mapping = mapping;
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.#peers = layout.peersOffset;
    this.#readers = layout.readersOffset;
    this.#slots = layout.slotsOffset;
    this.#slotStride = layout.slotStride;
  }

  /** Byte offset of a peer's entry. */
  peer(index: number): number {
    return this.#peers + index * PEER.size;
  }

  /** Byte offset of a reader's entry. */
  reader(index: number): number {
    return this.#readers + index * READER.size;
  }

  /** Byte offset of a slot's words: an integer to the engine too, not a double. */
  slot(index: number): number {
    return (this.#slots + Math.imul(index, this.#slotStride)) | 0;
  }

  /** Byte offset of the word of pins that holds a reader's bit. */
  pins(slot: number, reader: number): number {
    return slot + SLOT.pins + (reader >>> 5) * 4;
  }

  /** A 32-bit atomic load by byte offset. */
  load32(offset: number): number {
    return Atomics.load(this.u32, offset >> 2);
  }

  /** A 32-bit atomic store by byte offset. */
  store32(offset: number, value: number): void {
    Atomics.store(this.u32, offset >> 2, value);
  }

  /** A plain read of 64 bits as a number: only where nobody can be writing. */
  plain64(offset: number): number {
    const i = offset >> 2;
    return this.u32[i] + this.u32[i + 1] * HIGH;
  }

  /** A plain write of 64 bits, two's complement: only by the word's one writer. */
  setPlain64(offset: number, value: number): void {
    const i = offset >> 2;
    this.u32[i] = value;
    this.u32[i + 1] = Math.floor(value / HIGH);
  }

  /** The same for a value that a number cannot hold. */
  setBig64(offset: number, value: bigint): void {
    const i = offset >> 2;
    this.u32[i] = Number(BigInt.asUintN(32, value));
    this.u32[i + 1] = Number(BigInt.asUintN(32, value >> 32n));
  }

  /** A plain read of a signed number. */
  plainSigned64(offset: number): number {
    const i = offset >> 2;
    return this.u32[i] + (this.u32[i + 1] | 0) * HIGH;
  }

  /** Detaches the arrays, so that nothing here can reach the memory after it is unmapped. */
  detach(): void {
    (this.u32.buffer as ArrayBuffer).transfer(0);
  }
}

/** Hands out one ArrayBuffer over the payload of a slot that is held, and takes it back; or copies into it. */
export class Payload {
  readonly #mapping: Mapping;
  readonly #u32: Uint32Array;
  readonly #maxSize: number;
  readonly #history: boolean;
  readonly #start: number;
  readonly #stride: number;
  readonly #frameBytes: number;
  readonly #metadataAt: number;
  readonly #metadataBytes: number;
  readonly #idle: (ArrayBuffer | undefined)[];
  /** Whether copies leave the caches to what is read again. */
  readonly #past: boolean;
  /** Blocks whose page tables this process has made. */
  readonly #populated: Uint8Array;
  readonly #ballast: Ballast;

  constructor(words: Words, geometry: Geometry, layout: Plan) {
    const { mapping } = words;
    this.#mapping = mapping;
    this.#u32 = words.u32;
    this.#maxSize = geometry.maxSize;
    this.#history = geometry.history;
    this.#start = layout.payloadOffset;
    this.#stride = layout.payloadStride;
    this.#frameBytes = geometry.frameBytes;
    this.#metadataAt = metadataOffset(geometry.frameBytes);
    this.#metadataBytes = geometry.metadataBytes;
    this.#idle = new Array(geometry.maxSize);
    const bytes = layout.payloadStride * geometry.maxSize;
    this.#ballast = new Ballast(mapping, layout.payloadOffset, bytes, geometry.frameBytes);
    this.#populated = new Uint8Array(layout.payloadStride < POPULATE_FROM_BYTES ? 0 : geometry.maxSize);
    const cacheBytes = geometry.frameBytes >= PAST_FROM_BYTES ? mapping.cacheBytes() : 0;
    // What is written again at once is best left in them.
    this.#past = geometry.history && cacheBytes > 0 && bytes > cacheBytes * PAST_CACHES;
  }

  /** A buffer that nobody else has; making one anew costs a microsecond, so they are kept. */
  take(block: number): ArrayBuffer {
    this.#ballast.keep();
    const kept = this.#idle[block];
    if (kept === undefined) return this.#mapping.view(this.#populatedStart(block), this.#stride);
    this.#idle[block] = undefined;
    return kept;
  }

  /** Where a slot's payload is. As long as the slot is held that stays; whatever is written there, it is a block of ours. */
  blockOf(slot: number): number {
    if (this.#history) return slot;
    const block = (this.#u32[(HEADER.order >> 2) + (slot >>> 3)] >>> ((slot & 7) << 2)) & 15;
    return block < this.#maxSize ? block : slot;
  }

  #populatedStart(block: number): number {
    const start = this.#start + block * this.#stride;
    if (this.#populated[block] === 0) {
      this.#populated[block] = 1;
      this.#mapping.populate(start, this.#stride);
    }
    return start;
  }

  /** Copies a frame into a slot that its producer has claimed. A frame that has grown since it was checked is cut. */
  write(slot: number, frame: Uint8Array): void {
    this.#mapping.copy(this.#populatedStart(this.blockOf(slot)), frame, this.#frameBytes, this.#past);
  }

  /** Copies a slot's first bytes out, as many as the target has; the slot must be pinned. */
  read(slot: number, target: Uint8Array): void {
    this.#mapping.copyOut(this.#populatedStart(this.blockOf(slot)), target);
  }

  /** Copies metadata into a slot that its producer has claimed. @returns how many bytes */
  writeMetadata(slot: number, metadata: Uint8Array): number {
    const length = Math.min(metadata.length, this.#metadataBytes);
    this.#mapping.copy(this.#start + this.blockOf(slot) * this.#stride + this.#metadataAt, metadata, length, false);
    return length;
  }

  /**
   * Takes a buffer back after its user is done with it: every view of it becomes empty, the memory lives on in a new
   * buffer that nobody has seen. A buffer that its user has transferred away is gone; `take` makes another.
   */
  give(block: number, buffer: ArrayBuffer): void {
    if (!buffer.detached) this.#idle[block] = buffer.transfer();
  }

  /** Detaches all that is kept. */
  detach(): void {
    this.#ballast.drop();
    for (const [block, buffer] of this.#idle.entries()) {
      buffer?.transfer(0);
      this.#idle[block] = undefined;
    }
  }
}
