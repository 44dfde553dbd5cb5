/**
 * A frame, copied: nothing of the depot is held while a picture is made of it.
 *
 * @module
 */
import type { Frame, FrameData, FramesDepot } from "../../mod.ts";
import { framesBefore, isJpeg, type Pixels } from "../video/frame_picture.ts";
import { jpegSize } from "../video/jpeg_size.ts";

/** Which frame it is. */
export type Which = {
  name: string;
  /** Of the depot. */
  id: string;
  number: number;
  sequence: number;
  timestampNs: bigint;
  fullWidth: number;
  fullHeight: number;
};

/** A frame's copy. */
export type Snapshot = { which: Which; pixels: Pixels; data: FrameData; before: Uint8Array[] };

/** Gives memory for a copy. */
export type Room = (bytes: number) => ArrayBuffer;

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, float32: Float32Array } as const;

/** Copies a frame. */
export function snapshotOf(depot: FramesDepot, frame: Frame, room: Room): Snapshot {
  const { frameNumber: number, sequence, timestampNs, data } = frame;
  const { name, id } = depot;
  const { pixelFormat, elementType, color } = depot;
  const bytes = new Uint8Array(room(data.byteLength));
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const frameSize = depot.frameSize;
  // A depot of JPEGs need not say their size, and need not be right.
  const own = isJpeg(pixelFormat) ? jpegSize(bytes) : undefined;
  if (own !== undefined) [frameSize[0], frameSize[1]] = [own.width, own.height];
  return {
    which: { name, id, number, sequence, timestampNs, fullWidth: frameSize[0], fullHeight: frameSize[1] },
    pixels: { name, pixelFormat, elementType, frameSize, color },
    data: new ARRAYS[elementType](bytes.buffer),
    before: framesBefore(depot, number),
  };
}

/** How much later than its timestamp something happens, where timestamps are the time of day. Milliseconds. */
export function ageMs({ timestampNs }: Pick<Which, "timestampNs">): number | undefined {
  const age = Date.now() - Number(timestampNs / 1000n) / 1000;
  return age > -CLOCK_MS && age < LONG_MS ? Math.round(Math.max(0, age) * 10) / 10 : undefined;
}

const CLOCK_MS = 1000;
const LONG_MS = 86_400_000;
