/**
 * Depots of small frames, and what is in them, for the tests that fill frames with raw bytes.
 *
 * @module
 */
import type { DepotOptions, FramesDepot } from "../../mod.ts";
import { cut } from "./sources.ts";

/** Bytes of a frame. */
export const FRAME = 12;
/** A depot of such frames. */
export const shape: DepotOptions = { frameSize: [2, 2, 3], maxSize: 16 };
/** Waits. */
export const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The bytes of every frame in the depot. */
export function framesIn(depot: FramesDepot): number[][] {
  const reader = depot.frames({ mode: "lossy", from: "oldest" });
  const frames: number[][] = [];
  for (let frame; (frame = reader.tryNext()) !== undefined;) frames.push([...new Uint8Array(frame.copy().buffer)]);
  reader.release();
  return frames;
}

/** Bytes cut into frames. */
export const framesOf = (bytes: Uint8Array<ArrayBuffer>, size = FRAME) => cut(bytes, [size]).map((frame) => [...frame]);
