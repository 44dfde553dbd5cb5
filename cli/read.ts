/**
 * `frames-depot read`: a depot's frames as a stream of bytes or a video file.
 *
 * @module
 */
import { Command } from "commander";
import fs from "node:fs";
import process from "node:process";
import type { FramesDepot, ReadMode } from "../mod.ts";
import { EXIT, Failure, report } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { complain, paintErrors, print } from "./terminal/output.ts";
import { type Progress, startProgress } from "./terminal/progress.ts";
import { count, counted } from "./terminal/units.ts";
import { ByteSink, PipeClosed } from "./video/byte_sink.ts";
import { bytesOf } from "./video/descriptors.ts";
import { followFrames, type FollowOptions, openDepot } from "./video/follow.ts";
import { FALLBACK_RATE, guessRate, rateMismatch } from "./video/frame_rate.ts";
import { ffmpegSink, type FrameSink, rawSink, type Video, y4mSink } from "./video/frame_sink.ts";
import type { FrameRate } from "./video/frame_source.ts";
import { addFollowOptions, frameRate } from "./video/parameters.ts";
import { pixelFormatOf } from "./video/pixel_formats.ts";
import { Y4M_PIXEL_FORMATS } from "./video/y4m.ts";

type Options = Omit<FollowOptions, "mode"> & {
  mode?: ReadMode;
  output?: string;
  y4m?: boolean;
  rate?: FrameRate;
  ffmpeg?: string;
  overwrite?: boolean;
  json?: boolean;
};

type Consumed = { depot: string; frames: number; lost: number; bytes: number };

/** Frames that are kept back to learn the rate from their timestamps. */
const RATE_FRAMES = 8;

/** Makes the command. */
export function readCommand(): Command {
  const command = new Command("read")
    .summary("write a depot's frames to standard output or, through ffmpeg, to a file")
    .description("Writes a depot's frames to standard output, raw or as Y4M, or through ffmpeg to a file.")
    .argument("<name>", "the depot; read waits for it")
    .option("-o, --output <file>", "file that ffmpeg encodes, in the format of its extension")
    .option("--y4m", "Y4M instead of raw frames: it says size, format and rate itself")
    .option("-r, --rate <fps>", "frames a second of --y4m and --output (default: from the timestamps)", frameRate)
    .option("--ffmpeg <options>", "--output: options for ffmpeg before the file, as '-c:v ffv1'");
  return addFollowOptions(command)
    .option("--overwrite", "--output: replace an existing file")
    .option("--json", "for programs: say at the end, on standard error, what was read")
    .addHelpText(
      "after",
      `
It ends when all frames have been read and no process that stored any is alive.

Examples:
  frames-depot read camera0 |
    ffplay -f rawvideo -pixel_format rgb24 -video_size 1920x1080 -
  frames-depot read camera0 --y4m | ffplay -  # planar YUV and gray
  frames-depot read camera0 --output out.mp4
  frames-depot read camera0 --frames 1 > frame.raw`,
    )
    .action(async (name: string, options: Options) => {
      using interruption = new Interruption();
      const { signal } = interruption;
      if (options.output === undefined && process.stdout.isTTY) {
        throw new Failure(
          "cannot write frames to a terminal: pipe standard output, or name a file with --output",
          EXIT.usage,
        );
      }
      if (options.output !== undefined && !options.overwrite && isFile(options.output)) {
        throw new Failure(`cannot write ${options.output}: it exists; --overwrite replaces it`, EXIT.refused);
      }
      using stdout = new ByteSink(1, signal);
      try {
        await using depot = await openDepot(name, options.timeout, interruption);
        const consumed: Consumed = { depot: depot.name, frames: 0, lost: 0, bytes: 0 };
        try {
          await read(depot, options, stdout, interruption, consumed);
        } finally {
          say(consumed, options);
        }
      } catch (error) {
        if (stdout.writing) process.exit(report(error)); // nothing else ends a write that hangs
        throw error;
      }
    });
}

