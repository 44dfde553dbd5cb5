/**
 * Raw bytes in, frames out: a stream of video cut into frames.
 *
 * @module
 */
import type { Geometry } from "../ring/geometry.ts";
import { type ByteSource, Feed } from "./byte_source.ts";
import type { Intake } from "./intake.ts";
import { checkFrameNumber, checkLastFrame, checkTimestamp, checkWait } from "./checks.ts";
import { checkNames, type Names } from "./option_names.ts";

/** How {@linkcode FramesDepot.writeFrom} writes. */
export interface WriteFromOptions {
  /** Ends the writing; its reason is thrown. What has been read and not stored is kept for the next call. */
  signal?: AbortSignal | undefined;
  /**
   * The first frame's number, from which on each has the next; or each frame's, by its index. Default: its sequence.
   */
  frameNumber?: number | ((index: number) => number) | undefined;
  /** Nanoseconds, by the frame's index. Default: the time of publishing since 1970. */
  timestampNs?: bigint | number | ((index: number) => bigint | number) | undefined;
}

const WRITE_NAMES: Names<WriteFromOptions> = { signal: true, frameNumber: true, timestampNs: true };

/** As {@linkcode FramesDepot.writeFrom}. */
export async function writeFrom(
  intake: Intake,
  geometry: Geometry,
  source: ByteSource,
  options: WriteFromOptions,
): Promise<number> {
  const { signal } = checkWait(options);
  checkNames("writeFrom", options, WRITE_NAMES);
  const numberOf = checkNumbers(options.frameNumber);
  const timestampOf = checkTimes(options.timestampNs);
  intake.assertOpen(); // after the arguments: a getter of theirs may have closed the depot
  const ended = new AbortController();
  const feed = Feed.begin(source, [signal, intake.closing, ended.signal]);
  // A source may be silent for long; while a frame waits for room, the depot itself says so at once.
  const stopWatching = intake.watchEnd((error) => ended.abort(error));
  const { frameBytes } = geometry;
  const frame = new Uint8Array(frameBytes);
  let filled = 0;
  let stored = 0;
  const put = (bytes: Uint8Array) => {
    const part = bytes.subarray(0, frameBytes - filled);
    frame.set(part, filled);
    filled += part.length;
    return part.length;
  };
  try {
    for (let index = 0;; index++) {
      // A whole frame before a slot: while bytes are waited for, no slot is held.
      const isWhole = await feed.read(put, () => filled < frameBytes);
      if (!isWhole && filled === 0) return stored;
      const bytes = isWhole ? frame : frame.subarray(0, checkLastFrame(filled, geometry));
      const input = { frame: bytes, frameNumber: numberOf(index), timestampNs: timestampOf(index) };
      const { state } = await intake.enqueue(input, { signal });
      if (state === "stored") stored++;
      filled = 0;
    }
  } finally {
    stopWatching();
    feed.unread(frame.subarray(0, filled));
    feed.end();
  }
}

/** @throws {TypeError | RangeError} */
function checkNumbers(value: WriteFromOptions["frameNumber"]): (index: number) => number | undefined {
  if (value === undefined || typeof value === "function") return (index) => value?.(index);
  const first = checkFrameNumber(value);
  return (index) => first + index;
}

/** @throws {TypeError | RangeError} */
function checkTimes(value: WriteFromOptions["timestampNs"]): (index: number) => bigint | number | undefined {
  if (value === undefined || typeof value === "function") return (index) => value?.(index);
  const same = checkTimestamp(value);
  return () => same;
}
