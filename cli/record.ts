/**
 * `frames-depot record`: a depot's frames into a file, all of them or what led up to a moment.
 *
 * @module
 */
import { Command } from "commander";
import fs from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import type { FramesDepot, ReadMode } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { positiveInteger } from "./parameters.ts";
import { complain, print } from "./terminal/output.ts";
import { type Progress, startProgress } from "./terminal/progress.ts";
import { bytes as inBytes, counted } from "./terminal/units.ts";
import { bytesOf } from "./video/bytes.ts";
import { Following, type FollowOptions } from "./video/follow.ts";
import { LastFrames } from "./video/last_frames.ts";
import { addFollowOptions } from "./video/parameters.ts";
import { PartFiles } from "./video/part_files.ts";
import type { RecordingHeader } from "./video/recording_format.ts";
import { type Recordable, RecordingWriter } from "./video/recording_writer.ts";
import { checkFolder, checkTarget } from "./video/target.ts";

type Options = Omit<FollowOptions, "mode"> & {
  mode?: ReadMode;
  last?: number;
  onExit?: boolean;
  overwrite?: boolean;
  json?: boolean;
};

/** Signals at which `--last` writes a file. */
const MOMENTS = ["SIGUSR1", "SIGUSR2"] as const;

/** Makes the command. */
export function recordCommand(): Command {
  const command = new Command("record")
    .summary("record a depot to a file, all of it or the last frames on a signal")
    .description("Records frames with number, timestamp and metadata; `replay` plays them.")
    .argument("<name>", "the depot; record waits for it")
    .argument("<file>", "the recording, usually .fdr; with --last a pattern: {n} counts, {time} is the time")
    .option("--last <frames>", "keep this many frames in memory; a signal writes them to a file", positiveInteger)
    .option("--on-exit", "--last: also write a file at the end");
  return addFollowOptions(command, "lossless; with --last: lossy")
    .option("--overwrite", "replace an existing file")
    .option("--json", "for programs: an object for each file")
    .addHelpText(
      "after",
      `
It ends by Ctrl-C, and when the depot was ended, as write does after its input,
and all frames have been recorded. When producers go without ending it, it
waits for the next depot of the name. A recording that is cut off can be played
up to its last whole frame. The signal is SIGUSR2 or SIGUSR1; at SIGUSR1 Deno
also opens its debugger's port.

Examples:
  frames-depot record camera0 out.fdr
  frames-depot record camera0 'crash-{time}.fdr' --last 300  # kill -USR2 PID`,
    )
    .action(async (name: string, file: string, options: Options) => {
      if (options.onExit && options.last === undefined) {
        throw new Failure("--on-exit needs --last: without it, the file has all frames at the end", EXIT.usage);
      }
      if (options.last === undefined) checkTarget(file, options.overwrite ?? false);
      else if (!dirname(file).includes("{")) checkFolder(file); // else its name is made when it is written
      using interruption = new Interruption();
      const mode = options.mode ?? (options.last === undefined ? "lossless" : "lossy");
      const begin = () => Following.begin(name, { ...options, mode }, interruption);
      if (options.last !== undefined) return await recordLast(name, begin, file, options.last, options);
      await using following = await begin();
      await recordAll(following, file, options);
    });
}

function headerOf(depot: FramesDepot): RecordingHeader {
  const { frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes, maxSize } = depot;
  const { color, sampleAspectRatio, fieldOrder } = depot;
  const startedNs = BigInt(Date.now()) * 1_000_000n;
  return {
    ...{ frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes, maxSize, startedNs },
    ...{ color, sampleAspectRatio, fieldOrder },
  };
}

/** Records part after part: each has frames of one shape. */
async function recordAll(following: Following, path: string, options: Options): Promise<void> {
  const files = new PartFiles(path, options.overwrite ?? false);
  for (;;) {
    const file = files.next();
    await recordPart(following, file, options);
    if (following.other === undefined) return;
    if (!options.followFormat) throw ended(following, file, files.next());
    following.goOn();
  }
}

const ended = (following: Following, file: string, next: string) =>
  following.refuse(`${file} has frames of one shape, and ends here; --follow-format goes on in ${next}`);

