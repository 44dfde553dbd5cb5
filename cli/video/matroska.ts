/**
 * Raw frames with timestamps as a Matroska stream, which ffmpeg reads from a pipe: EBML (RFC 8794), Matroska
 * (RFC 9559). Each frame is a cluster of its own, so that its time may be anything. How long it lasts is behind its
 * bytes: it is known when the next one comes.
 *
 * @module
 */
import type { FieldOrder } from "../../mod.ts";

/** What the stream says of its frames. */
export type MatroskaVideo = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** `V_UNCOMPRESSED`, or the codec of compressed frames. */
  codec: string;
  /** Four characters that name the pixel format of raw frames. */
  fourCc?: Uint8Array | undefined;
  /** Nanoseconds from frame to frame, as a hint for encoders that want a rate. */
  frameNs: number;
  sampleAspectRatio?: readonly [width: number, height: number] | undefined;
  /** Whether a frame is two fields, and which is the first. */
  fieldOrder?: FieldOrder | undefined;
};

/** Numbers of Matroska's FieldOrder. */
const FIELD_ORDERS = { progressive: 0, tt: 1, bb: 6, tb: 9, bt: 14 } as const;

type Element = [id: number, value: number | string | Uint8Array | Element[]];

const UNKNOWN_SIZE = Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const SEGMENT = Uint8Array.of(0x18, 0x53, 0x80, 0x67);
/** Of a block: track 1, no offset from the cluster's time, no flags. */
const BLOCK_HEAD = Uint8Array.of(0x81, 0, 0, 0);
/** BlockDuration, with eight bytes. */
const DURATION = Uint8Array.of(0x9b, 0x88);
const TAIL_BYTES = DURATION.length + 8;

/** A number in as few bytes as it needs, the highest first. */
function bigEndian(value: number | bigint): Uint8Array {
  const digits = value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(even.match(/../g)!, (pair) => parseInt(pair, 16));
}

/** A size in eight bytes: it always fits. */
function sizeOf(length: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length) | 1n << 56n);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function encoded([id, value]: Element): Uint8Array {
  const body = typeof value === "number"
    ? bigEndian(value)
    : typeof value === "string"
    ? new TextEncoder().encode(value)
    : value instanceof Uint8Array
    ? value
    : joined(value.map(encoded));
  return joined([bigEndian(id), sizeOf(body.length), body]);
}

/** What is before the first frame. */
export function matroskaHeader(video: MatroskaVideo): Uint8Array {
  const { width, height, codec, fourCc, frameNs, sampleAspectRatio, fieldOrder = "progressive" } = video;
  const picture: Element[] = [
    [0xb0, width],
    [0xba, height],
    ...(fourCc === undefined ? [] : [[0x2eb524, fourCc] as Element]), // UncompressedFourCC
    [0x9a, fieldOrder === "progressive" ? 2 : 1], // FlagInterlaced
    ...(fieldOrder === "progressive" ? [] : [[0x9d, FIELD_ORDERS[fieldOrder]] as Element]), // FieldOrder
    ...(sampleAspectRatio === undefined ? [] : [
      [0x54b0, width * sampleAspectRatio[0]], // DisplayWidth
      [0x54ba, height * sampleAspectRatio[1]], // DisplayHeight
      [0x54b2, 3], // DisplayUnit: only their ratio counts
    ] as Element[]),
  ];
  const track: Element = [0xae, [
    [0xd7, 1], // TrackNumber
    [0x73c5, 1], // TrackUID
    [0x83, 1], // TrackType: video
    [0x9c, 0], // FlagLacing
    [0x23e383, Math.max(1, Math.round(frameNs))], // DefaultDuration
    [0x86, codec],
    [0xe0, picture],
  ]];
  const head: Element = [0x1a45dfa3, [[0x4286, 1], [0x42f7, 1], [0x42f2, 4], [0x42f3, 8], [0x4282, "matroska"], [
    0x4287,
    4,
  ], [0x4285, 2]]];
  const info: Element = [0x1549a966, [[0x2ad7b1, 1], [0x4d80, "frames-depot"], [0x5741, "frames-depot"]]];
  return joined([encoded(head), SEGMENT, UNKNOWN_SIZE, encoded(info), encoded([0x1654ae6b, [track]])]);
}

/** What is before each frame. @param timeNs nanoseconds from the first one @param length bytes of the frame */
export function matroskaFrameHead(timeNs: bigint, length: number): Uint8Array {
  const time = encoded([0xe7, bigEndian(timeNs)]);
  const block = joined([Uint8Array.of(0xa1), sizeOf(BLOCK_HEAD.length + length), BLOCK_HEAD]);
  const inGroup = block.length + length + TAIL_BYTES;
  const group = joined([Uint8Array.of(0xa0), sizeOf(inGroup)]);
  const cluster = sizeOf(time.length + group.length + inGroup);
  return joined([bigEndian(0x1f43b675), cluster, time, group, block]);
}

/** What is behind each frame. @param durationNs nanoseconds to the next one */
export function matroskaFrameTail(durationNs: bigint): Uint8Array {
  const tail = new Uint8Array(TAIL_BYTES);
  tail.set(DURATION);
  new DataView(tail.buffer).setBigUint64(DURATION.length, durationNs);
  return tail;
}