async function read(
  depot: FramesDepot,
  options: Options,
  stdout: ByteSink,
  interruption: Interruption,
  consumed: Consumed,
): Promise<void> {
  const progress: Progress = startProgress({ total: options.frames, label: depot.name });
  let sink: FrameSink | undefined;
  const kept: { bytes: Uint8Array; timestampNs: bigint }[] = [];
  const times: { firstNs?: bigint; lastNs?: bigint; rate?: FrameRate } = {};
  const take = async (bytes: Uint8Array) => {
    await sink!.write(bytes);
    consumed.frames++;
    consumed.bytes += bytes.length;
    progress.advance(1, bytes.length);
  };
  const open = async (signal = interruption.signal) => {
    const rate = options.rate ?? guessRate(kept.map(({ timestampNs }) => timestampNs)) ?? FALLBACK_RATE;
    if (options.rate === undefined) times.rate = rate;
    sink = await openSink(depot, options, rate, stdout, signal);
    for (const { bytes } of kept.splice(0)) await take(bytes);
  };
  try {
    if (!needsRate(options)) await open();
    for await (const frame of followFrames(depot, { mode: "lossless", ...options }, interruption)) {
      consumed.lost += frame.lost;
      times.firstNs ??= frame.timestampNs;
      times.lastNs = frame.timestampNs;
      if (sink === undefined) {
        kept.push({ bytes: bytesOf(frame.copy()), timestampNs: frame.timestampNs });
        if (kept.length === RATE_FRAMES) await open();
      } else {
        await take(bytesOf(frame.data));
      }
    }
    if (kept.length > 0) await open();
    await sink?.finish();
    warn(consumed.frames, times, options);
  } catch (error) {
    if (error instanceof PipeClosed) return;
    // The file is completed whatever happens, with the frames that were kept back until now.
    if (sink === undefined && kept.length > 0 && options.output !== undefined) await open(new AbortController().signal);
    throw error;
  } finally {
    progress.end();
    await sink?.close();
  }
}

/** Files and Y4M have one rate. Warns where it plays the frames at another speed. */
function warn(
  frames: number,
  { firstNs, lastNs, rate }: { firstNs?: bigint; lastNs?: bigint; rate?: FrameRate },
  options: Options,
): void {
  if (rate === undefined || firstNs === undefined || !(options.y4m || options.output !== undefined)) return;
  const mismatch = rateMismatch(frames, lastNs! - firstNs, rate);
  if (mismatch !== undefined) complain(`${paintErrors().yellow("warning:")} ${mismatch}\n`);
}

function isFile(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function needsRate({ rate, y4m, output }: Options): boolean {
  return rate === undefined && (y4m === true || output !== undefined);
}

async function openSink(
  depot: FramesDepot,
  { output, y4m, ffmpeg }: Options,
  rate: FrameRate,
  stdout: ByteSink,
  signal: AbortSignal,
): Promise<FrameSink> {
  if (output === undefined && !y4m) return rawSink(stdout);
  const [width, height] = depot.frameSize;
  const format = pixelFormatOf(depot)?.name;
  if (format === undefined) {
    throw new Failure(
      `cannot encode depot "${depot.name}": its pixel format, "${depot.pixelFormat}", is not known; ` +
        "without --y4m and --output its frames are read raw",
      EXIT.refused,
    );
  }
  const { color, sampleAspectRatio } = depot;
  const video: Video = { width, height, format, rate, appearance: { color, sampleAspectRatio } };
  if (output === undefined) {
    if (!Y4M_PIXEL_FORMATS.includes(format)) throw withoutY4m(depot.name, video);
    return await y4mSink(stdout, video);
  }
  return ffmpegSink(output, video, ffmpeg?.split(/\s+/).filter(Boolean), signal);
}

/** Why there is no Y4M, and a line that shows the frames without it. */
function withoutY4m(name: string, { format, width, height }: Video): Failure {
  return new Failure(
    `Y4M has no place for ${format}, only for ${Y4M_PIXEL_FORMATS.join(", ")}; raw frames can be shown by\n` +
      `frames-depot read ${name} | ffplay -f rawvideo -pixel_format ${format} -video_size ${width}x${height} -`,
    EXIT.usage,
  );
}

function say(consumed: Consumed, { json, output }: Options): void {
  const { frames, lost, depot } = consumed;
  if (json) (output === undefined ? complain : print)(`${JSON.stringify(consumed)}\n`);
  else if (output !== undefined) print(`${output}: ${counted(frames, "frame")}, ${count(lost)} lost\n`);
  else if (process.stderr.isTTY) {
    complain(`${counted(frames, "frame")} read from ${depot}${lost > 0 ? `, ${lost} lost` : ""}\n`);
  }
}