async function recordPart(following: Following, file: string, options: Options): Promise<void> {
  const { depot } = following;
  const writer = await RecordingWriter.create(file, headerOf(depot), options.overwrite ?? false);
  const progress = startProgress({ total: options.frames, label: depot.name });
  let lost = 0;
  try {
    for await (const frame of following.frames()) {
      const { sequence, frameNumber, timestampNs, metadata } = frame;
      const bytes = bytesOf(frame.data);
      await writer.add({ sequence, frameNumber, timestampNs, metadata, lost: frame.lost, bytes });
      lost += frame.lost;
      progress.advance(1, bytes.length);
    }
  } finally {
    progress.end();
    await writer.finish();
    say(depot.name, writer, lost, options);
  }
}

/** Keeps frames in memory, and writes them at a signal. New frames are kept meanwhile. */
async function recordLast(
  name: string,
  begin: () => Promise<Following>,
  pattern: string,
  limit: number,
  options: Options,
): Promise<void> {
  const last = new LastFrames(limit);
  /** Of the frames that are kept. */
  let header: RecordingHeader | undefined;
  let dumps = 0;
  let dumping = Promise.resolve();
  let failure: unknown;
  const dump = () => {
    const frames = last.take();
    const now = header;
    dumping = dumping.then(async () => {
      try {
        const { path, number } = nextName(pattern, dumps + 1, options.overwrite ?? false);
        await write({ name, header: now }, path, frames, options, () => dumps = number);
      } catch (error) {
        failure = error;
        complain(`${(error as Error).message}\n`); // and goes on: the next signal may succeed
      } finally {
        last.giveBack(frames);
      }
    });
  };
  for (const signal of MOMENTS) process.on(signal, dump);
  let progress: Progress | undefined;
  try {
    await using following = await begin(); // after listening: a signal may come at once
    progress = startProgress({ total: options.frames, label: name });
    if (process.stderr.isTTY) complain(`kill -USR2 ${process.pid} writes the last ${counted(limit, "frame")}\n`);
    for (;;) {
      header = headerOf(following.depot);
      for await (const frame of following.frames()) {
        last.add(frame);
        progress.advance(1, frame.byteLength);
      }
      if (following.other === undefined) break;
      if (last.length > 0) dump(); // what is kept of the shape before
      if (!options.followFormat) throw ended(following, "what is in memory", "files of their own");
      following.goOn();
    }
  } finally {
    progress?.end();
    for (const signal of MOMENTS) process.off(signal, dump);
    if (options.onExit && last.length > 0) dump();
    await dumping;
  }
  if (failure !== undefined) throw failure;
}

/** @param made told that there is a file, whatever becomes of its frames */
async function write(
  { name, header }: { name: string; header: RecordingHeader | undefined },
  path: string,
  frames: readonly Recordable[],
  options: Options,
  made: () => void,
): Promise<void> {
  if (header === undefined || frames.length === 0) {
    throw new Failure(`cannot write ${path}: no new frame has come`, EXIT.failed);
  }
  const startedNs = BigInt(Date.now()) * 1_000_000n;
  const writer = await RecordingWriter.create(path, { ...header, startedNs }, options.overwrite ?? false);
  made();
  try {
    for (const frame of frames) await writer.add(frame);
  } finally {
    await writer.finish();
    say(name, writer, frames.reduce((sum, frame) => sum + frame.lost, 0), options);
  }
}

/**
 * The name of the next file: the pattern with its placeholders filled in, or with a number before its extension.
 *
 * @param first the least number that it may have
 */
function nextName(pattern: string, first: number, overwrite: boolean): { path: string; number: number } {
  const time = new Date().toISOString().replaceAll(":", "-").replace(/\.\d+/, "");
  const numbered = /\{(n|time)\}/.test(pattern) ? pattern : pattern.replace(/(\.[^./\\]*)?$/, "-{n}$1");
  for (let number = first;; number++) {
    const path = numbered.replaceAll("{n}", String(number)).replaceAll("{time}", time);
    if (overwrite || !numbered.includes("{n}") || !fs.existsSync(path)) return { path, number };
  }
}

function say(depot: string, writer: RecordingWriter, lost: number, { json }: Options): void {
  const { path, frames, bytes } = writer;
  if (json) return print(`${JSON.stringify({ depot, file: path, frames, lost, bytes })}\n`);
  print(`${path}: ${counted(frames, "frame")}, ${inBytes(bytes)}${lost > 0 ? `, ${lost} lost` : ""}\n`);
}
