/**
 * Frames that say which one they are, and a reader that looks at every byte: for tests of relays, and their peers.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Frame, FramesDepot } from "../../mod.ts";

/** Bytes of a frame that say which one it is, in each of its parts. */
export function stamped(n: number, bytes: number): Uint8Array {
  const frame = new Uint8Array(bytes).fill(n * 7 + 1);
  new DataView(frame.buffer).setUint32(0, n);
  new DataView(frame.buffer).setUint32(bytes - 4, n);
  return frame;
}

/** Whether a frame is the one of its number, whole. */
export function isWhole(frame: Frame, bytes: number): boolean {
  const wanted = stamped(frame.frameNumber, bytes);
  const data = new Uint8Array(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength);
  return Buffer.compare(data, wanted) === 0;
}

/** What a reader of the far depot got. */
export type Seen = { count: number; torn: number; disordered: number; numbers: number[]; lost: number };

/** Reads a name until its depot ends, looking at every byte. */
export async function readAll(name: string, bytes: number, mode: "lossless" | "lossy" = "lossless"): Promise<Seen> {
  const seen: Seen = { count: 0, torn: 0, disordered: 0, numbers: [], lost: 0 };
  for await (const frame of FramesDepot.follow(name, { mode, whenEnded: "end" })) {
    const { frameNumber, timestampNs, metadata } = frame;
    const isRight = isWhole(frame, bytes) && timestampNs === BigInt(frameNumber) * 1000n &&
      (metadata.length === 0 || metadata[0] === (frameNumber & 255) && metadata[1] === (frameNumber >> 8 & 255));
    if (!isRight) seen.torn++;
    if (frameNumber <= (seen.numbers.at(-1) ?? -1)) seen.disordered++;
    seen.numbers.push(frameNumber);
    seen.count++;
    seen.lost += frame.lost;
  }
  return seen;
}
