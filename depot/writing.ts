/**
 * Raw bytes in, frames out: a stream of video cut into frames.
 *
 * @module
 */
import { type ByteSource, Feed } from "./byte_source.ts";
import type { Intake } from "./intake.ts";
import { checkWait } from "./options.ts";

/** How {@linkcode FramesDepot.writeFrom} writes. */
export interface WriteFromOptions {
  /** Ends the writing; its reason is thrown. What has been read and not stored is kept for the next call. */
  signal?: AbortSignal;
  /** The first frame's number, from which on each has the next; or each frame's, by its index. Default: its sequence. */
  frameNumber?: number | ((index: number) => number);
  /** Nanoseconds, by the frame's index. Default: the time of publishing since 1970. */
  timestampNs?: bigint | number | ((index: number) => bigint | number);
}

/** As {@linkcode FramesDepot.writeFrom}. */
export async function writeFrom(
  intake: Intake,
  frameBytes: number,
  source: ByteSource,
  options: WriteFromOptions,
): Promise<number> {
  const { signal } = checkWait(options);
  const { frameNumber, timestampNs } = options;
  const feed = Feed.of(source);
  const frame = new Uint8Array(frameBytes);
  let filled = 0;
  let stored = 0;
  try {
    for (let index = 0;; index++) {
      // A whole frame before a slot: while bytes are waited for, no slot is held.
      const isWhole = await feed.read(
        (bytes) => {
          const part = bytes.subarray(0, frameBytes - filled);
          frame.set(part, filled);
          filled += part.length;
          return part.length;
        },
        () => filled < frameBytes,
        signal,
      );
      if (!isWhole && filled === 0) return stored;
      if (!isWhole) throw new RangeError(`the source ended ${filled} bytes into a frame of ${frameBytes}`);
      const { state } = await intake.enqueue({
        frame,
        frameNumber: typeof frameNumber === "number" ? frameNumber + index : frameNumber?.(index),
        timestampNs: typeof timestampNs === "function" ? timestampNs(index) : timestampNs,
      }, { signal });
      filled = 0;
      if (state === "stored") stored++;
    }
  } catch (error) {
    feed.unread(frame.subarray(0, filled));
    throw error;
  }
}
