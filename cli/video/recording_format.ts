/**
 * The bytes of an `.fdr` recording, as docs/recording.md describes them: a header, a record a frame, an index.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { type ElementType, PIXEL_FORMATS } from "../../mod.ts";
import type { Shape } from "./frame_source.ts";
import { decodeAppearance, encodeAppearance } from "./recording_colors.ts";

/** The first eight bytes; like PNG's, they do not survive a transfer as text. */
export const RECORDING_MAGIC: Uint8Array = Uint8Array.of(0x89, 0x46, 0x44, 0x52, 0x0d, 0x0a, 0x1a, 0x0a);
/** Raised by any change that an older reader would misread. */
export const RECORDING_VERSION = 1;
/** Sizes in bytes. Everything begins at a multiple of 8. */
export const SIZE = { header: 96, record: 48, index: 16, entry: 24, footer: 32 } as const;

const RECORD_MAGIC = 0x52464446; // "FDFR"
const INDEX_MAGIC = 0x49464446; // "FDFI"
const END_MAGIC = 0x45464446; // "FDFE"
const ELEMENT_TYPES: readonly ElementType[] = ["uint8", "uint16", "float32"];
const ELEMENT_BYTES = { uint8: 1, uint16: 2, float32: 4 } as const;
const PIXEL_FORMAT_BYTES = 16;
const APPEARANCE_AT = 76;
/** What a depot can be like. A header that says more was not written by `record`. */
export const HEADER_LIMITS = {
  maxSize: 1_048_576,
  metadataBytes: 16_777_216,
  dimension: 0xffffffff,
  frameBytes: 4_294_901_760,
  totalBytes: 140_737_488_355_328,
  pixelFormat: 15,
} as const;

/** What a recording says of itself. */
export type RecordingHeader = Shape & {
  /** Slots of the depot that was recorded. */
  maxSize: number;
  /** When it was begun: nanoseconds since 1970. */
  startedNs: bigint;
};

/** What stands before each frame. */
export type RecordHeader = {
  sequence: number;
  frameNumber: number;
  timestampNs: bigint;
  frameBytes: number;
  metadataBytes: number;
  /** Frames that the recorder missed between the one before and this one. */
  lost: number;
  /** CRC-32 of frame and metadata. */
  checksum: number;
};

/** A frame in the index. */
export type IndexEntry = { offset: number; frameNumber: number; timestampNs: bigint };

/** What every record begins with. */
export const RECORD_MARK: Uint8Array = new TextEncoder().encode("FDFR");

/** Why a file, or a part of one, is no recording. */
export class RecordingDamage extends Error {}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bytes of a record, with what fills it up to a multiple of 8. */
export function recordBytes(frameBytes: number, metadataBytes: number): number {
  return Math.ceil((SIZE.record + frameBytes + metadataBytes) / 8) * 8;
}

/** Writes the header. */
export function encodeHeader(header: RecordingHeader): Uint8Array {
  const bytes = new Uint8Array(SIZE.header);
  const view = viewOf(bytes);
  bytes.set(RECORDING_MAGIC);
  view.setUint32(8, RECORDING_VERSION, true);
  view.setUint32(12, SIZE.header, true);
  header.frameSize.forEach((value, i) => view.setUint32(16 + 4 * i, value, true));
  view.setUint32(28, ELEMENT_TYPES.indexOf(header.elementType), true);
  view.setBigUint64(32, BigInt(header.frameBytes), true);
  view.setUint32(40, header.metadataBytes, true);
  view.setUint32(44, header.maxSize, true);
  new TextEncoder().encodeInto(header.pixelFormat, bytes.subarray(48, 48 + PIXEL_FORMAT_BYTES));
  view.setBigUint64(64, header.startedNs, true);
  view.setUint32(72, header.variableLength ? 1 : 0, true);
  encodeAppearance(header, viewOf(bytes.subarray(APPEARANCE_AT)));
  view.setUint32(92, crc32(bytes.subarray(0, 92)), true);
  return bytes;
}

