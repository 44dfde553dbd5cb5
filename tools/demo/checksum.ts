/**
 * How a frame proves that it is whole: its number and a checksum over all its pixels, in the metadata beside it.
 *
 * @module
 */
import type { Frame, FrameSlot } from "../../mod.ts";

/** Bytes of metadata: the number (float64), the checksum (uint32), the bytes it covers (uint32); little-endian. */
export const STAMP_BYTES = 16;

const PRIME = 0x9e3779b1 | 0;

function mix(lane: number, word: number): number {
  const mixed = lane ^ word;
  return Math.imul((mixed << 13) | (mixed >>> 19), PRIME);
}

/**
 * A checksum in which the place of every bit counts, so that swapped rows and mixed frames change it. A change within
 * one word of 32 bits is certain to be seen, any other but for one chance in four thousand million.
 *
 * Each round waits for the one before it, so there are eight lanes, each over every eighth word: together they keep
 * the processor's multiplier busy.
 *
 * @param pixels must begin at a multiple of 4 in their buffer, as slots do
 */
export function checksum(pixels: Uint8Array): number {
  const words = new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.byteLength >> 2);
  const inLanes = words.length & ~7;
  let [a, b, c, d, e, f, g, h] = [1, 2, 3, 4, 5, 6, 7, 8];
  for (let i = 0; i < inLanes; i += 8) {
    a = mix(a, words[i]);
    b = mix(b, words[i + 1]);
    c = mix(c, words[i + 2]);
    d = mix(d, words[i + 3]);
    e = mix(e, words[i + 4]);
    f = mix(f, words[i + 5]);
    g = mix(g, words[i + 6]);
    h = mix(h, words[i + 7]);
  }
  let sum = pixels.byteLength;
  for (const lane of [a, b, c, d, e, f, g, h]) sum = mix(sum, lane);
  for (let i = inLanes * 4; i < pixels.byteLength; i++) sum = mix(sum, pixels[i]);
  return sum >>> 0;
}

function pixelsOf({ data }: Frame | FrameSlot): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Writes the stamp of what is in the slot. */
export function stamp(slot: FrameSlot): void {
  const pixels = pixelsOf(slot);
  const { buffer, byteOffset } = slot.metadata;
  const view = new DataView(buffer, byteOffset, STAMP_BYTES);
  view.setFloat64(0, slot.frameNumber, true);
  view.setUint32(8, checksum(pixels), true);
  view.setUint32(12, pixels.byteLength, true);
}

/** Whether number, size and every pixel are what the producer stamped. */
export function isWhole(frame: Frame): boolean {
  const { buffer, byteOffset, byteLength } = frame.metadata;
  if (byteLength !== STAMP_BYTES) return false;
  const view = new DataView(buffer, byteOffset, byteLength);
  const pixels = pixelsOf(frame);
  return view.getFloat64(0, true) === frame.frameNumber && view.getUint32(12, true) === pixels.byteLength &&
    view.getUint32(8, true) === checksum(pixels);
}
