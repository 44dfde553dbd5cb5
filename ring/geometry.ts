/**
 * What a depot looks like: its geometry, and the sizes that follow from it.
 *
 * @module
 */
import type { Color, FieldOrder } from "./color.ts";
import { type ELEMENT_TYPES, EXTRA_PEERS, GROUP, HEADER, PEER, READER, SLOT, type WHEN_FULL } from "./layout.ts";

/** What a user chooses when making a depot, complete and checked. */
export type Geometry = {
  /** Pixels; 0 where the content says it, as with height and channels. */
  width: number;
  /** Pixels. */
  height: number;
  /** Elements per pixel. */
  channels: number;
  elementType: typeof ELEMENT_TYPES[number];
  /** At most 15 ASCII characters; empty where there is none. */
  pixelFormat: string;
  /** Bytes of a frame; the most that one may have where lengths vary. */
  frameBytes: number;
  /** Whether each frame has a length of its own. */
  variableLength: boolean;
  color: Color;
  /** Width and height of a pixel. */
  sampleAspectRatio: readonly [number, number] | undefined;
  /** Whether a frame is two fields, and which is the first. */
  fieldOrder: FieldOrder | undefined;
  /** Slots. */
  maxSize: number;
  whenFull: typeof WHEN_FULL[number];
  metadataBytes: number;
  maxReaders: number;
  /** Groups of readers that share frames. */
  maxGroups: number;
  /** Where the sequence starts: 0, but for tests of large numbers. */
  firstSequence: number;
};

/** Where everything lies, in bytes from the segment's start. */
export type Layout = {
  maxPeers: number;
  pinWords: number;
  slotStride: number;
  peersOffset: number;
  readersOffset: number;
  slotsOffset: number;
  /** 0 without groups, as the next two. */
  groupStride: number;
  groupsOffset: number;
  takesOffset: number;
  payloadOffset: number;
  payloadStride: number;
  totalBytes: number;
};

/** Bytes of an element, by the name of its type. */
export const ELEMENT_BYTES: Record<Geometry["elementType"], number> = { uint8: 1, uint16: 2, float32: 4 };

/** Bounds that keep every offset of the tables in 31 bits and every index in its field. */
export const LIMITS = {
  maxSize: 1_048_576,
  maxReaders: 1023,
  maxGroups: 64,
  metadataBytes: 16_777_216,
  dimension: 0xffffffff,
  /** 64 KiB less than an ArrayBuffer of 4 GiB, the largest that both runtimes make. */
  frameBytes: 4_294_901_760,
  totalBytes: 140_737_488_355_328,
  aspect: 0xffffffff,
  pixelFormat: 15,
} as const;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Frames from this size on start at a page, smaller ones at a cache line: padding stays below one percent. */
const PAGE_FROM_BYTES = 512 * 1024;
/** A page anywhere is at most this. */
const PAGE_BYTES = 16_384;

/** Where metadata begins in a slot's payload. */
export const metadataOffset = (frameBytes: number): number => roundUp(frameBytes, 8);

/** Bytes of a group's take words. */
export const takesBytes = (maxSize: number): number => roundUp(maxSize * 8, 64);

/** Lays a segment out. Pure arithmetic: all sizes stay below 2^53. */
export function layoutOf(geometry: Geometry): Layout {
  const { maxSize, maxReaders, maxGroups, frameBytes, metadataBytes } = geometry;
  const maxPeers = maxReaders + EXTRA_PEERS;
  const pinWords = Math.ceil(maxReaders / 32);
  const slotStride = roundUp(SLOT.pins + pinWords * 4, SLOT.size);
  const peersOffset = HEADER.size;
  const readersOffset = peersOffset + maxPeers * PEER.size;
  const slotsOffset = readersOffset + maxReaders * READER.size;
  const slotsEnd = slotsOffset + maxSize * slotStride;
  const takesOffset = slotsEnd + maxGroups * GROUP.size;
  const payloadOffset = roundUp(takesOffset + maxGroups * takesBytes(maxSize), PAGE_BYTES);
  const payloadBytes = metadataOffset(frameBytes) + metadataBytes;
  const payloadStride = roundUp(payloadBytes, payloadBytes >= PAGE_FROM_BYTES ? 4096 : 64);
  return {
    maxPeers,
    pinWords,
    slotStride,
    peersOffset,
    readersOffset,
    slotsOffset,
    groupStride: maxGroups === 0 ? 0 : GROUP.size,
    groupsOffset: maxGroups === 0 ? 0 : slotsEnd,
    takesOffset: maxGroups === 0 ? 0 : takesOffset,
    payloadOffset,
    payloadStride,
    totalBytes: payloadOffset + maxSize * payloadStride,
  };
}
