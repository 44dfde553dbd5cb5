/**
 * What a depot looks like: its geometry, the sizes that follow from it, and the header that records both.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import {
  BYTE_ORDER,
  ELEMENT_TYPES,
  EXTRA_PEERS,
  HEADER,
  LAST_SEQUENCE,
  LAYOUT_VERSION,
  MAGIC,
  ORDERED_SLOTS,
  PEER,
  READER,
  READY,
  SLOT,
  WHEN_FULL,
} from "./layout.ts";

/** What a user chooses when making a depot, complete and checked. */
export type Geometry = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** Elements per pixel. */
  channels: number;
  elementType: typeof ELEMENT_TYPES[number];
  /** At most 15 ASCII characters; empty where there is none. */
  pixelFormat: string;
  frameBytes: number;
  /** Slots. */
  maxSize: number;
  whenFull: typeof WHEN_FULL[number];
  /** Whether what all have read stays until its slot's turn comes. */
  history: boolean;
  metadataBytes: number;
  maxReaders: number;
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
  metadataBytes: 16_777_216,
  dimension: 0xffffffff,
  /** One ArrayBuffer of 4 GiB is the most that both runtimes make. */
  frameBytes: 4_294_967_296 - 65_536,
  totalBytes: 2 ** 47,
  pixelFormat: 15,
} as const;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Frames from this size on start at a page, smaller ones at a cache line: padding stays below one percent. */
const PAGE_FROM_BYTES = 512 * 1024;
/** A page anywhere is at most this. */
const PAGE_BYTES = 16_384;

/** Where metadata begins in a slot's payload. */
export const metadataOffset = (frameBytes: number): number => roundUp(frameBytes, 8);

/** Lays a segment out. Pure arithmetic: all sizes stay below 2^53. */
export function layoutOf(geometry: Geometry): Layout {
  const { maxSize, maxReaders, frameBytes, metadataBytes } = geometry;
  const maxPeers = maxReaders + EXTRA_PEERS;
  const pinWords = Math.ceil(maxReaders / 32);
  const slotStride = roundUp(SLOT.pins + pinWords * 4, SLOT.size);
  const peersOffset = HEADER.size;
  const readersOffset = peersOffset + maxPeers * PEER.size;
  const slotsOffset = readersOffset + maxReaders * READER.size;
  const payloadOffset = roundUp(slotsOffset + maxSize * slotStride, PAGE_BYTES);
  const payloadBytes = metadataOffset(frameBytes) + metadataBytes;
  const payloadStride = roundUp(payloadBytes, payloadBytes >= PAGE_FROM_BYTES ? 4096 : 64);
  return {
    maxPeers,
    pinWords,
    slotStride,
    peersOffset,
    readersOffset,
    slotsOffset,
    payloadOffset,
    payloadStride,
    totalBytes: payloadOffset + maxSize * payloadStride,
  };
}

/** Writes all of the header but `ready`. The memory is zeroed. */
export function writeHeader(header: DataView, geometry: Geometry, createdNs: bigint): void {
  const layout = layoutOf(geometry);
  const u32 = (offset: number, value: number) => header.setUint32(offset, value, true);
  const u64 = (offset: number, value: number) => header.setBigUint64(offset, BigInt(value), true);
  const ascii = (offset: number, text: string) =>
    [...text].forEach((character, i) => header.setUint8(offset + i, character.charCodeAt(0)));
  ascii(HEADER.magic, MAGIC);
  u32(HEADER.version, LAYOUT_VERSION);
  u32(HEADER.byteOrder, BYTE_ORDER);
  u32(HEADER.headerBytes, HEADER.size);
  u64(HEADER.totalBytes, layout.totalBytes);
  u64(HEADER.peersOffset, layout.peersOffset);
  u64(HEADER.readersOffset, layout.readersOffset);
  u64(HEADER.slotsOffset, layout.slotsOffset);
  u64(HEADER.payloadOffset, layout.payloadOffset);
  u64(HEADER.payloadStride, layout.payloadStride);
  u64(HEADER.frameBytes, geometry.frameBytes);
  u32(HEADER.peerStride, PEER.size);
  u32(HEADER.readerStride, READER.size);
  u32(HEADER.slotStride, layout.slotStride);
  u32(HEADER.maxPeers, layout.maxPeers);
  u32(HEADER.maxReaders, geometry.maxReaders);
  u32(HEADER.pinWords, layout.pinWords);
  u32(HEADER.maxSize, geometry.maxSize);
  u32(HEADER.whenFull, WHEN_FULL.indexOf(geometry.whenFull));
  u32(HEADER.width, geometry.width);
  u32(HEADER.height, geometry.height);
  u32(HEADER.channels, geometry.channels);
  u32(HEADER.elementType, ELEMENT_TYPES.indexOf(geometry.elementType));
  u32(HEADER.metadataBytes, geometry.metadataBytes);
  ascii(HEADER.pixelFormat, geometry.pixelFormat);
  u32(HEADER.reuse, geometry.history ? 0 : 1);
  header.setBigUint64(HEADER.order, 0xfedc_ba98_7654_3210n, true); // each slot its own block
  header.setBigUint64(HEADER.createdNs, createdNs, true);
  u64(HEADER.firstSequence, geometry.firstSequence);
  u64(HEADER.head, geometry.firstSequence);
  u64(HEADER.tail, geometry.firstSequence);
  u64(HEADER.cleared, geometry.firstSequence);
}