/** Reads the header. @throws {RecordingDamage} when it is none, of a version that is not known, or impossible */
export function decodeHeader(bytes: Uint8Array): RecordingHeader {
  if (bytes.length < SIZE.header || RECORDING_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new RecordingDamage("it is not a recording: it does not begin with the signature of .fdr");
  }
  const view = viewOf(bytes);
  const version = view.getUint32(8, true);
  if (version !== RECORDING_VERSION) {
    throw new RecordingDamage(`its version is ${version}; this program reads version ${RECORDING_VERSION}`);
  }
  if (view.getUint32(92, true) !== crc32(bytes.subarray(0, 92))) {
    throw new RecordingDamage("its header is damaged: the checksum does not match");
  }
  const u32 = (what: string, at: number, least: number, most: number) =>
    within(what, view.getUint32(at, true), least, most);
  u32("bytes of this header", 12, SIZE.header, SIZE.header);
  const header: RecordingHeader = {
    frameSize: [view.getUint32(16, true), view.getUint32(20, true), view.getUint32(24, true)],
    elementType: ELEMENT_TYPES[u32("element type", 28, 0, ELEMENT_TYPES.length - 1)],
    pixelFormat: decodeLabel(bytes.subarray(48, 48 + PIXEL_FORMAT_BYTES)),
    frameBytes: Number(within("bytes of a frame", view.getBigUint64(32, true), 1, HEADER_LIMITS.frameBytes)),
    metadataBytes: u32("maximum of bytes of metadata", 40, 0, HEADER_LIMITS.metadataBytes),
    maxSize: u32("slots", 44, 1, HEADER_LIMITS.maxSize),
    startedNs: view.getBigUint64(64, true),
    variableLength: u32("lengths of their own", 72, 0, 1) === 1,
    ...decodeAppearance(viewOf(bytes.subarray(APPEARANCE_AT))),
  };
  checkShape(header);
  return header;
}

const impossible = (what: string, value: unknown, must: string) =>
  new RecordingDamage(`its header is damaged: the field "${what}" is ${value}; it must be ${must}`);

function within<T extends number | bigint>(what: string, value: T, least: number, most: number): T {
  if (value >= least && value <= most) return value;
  throw impossible(what, value, least === most ? String(least) : `from ${least} to ${most}`);
}

