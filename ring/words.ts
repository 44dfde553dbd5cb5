/**
 * The words of a mapped segment, by the offsets of `layout.ts`.
 *
 * @module
 */
import type { Mapping } from "../ffi/mapping.ts";
import { type Layout, takesBytes } from "./geometry.ts";
import { GROUP, HEADER, PEER, READER, SLOT } from "./layout.ts";

/** Offsets of the wake words, by lane. */
export const WAKE_WORDS: readonly number[] = [HEADER.published, HEADER.consumed];
/** Offsets of the flags that sleepers set, by lane. */
export const WAKE_FLAGS: readonly number[] = [HEADER.publishedSleepers, HEADER.consumedSleepers];

const HIGH = 2 ** 32;

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
  readonly #groups: number;
  readonly #takes: number;
  /** Of one group. */
  readonly #takesBytes: number;

  constructor(mapping: Mapping, layout: Layout, maxSize: number) {
    const buffer = mapping.view(0, layout.payloadOffset);
    this.mapping = mapping;
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.#peers = layout.peersOffset;
    this.#readers = layout.readersOffset;
    this.#slots = layout.slotsOffset;
    this.#slotStride = layout.slotStride;
    this.#groups = layout.groupsOffset;
    this.#takes = layout.takesOffset;
    this.#takesBytes = takesBytes(maxSize);
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

  /** Byte offset of a group's entry. */
  group(index: number): number {
    return this.#groups + index * GROUP.size;
  }

  /** Byte offset of a group's take word of a slot. */
  take(group: number, slot: number): number {
    return (this.#takes + group * this.#takesBytes + slot * 8) | 0;
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

  /** A plain read of 64 bits as a number: where no peer can be writing, or as a hint that a pin confirms. */
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

  /** A plain write of 64 bits that a number cannot hold: only by the word's one writer. */
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

  /** Whether they are. */
  get isDetached(): boolean {
    return this.u32.length === 0;
  }
}