/**
 * Reads a header that may hold anything. It is given a copy of the bytes, so nothing can change between check and use.
 *
 * @param fileBytes the true size of what the header came from
 * @throws {DepotError} INCOMPATIBLE (not a depot, another version or byte order), NOT_READY, CORRUPT
 */
export function readHeader(depot: string, copy: Uint8Array<ArrayBuffer>, fileBytes: number): Geometry {
  const header = new DataView(copy.buffer, copy.byteOffset, copy.byteLength);
  const u32 = (offset: number) => header.getUint32(offset, true);
  const u64 = (offset: number) => Number(header.getBigUint64(offset, true));
  const fail = (code: "INCOMPATIBLE" | "NOT_READY" | "CORRUPT", what: string): never => {
    throw new DepotError(code, `cannot open depot "${depot}": ${what}`, { depot });
  };
  const magic = String.fromCharCode(...copy.subarray(HEADER.magic, HEADER.magic + MAGIC.length));
  if (magic !== MAGIC) {
    const empty = copy.every((byte) => byte === 0);
    return empty
      ? fail("NOT_READY", "its header is still empty: its maker has not finished, or died")
      : fail("INCOMPATIBLE", "the segment does not begin as a depot does: it is something else");
  }
  if (u32(HEADER.byteOrder) !== BYTE_ORDER) fail("INCOMPATIBLE", "it has another byte order, or a damaged header");
  if (u32(HEADER.version) !== LAYOUT_VERSION) {
    fail("INCOMPATIBLE", `it has layout version ${u32(HEADER.version)}, this library has version ${LAYOUT_VERSION}`);
  }
  if (u32(HEADER.ready) !== READY) fail("NOT_READY", "its maker has not finished, or died");

  const within = (what: string, value: number, least: number, most: number): number =>
    value >= least && value <= most ? value : fail("CORRUPT", `${what} is ${value}, out of ${least} to ${most}`);
  const oneOf = <T>(what: string, names: readonly T[], value: number): T =>
    names[within(what, value, 0, names.length - 1)];
  const label = String.fromCharCode(...copy.subarray(HEADER.pixelFormat, HEADER.pixelFormat + LIMITS.pixelFormat));
  const geometry: Geometry = {
    width: within("width", u32(HEADER.width), 1, LIMITS.dimension),
    height: within("height", u32(HEADER.height), 1, LIMITS.dimension),
    channels: within("channels", u32(HEADER.channels), 1, LIMITS.dimension),
    elementType: oneOf("elementType", ELEMENT_TYPES, u32(HEADER.elementType)),
    pixelFormat: label.split("\0")[0],
    frameBytes: within("frameBytes", u64(HEADER.frameBytes), 1, LIMITS.frameBytes),
    maxSize: within("maxSize", u32(HEADER.maxSize), 1, LIMITS.maxSize),
    whenFull: oneOf("whenFull", WHEN_FULL, u32(HEADER.whenFull)),
    history: within("reuse", u32(HEADER.reuse), 0, u32(HEADER.maxSize) <= ORDERED_SLOTS ? 1 : 0) === 0,
    metadataBytes: within("metadataBytes", u32(HEADER.metadataBytes), 0, LIMITS.metadataBytes),
    maxReaders: within("maxReaders", u32(HEADER.maxReaders), 1, LIMITS.maxReaders),
    firstSequence: within("firstSequence", u64(HEADER.firstSequence), 0, LAST_SEQUENCE),
  };
  if (!/^[\x21-\x7e]*$/.test(geometry.pixelFormat)) fail("CORRUPT", "pixelFormat is not printable ASCII");
  within("frameBytes", geometry.frameBytes % ELEMENT_BYTES[geometry.elementType], 0, 0);

  // Everything else follows from these; the stored offsets must say the same, and are not used.
  const expected = layoutOf(geometry);
  const same = (what: string, stored: number, computed: number) => {
    if (stored !== computed) fail("CORRUPT", `${what} is ${stored} where its geometry gives ${computed}`);
  };
  same("headerBytes", u32(HEADER.headerBytes), HEADER.size);
  same("peersOffset", u64(HEADER.peersOffset), expected.peersOffset);
  same("readersOffset", u64(HEADER.readersOffset), expected.readersOffset);
  same("slotsOffset", u64(HEADER.slotsOffset), expected.slotsOffset);
  same("payloadOffset", u64(HEADER.payloadOffset), expected.payloadOffset);
  same("payloadStride", u64(HEADER.payloadStride), expected.payloadStride);
  same("peerStride", u32(HEADER.peerStride), PEER.size);
  same("readerStride", u32(HEADER.readerStride), READER.size);
  same("slotStride", u32(HEADER.slotStride), expected.slotStride);
  same("maxPeers", u32(HEADER.maxPeers), expected.maxPeers);
  same("pinWords", u32(HEADER.pinWords), expected.pinWords);
  same("totalBytes", u64(HEADER.totalBytes), expected.totalBytes);
  if (fileBytes < expected.totalBytes) {
    fail("CORRUPT", `it needs ${expected.totalBytes} bytes, but the segment has only ${fileBytes}`);
  }
  return geometry;
}