/** The pixel format. Nothing of a file reaches a terminal as it is. */
function decodeLabel(bytes: Uint8Array): string {
  const codes = [...bytes.subarray(0, bytes.findLastIndex((code) => code !== 0) + 1)];
  if (codes.length <= HEADER_LIMITS.pixelFormat && codes.every((code) => code > 0x20 && code < 0x7f)) {
    return String.fromCharCode(...codes);
  }
  const shown = codes.map((code) =>
    code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, "0")}`
  );
  const must = `at most ${HEADER_LIMITS.pixelFormat} printable ASCII characters`;
  throw impossible("pixel format", `"${shown.join("")}"`, must);
}

/** What one field says must be what the others say. */
function checkShape({ frameSize, elementType, pixelFormat, frameBytes, variableLength, maxSize }: RecordingHeader) {
  const format = PIXEL_FORMATS.get(pixelFormat);
  const [width, height, channels] = frameSize;
  // The content of compressed frames says their size.
  const unsaid = format === undefined && width === 0 && height === 0 && channels === 0;
  if (!unsaid) {
    within("width", width, 1, HEADER_LIMITS.dimension);
    within("height", height, 1, HEADER_LIMITS.dimension);
  }
  if (format !== undefined) {
    const right = {
      channels: [channels, format.channels],
      "element type": [elementType, format.elementType],
      "lengths of their own": [Number(variableLength), 0],
      "bytes of a frame": [frameBytes, format.frameBytes(width, height)],
    };
    const wrong = Object.entries(right).find(([, [said, must]]) => said !== must);
    if (wrong !== undefined) {
      throw impossible(wrong[0], wrong[1][0], `${wrong[1][1]}, as ${width} × ${height} ${pixelFormat} has it`);
    }
  }
  const elementBytes = ELEMENT_BYTES[elementType];
  if (frameBytes % elementBytes !== 0) {
    throw impossible("bytes of a frame", frameBytes, `a multiple of ${elementBytes}, the bytes of a ${elementType}`);
  }
  within("slots", maxSize, 1, Math.floor(HEADER_LIMITS.totalBytes / frameBytes));
}

/** Writes what stands before a frame. */
export function encodeRecord(record: RecordHeader, bytes: Uint8Array = new Uint8Array(SIZE.record)): Uint8Array {
  const view = viewOf(bytes);
  view.setUint32(0, RECORD_MAGIC, true);
  view.setBigUint64(8, BigInt(record.sequence), true);
  view.setBigInt64(16, BigInt(record.frameNumber), true);
  view.setBigUint64(24, record.timestampNs, true);
  view.setUint32(32, record.frameBytes, true);
  view.setUint32(36, record.metadataBytes, true);
  view.setUint32(40, record.lost, true);
  view.setUint32(44, record.checksum, true);
  view.setUint32(4, crc32(bytes.subarray(8, SIZE.record)), true);
  return bytes;
}

/** Reads what stands before a frame; undefined where there is no record. */
export function decodeRecord(bytes: Uint8Array): RecordHeader | undefined {
  if (bytes.length < SIZE.record) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== RECORD_MAGIC) return undefined;
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8, SIZE.record))) return undefined;
  return {
    sequence: Number(view.getBigUint64(8, true)),
    frameNumber: Number(view.getBigInt64(16, true)),
    timestampNs: view.getBigUint64(24, true),
    frameBytes: view.getUint32(32, true),
    metadataBytes: view.getUint32(36, true),
    lost: view.getUint32(40, true),
    checksum: view.getUint32(44, true),
  };
}

/** Whether a frame can be as its record says, in a recording with this header. */
export function isPossible(record: RecordHeader, header: RecordingHeader): boolean {
  const { frameBytes, metadataBytes, frameNumber } = record;
  const fits = header.variableLength ? frameBytes <= header.frameBytes : frameBytes === header.frameBytes;
  return fits && metadataBytes <= header.metadataBytes && Number.isSafeInteger(frameNumber);
}

/** Writes the index and the footer by which it is found from the end. @param offset where it will stand */
export function encodeIndex(entries: readonly IndexEntry[], offset: number): Uint8Array {
  const footerAt = SIZE.index + entries.length * SIZE.entry;
  const bytes = new Uint8Array(footerAt + SIZE.footer);
  const view = viewOf(bytes);
  view.setUint32(0, INDEX_MAGIC, true);
  view.setBigUint64(8, BigInt(entries.length), true);
  entries.forEach((entry, i) => {
    const at = SIZE.index + i * SIZE.entry;
    view.setBigUint64(at, BigInt(entry.offset), true);
    view.setBigInt64(at + 8, BigInt(entry.frameNumber), true);
    view.setBigUint64(at + 16, entry.timestampNs, true);
  });
  view.setBigUint64(footerAt, BigInt(offset), true);
  view.setBigUint64(footerAt + 8, BigInt(entries.length), true);
  view.setUint32(footerAt + 16, crc32(bytes.subarray(0, footerAt)), true);
  view.setUint32(footerAt + 28, END_MAGIC, true);
  view.setUint32(footerAt + 20, crc32(bytes.subarray(footerAt, footerAt + 20)), true);
  return bytes;
}

/** Reads the footer: the place, length and checksum of the index; undefined where there is none. */
export function decodeFooter(bytes: Uint8Array): { offset: number; count: number; checksum: number } | undefined {
  if (bytes.length < SIZE.footer) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(28, true) !== END_MAGIC) return undefined;
  if (view.getUint32(20, true) !== crc32(bytes.subarray(0, 20))) return undefined;
  return {
    offset: Number(view.getBigUint64(0, true)),
    count: Number(view.getBigUint64(8, true)),
    checksum: view.getUint32(16, true),
  };
}

/** Reads an index, without its footer; undefined where it is damaged. */
export function decodeIndex(bytes: Uint8Array, checksum: number): IndexEntry[] | undefined {
  if (crc32(bytes) !== checksum || viewOf(bytes).getUint32(0, true) !== INDEX_MAGIC) return undefined;
  const view = viewOf(bytes);
  return Array.from({ length: (bytes.length - SIZE.index) / SIZE.entry }, (_, i) => {
    const at = SIZE.index + i * SIZE.entry;
    return {
      offset: Number(view.getBigUint64(at, true)),
      frameNumber: Number(view.getBigInt64(at + 8, true)),
      timestampNs: view.getBigUint64(at + 16, true),
    };
  });
}
