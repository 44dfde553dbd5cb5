/**
 * The frames' memory: lent out as buffers and taken back, or copied into and out of.
 *
 * @module
 */
import type { Mapping } from "../ffi/mapping.ts";
import { Ballast } from "../ffi/ballast.ts";
import { byteLengthOf, isDetached, transfer } from "../ffi/buffers.ts";
import { type Geometry, type Layout, metadataOffset } from "./geometry.ts";

/**
 * What became of a buffer that was lent: `given` back, its memory cannot be reached; `moved` away by its user (a
 * transfer list, `buffer.transfer()`, a byte stream), and can be reached for ever; `busy`: an operation of the runtime
 * is in it.
 */
export type Returned = "given" | "moved" | "busy";

/** Smaller slots than this get their page tables fault by fault: asking for all at once would cost as much. */
const POPULATE_FROM_BYTES = 64 * 1024;
/**
 * Frames from this size on are copied past the caches, if all slots together are larger than the largest by a factor.
 */
const PAST_FROM_BYTES = 256 * 1024;
const PAST_CACHES = 1.5;

/** Hands out one ArrayBuffer over the payload of a slot that is held, and takes it back; or copies into it. */
export class Payload {
  readonly #mapping: Mapping;
  readonly #start: number;
  readonly #stride: number;
  readonly #frameBytes: number;
  readonly #metadataAt: number;
  readonly #metadataBytes: number;
  readonly #idle: (ArrayBuffer | undefined)[];
  /** Whether a buffer was ever handed out whose memory an operation may still be in, for all that can be known. */
  #lent = false;
  /** Whether copies leave the caches to what is read again. */
  readonly #past: boolean;
  /** Slots whose page tables this process has made. */
  readonly #populated: Uint8Array;
  readonly #ballast: Ballast;

  constructor(mapping: Mapping, geometry: Geometry, layout: Layout) {
    this.#mapping = mapping;
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
    this.#past = cacheBytes > 0 && bytes > cacheBytes * PAST_CACHES;
  }

  /** A buffer that is referred to nowhere else. Making one anew costs a microsecond, so they are kept. */
  take(slot: number): ArrayBuffer {
    this.#ballast.keep();
    this.#lent ||= !this.#mapping.operationsPin;
    const kept = this.#idle[slot];
    if (kept === undefined) return this.#mapping.view(this.#populatedStart(slot), this.#stride);
    this.#idle[slot] = undefined;
    return kept;
  }

  #populatedStart(slot: number): number {
    const start = this.#start + slot * this.#stride;
    if (this.#populated[slot] === 0) {
      this.#populated[slot] = 1;
      this.#mapping.populate(start, this.#stride);
    }
    return start;
  }

  /** Copies a frame into a slot that its producer has claimed; it has been checked to have that many bytes. */
  write(slot: number, frame: Uint8Array, byteLength: number): void {
    this.#mapping.copyExactly(this.#populatedStart(slot), frame, byteLength, this.#past);
  }

  /** Copies a part of a frame into a slot that its producer has claimed. @param at bytes from the frame's beginning */
  writePart(slot: number, at: number, part: Uint8Array): void {
    this.#mapping.copy(this.#populatedStart(slot) + at, part, this.#frameBytes - at, this.#past);
  }

  /** Copies a slot's first bytes out, as many as the target has; the slot must be pinned. */
  read(slot: number, target: Uint8Array): void {
    this.#mapping.copyOut(this.#populatedStart(slot), target);
  }

  /** The first `length` bytes of metadata in a slot's memory. */
  metadataIn(buffer: ArrayBuffer, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(buffer, this.#metadataAt, length);
  }

  /** Copies metadata into a slot that its producer has claimed. @returns how many bytes */
  writeMetadata(slot: number, metadata: Uint8Array): number {
    const length = Math.min(byteLengthOf(metadata), this.#metadataBytes);
    this.#mapping.copy(this.#start + slot * this.#stride + this.#metadataAt, metadata, length, false);
    return length;
  }

  /**
   * Takes a buffer back after its user is done with it: every view of it becomes empty, the memory lives on in a new
   * buffer that has not been handed out.
   *
   * @returns what became of the buffer; unless it was given back, the memory can still be reached
   */
  give(slot: number, buffer: ArrayBuffer): Returned {
    if (isDetached(buffer)) return "moved";
    const same = transfer(buffer);
    if (!isDetached(buffer)) return "busy"; // what was made is a copy
    this.#idle[slot] = same;
    return "given";
  }

  /** Tries once more for a buffer that was busy. */
  giveLate(buffer: ArrayBuffer): Returned {
    if (isDetached(buffer)) return "moved";
    transfer(buffer, 0); // of no length: a copy would cost
    return isDetached(buffer) ? "given" : "busy";
  }

  /** Whether an operation may be in memory that was lent although every buffer has been detached. */
  get mayBeInUse(): boolean {
    return this.#lent;
  }

  /** Detaches all that is kept. */
  detach(): void {
    this.#ballast.drop();
    for (const [slot, buffer] of this.#idle.entries()) {
      if (buffer !== undefined) transfer(buffer, 0);
      this.#idle[slot] = undefined;
    }
  }
}
