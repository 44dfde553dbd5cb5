/**
 * Frames that say whose they are: every word of the payload, the metadata and the timestamp follow from the life that
 * made the frame and the place it has in that life, so one word from another frame is seen.
 *
 * @module
 */

/** What there is to see of a frame. */
export type Seen = {
  frameNumber: number;
  timestampNs: bigint;
  data: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number };
  metadata: Uint8Array;
};

/** The most frames of a life; with it a life's number is at most 2^22. */
const FRAMES = 2 ** 31;
/** Bytes beside each frame. */
export const METADATA_BYTES = 16;
/** The life that no process lives: its one frame ends a run. */
export const END_LIFE = 0;

/** The number of a life's frame. */
export const numberOf = (life: number, counter: number): number => life * FRAMES + counter;
/** Whose frame it is. */
export const lifeOf = (frameNumber: number): number => Math.floor(frameNumber / FRAMES);
/** Which of them it is. */
export const counterOf = (frameNumber: number): number => frameNumber % FRAMES;

const STEP = 0x9e3779b1;

function startOf(frameNumber: number): number {
  let value = Math.imul(lifeOf(frameNumber) + 1, 0x85ebca6b) ^ Math.imul(counterOf(frameNumber) + 1, 0xc2b2ae35);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (value ^ (value >>> 13)) >>> 0;
}

const wordsOf = ({ buffer, byteOffset, byteLength }: Seen["data"]): Uint32Array =>
  new Uint32Array(buffer, byteOffset, byteLength >> 2);

/** Fills words `from` to `to` of a frame, all of them if nothing else is said. */
export function fill(data: Seen["data"], frameNumber: number, from = 0, to = data.byteLength >> 2): void {
  const words = wordsOf(data);
  const start = startOf(frameNumber);
  for (let at = from; at < to; at++) words[at] = (start + Math.imul(at, STEP)) >>> 0;
}

/** The metadata of a frame; its length differs from frame to frame. */
export function metadataOf(frameNumber: number): Uint8Array {
  const bytes = new Uint8Array(8 + frameNumber % (METADATA_BYTES - 7));
  new DataView(bytes.buffer).setFloat64(0, frameNumber);
  return bytes;
}

/** The timestamp of a frame. */
export const timestampOf = (frameNumber: number): bigint => BigInt(frameNumber) * 3n + 1n;

/** What is wrong with a frame; undefined when nothing is. Every byte is looked at. */
export function flaw(frame: Seen): string | undefined {
  const { frameNumber } = frame;
  const words = wordsOf(frame.data);
  if (words.length === 0) return `frame ${show(frameNumber)} has no data while it is leased`;
  const start = startOf(frameNumber);
  for (let at = 0; at < words.length; at++) {
    const expected = (start + Math.imul(at, STEP)) >>> 0;
    if (words[at] !== expected) return `word ${at} of frame ${show(frameNumber)} is ${words[at]}, not ${expected}`;
  }
  if (frame.timestampNs !== timestampOf(frameNumber)) {
    return `the timestamp of frame ${show(frameNumber)} is ${frame.timestampNs}`;
  }
  const expected = metadataOf(frameNumber);
  const same = expected.length === frame.metadata.length && expected.every((byte, at) => byte === frame.metadata[at]);
  return same ? undefined : `the metadata of frame ${show(frameNumber)} is [${frame.metadata}], not [${expected}]`;
}

/** A frame number as people read it here. */
export const show = (frameNumber: number): string => `${lifeOf(frameNumber)}:${counterOf(frameNumber)}`;
