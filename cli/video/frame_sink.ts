/**
 * Where frames go to: raw bytes, Y4M, or a file that ffmpeg encodes.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import process from "node:process";
import { EXIT, Failure } from "../failure.ts";
import { ByteSink, PipeClosed } from "./byte_sink.ts";
import { makePipe } from "./descriptors.ts";
import { cannotRun, LogTail } from "./ffmpeg_log.ts";
import { type Appearance, colorOptions } from "./colors.ts";
import type { FrameRate } from "./frame_source.ts";
import { y4mHeader } from "./y4m.ts";

/** Frames of one shape, one after the other. */
export type FrameSink = {
  /** Takes a frame; the bytes must stay until the promise is settled. @throws {PipeClosed} when the reader has gone */
  write(frame: Uint8Array): Promise<void>;
  /** Completes what was written. */
  finish(): Promise<void>;
  /** Closes files and processes; without {@linkcode FrameSink.finish} the output is as it is. */
  close(): Promise<void>;
};

/** What a sink must know of the frames. */
export type Video = { width: number; height: number; format: string; rate: FrameRate; appearance: Appearance };

/** Raw frames. */
export function rawSink(bytes: ByteSink): FrameSink {
  return { write: (frame) => bytes.write(frame), finish: async () => {}, close: async () => {} };
}

/** Y4M. @throws {RangeError} for a format that has no place in it */
export async function y4mSink(bytes: ByteSink, video: Video): Promise<FrameSink> {
  const encoder = new TextEncoder();
  const mark = encoder.encode("FRAME\n");
  await bytes.write(encoder.encode(y4mHeader(video)));
  return {
    async write(frame) {
      await bytes.write(mark);
      await bytes.write(frame);
    },
    finish: async () => {},
    close: async () => {},
  };
}

/** Containers whose players expect even sizes and 4:2:0. */
const FOR_PLAYERS = /\.(mp4|m4v|mov|webm)$/i;
const PLAYABLE = ["pad=ceil(iw/2)*2:ceil(ih/2)*2", "format=yuv420p"];

/**
 * A file, or whatever ffmpeg takes as an output, in the format of its extension.
 *
 * @param options anything ffmpeg takes before an output; replaces what makes the usual containers playable everywhere.
 *   A `-vf` of theirs replaces the aspect ratio of the pixels, too
 */
export function ffmpegSink(
  output: string,
  video: Video,
  options: string[] | undefined,
  signal: AbortSignal,
): FrameSink {
  const { readFd, writeFd } = makePipe();
  const [frames, seconds] = video.rate;
  const { color, sampleAspectRatio } = video.appearance;
  const filters = [
    ...(sampleAspectRatio === undefined ? [] : [`setsar=${sampleAspectRatio.join("/")}`]),
    ...(options === undefined && FOR_PLAYERS.test(output) ? PLAYABLE : []),
  ];
  const ffmpeg: ChildProcess = spawn("ffmpeg", [
    ...["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+error"],
    ...["-f", "rawvideo", "-pix_fmt", video.format, "-s", `${video.width}x${video.height}`],
    ...colorOptions(color),
    ...["-r", `${frames}/${seconds}`, "-i", "pipe:0"],
    ...(filters.length === 0 ? [] : ["-vf", filters.join(",")]),
    ...options ?? [],
    ...["-y", output],
  ], {
    stdio: [readFd, "ignore", "pipe"],
    detached: true, // Ctrl-C must not end it: it completes what was written
    env: { ...process.env, AV_LOG_FORCE_NOCOLOR: "1" },
  });
  fs.closeSync(readFd);
  const log = new LogTail();
  log.follow(ffmpeg.stderr!);
  let failure: Failure | undefined;
  const exit = new Promise<void>((resolve) => {
    ffmpeg.on("error", (error: NodeJS.ErrnoException) => {
      failure = cannotRun(error);
      resolve();
    });
    ffmpeg.on("close", (code) => {
      if (code !== 0) failure ??= new Failure(`ffmpeg failed: ${log.complaints(code)}`, EXIT.failed);
      resolve();
    });
  });
  const bytes = new ByteSink(writeFd, signal);
  let open = true;
  const closePipe = () => {
    if (!open) return;
    open = false;
    bytes[Symbol.dispose]();
    fs.closeSync(writeFd);
  };
  const finish = async () => {
    closePipe();
    await exit;
    if (failure !== undefined) throw failure;
  };
  return {
    async write(frame) {
      try {
        await bytes.write(frame);
      } catch (error) {
        if (!(error instanceof PipeClosed)) throw error;
        await finish(); // throws ffmpeg's own reason, if it has one
        throw error;
      }
    },
    finish,
    async close() {
      closePipe(); // at which ffmpeg completes the file
      await exit;
    },
  };
}
