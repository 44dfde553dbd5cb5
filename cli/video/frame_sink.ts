/**
 * Where frames go to: raw bytes or Y4M. (Files that ffmpeg encodes are in encoder.ts.)
 *
 * @module
 */
import type { PixelFormat } from "../../mod.ts";
import type { Failure } from "../failure.ts";
import type { ByteSink } from "./byte_sink.ts";
import type { Appearance } from "./colors.ts";
import type { FrameRate } from "./frame_source.ts";
import { y4mHeader } from "./y4m.ts";
import type { Y4mFrames } from "./y4m_frames.ts";

/** Frames of one shape, one after the other. */
export type FrameSink = {
  /**
   * Takes a frame; the bytes must stay until the promise is settled.
   *
   * @param timeNs nanoseconds from the first frame
   * @throws {PipeClosed} when the reader has gone
   */
  write(frame: Uint8Array, timeNs: bigint): Promise<void>;
  /** Completes what was written. @returns the failure with which the command ends although it is complete */
  finish(): Promise<Failure | undefined>;
  /** Closes files and processes; without {@linkcode FrameSink.finish} the output is as it is. */
  close(): Promise<void>;
  /** Of a file that has been closed. */
  readonly made?: MadeFile | undefined;
};

/** A file that ffmpeg has made. */
export type MadeFile = {
  /** Frames that ffmpeg has put into it: of one rate, it doubles some and leaves others out. */
  frames: number;
  /** ffmpeg has not failed, and complained of nothing that is not tolerated. */
  whole: boolean;
};

/** What a sink must know of the frames. */
export type Video = {
  width: number;
  height: number;
  /** What raw frames are, or the label of compressed ones, as `mjpeg`. */
  format: PixelFormat | string;
  /** The one rate of outputs that have no times. */
  rate: FrameRate;
  appearance: Appearance;
};

/** Raw frames. */
export function rawSink(bytes: ByteSink): FrameSink {
  return {
    write: (frame) => bytes.write(frame),
    finish: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

/** A format's name. */
export function nameOf(format: PixelFormat | string): string {
  return typeof format === "string" ? format : format.name;
}

/** Y4M. @param frames what frames become for it */
export async function y4mSink(bytes: ByteSink, video: Video, { format, convert }: Y4mFrames): Promise<FrameSink> {
  const encoder = new TextEncoder();
  const mark = encoder.encode("FRAME\n");
  await bytes.write(encoder.encode(y4mHeader({ ...video, format: format.name })));
  return {
    ...rawSink(bytes),
    async write(frame) {
      await bytes.write(mark);
      await bytes.write(convert?.(frame) ?? frame);
    },
  };
}
