/**
 * Frames that say which one they are in every word, quickly made and compared; and what memory must show: a frame's own
 * bytes as long as its lease lasts, and zeros or its own bytes where a buffer was moved away and the depot object is
 * closed.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { metadataOffset } from "../../ring/geometry.ts";
import { Random } from "../support/random.ts";
import { metadataOf, show, timestampOf } from "../support/stamp.ts";
import type { Frame } from "../../mod.ts";

/** Any view. */
export type View = ArrayBufferView<ArrayBufferLike>;

/** Every frame is a piece of one pattern, from a place of its own on; its ends have its number. */
const PLACES = 4096;
const MOST_BYTES = 8 * 1024 * 1024;
/** Frames whose bytes are remembered. */
const REMEMBERED = 64;

let pattern: Uint32Array | undefined;
const remembered = new Map<number, Uint8Array>();

function madePattern(): Uint32Array {
  const random = new Random(1);
  return Uint32Array.from({ length: MOST_BYTES / 4 + PLACES }, () => random.integer(1, 0xffff_ffff));
}

/** What a whole frame has. */
export function framePixels(frameNumber: number, frameBytes: number): Uint8Array<ArrayBuffer> {
  const place = Math.imul(frameNumber % 2 ** 31 + 7 * Math.floor(frameNumber / 2 ** 31), 0x9e3779b1) >>> 20;
  const words = (pattern ??= madePattern()).slice(place, place + (frameBytes >> 2));
  const last = words.length - 1;
  words[0] = words[last - 1] = frameNumber % 2 ** 32;
  words[1] = words[last] = 1 + Math.floor(frameNumber / 2 ** 32);
  return new Uint8Array(words.buffer);
}

function expected(frameNumber: number, frameBytes: number): Uint8Array {
  const known = remembered.get(frameNumber);
  if (known !== undefined && known.length === frameBytes) return known;
  const pixels = framePixels(frameNumber, frameBytes);
  remembered.set(frameNumber, pixels);
  if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value!);
  return pixels;
}

/** The bytes of a view. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: View): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** Draws a frame. */
export function draw(data: View, frameNumber: number, most: number = data.byteLength): void {
  bytesOf(data).set(expected(frameNumber, data.byteLength).subarray(0, most));
}

/** What is wrong with pixels that are a frame's. */
export function pixelsFlaw(data: View, frameNumber: number): string | undefined {
  const own = expected(frameNumber, data.byteLength);
  const bytes = bytesOf(data);
  if (bytes.length === 0) return `frame ${show(frameNumber)} has no data while it is leased`;
  if (Buffer.compare(bytes, own) === 0) return undefined;
  const at = bytes.findIndex((byte, at) => byte !== own[at]);
  return `byte ${at} of frame ${show(frameNumber)} is ${bytes[at]}, not ${own[at]}: ${whose(bytes)}`;
}

/** Whose frame it seems to be, for people. */
function whose(bytes: Uint8Array): string {
  const [low, high] = new Uint32Array(bytes.slice(0, 8).buffer);
  return high === 0
    ? `its first bytes are ${bytes.subarray(0, 8)}`
    : `it begins as ${show((high - 1) * 2 ** 32 + low)}`;
}

/** What is wrong with a frame's metadata. */
export function metadataFlaw(metadata: Uint8Array, frameNumber: number): string | undefined {
  const own = metadataOf(frameNumber);
  if (Buffer.compare(metadata, own) === 0) return undefined;
  return `the metadata of frame ${show(frameNumber)} is [${metadata}], not [${own}]`;
}

/** What is wrong with a whole frame under lease. */
export function frameFlaw({ frameNumber, timestampNs, data, metadata }: Frame): string | undefined {
  if (timestampNs !== timestampOf(frameNumber)) return `the time of frame ${show(frameNumber)} is ${timestampNs}`;
  return pixelsFlaw(data, frameNumber) ?? metadataFlaw(metadata, frameNumber);
}

/** What is wrong with a slot's whole buffer, metadata included; one that was cut shows no more than it has. */
export function bufferFlaw(buffer: ArrayBuffer, frameNumber: number, frameBytes: number): string | undefined {
  if (buffer.byteLength < frameBytes) return undefined;
  const flaw = pixelsFlaw(new Uint8Array(buffer, 0, frameBytes), frameNumber);
  const at = metadataOffset(frameBytes);
  const { length } = metadataOf(frameNumber);
  if (flaw !== undefined || buffer.byteLength < at + length) return flaw;
  return metadataFlaw(new Uint8Array(buffer, at, length), frameNumber);
}

/** What is wrong with memory that may lead to zero pages by now: every word is the frame's or 0. */
export function remainsFlaw(buffer: ArrayBuffer, frameNumber: number, frameBytes: number): string | undefined {
  const bytes = new Uint8Array(buffer, 0, Math.min(buffer.byteLength, frameBytes & ~3));
  if (Buffer.compare(bytes, zeros(bytes.length)) === 0) return undefined;
  const words = new Uint32Array(buffer, 0, bytes.length >> 2);
  const own = new Uint32Array(framePixels(frameNumber, frameBytes).buffer);
  for (let at = 0; at < words.length; at++) {
    // Read once: the pages may change between two looks.
    const word = words[at];
    if (word === 0 || word === own[at]) continue;
    return `word ${at} of a buffer that was frame ${show(frameNumber)}'s is ${word}, neither ${own[at]} nor 0: ${
      whose(bytes)
    }`;
  }
  return undefined;
}

let nothing = new Uint8Array(0);

function zeros(length: number): Uint8Array {
  if (nothing.length < length) nothing = new Uint8Array(length);
  return nothing.subarray(0, length);
}
