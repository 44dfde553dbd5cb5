/**
 * `frames-depot record`: a depot's frames into a file, all of them or what led up to a moment.
 *
 * @module
 */
import { Command } from "commander";
import fs from "node:fs";
import process from "node:process";
import type { FramesDepot, ReadMode } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { positiveInteger } from "./parameters.ts";
import { complain, print } from "./terminal/output.ts";
import { type Progress, startProgress } from "./terminal/progress.ts";
import { bytes as inBytes, counted } from "./terminal/units.ts";
import { bytesOf } from "./video/descriptors.ts";
import { followFrames, type FollowOptions, openDepot } from "./video/follow.ts";
import { LastFrames } from "./video/last_frames.ts";
import { addFollowOptions } from "./video/parameters.ts";
import type { RecordingHeader } from "./video/recording_format.ts";
import { type Recordable, RecordingWriter } from "./video/recording_writer.ts";

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
It ends when all frames have been recorded and no process that stored any is
alive, or by Ctrl-C. A recording that is cut off can be played up to its last
whole frame. The signal is SIGUSR2 or SIGUSR1; at SIGUSR1 Deno also opens its
debugger's port.

Examples:
  frames-depot record camera0 out.fdr
  frames-depot record camera0 'crash-{time}.fdr' --last 300  # kill -USR2 PID`,
    )
    .action(async (name: string, file: string, options: Options) => {
      using interruption = new Interruption();
      await using depot = await openDepot(name, options.timeout, interruption);
      if (options.last === undefined) await recordAll(depot, file, options, interruption);
      else await recordLast(depot, file, options.last, options, interruption);
    });
}

function headerOf(depot: FramesDepot): RecordingHeader {
  const { frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes, maxSize } = depot;
  const { color, sampleAspectRatio } = depot;
  const startedNs = BigInt(Date.now()) * 1_000_000n;
  return {
    ...{ frameSize, elementType, pixelFormat, frameBytes, variableLength, metadataBytes, maxSize, startedNs },
    ...{ color, sampleAspectRatio },
  };
}

async function recordAll(
  depot: FramesDepot,
  file: string,
  options: Options,
  interruption: Interruption,
): Promise<void> {
  const writer = await RecordingWriter.create(file, headerOf(depot), options.overwrite ?? false);
  const progress = startProgress({ total: options.frames, label: depot.name });
  let lost = 0;
  try {
    for await (const frame of followFrames(depot, { ...options, mode: options.mode ?? "lossless" }, interruption)) {
      const { sequence, frameNumber, timestampNs, metadata } = frame;
      const bytes = bytesOf(frame.data);
      await writer.add({ sequence, frameNumber, timestampNs, metadata, lost: frame.lost, bytes });
      lost += frame.lost;
      progress.advance(1, bytes.length);
    }
  } finally {
    progress.end();
    await writer.finish();
    say(depot, writer, lost, options);
  }
}

/** Keeps frames in memory, and writes them at a signal. New frames are kept meanwhile. */
async function recordLast(
  depot: FramesDepot,
  pattern: string,
  limit: number,
  options: Options,
  interruption: Interruption,
): Promise<void> {
  const last = new LastFrames(limit);
  let dumps = 0;
  let dumping = Promise.resolve();
  let failure: unknown;
  const dump = () => {
    const frames = last.take();
    dumping = dumping.then(async () => {
      try {
        await write(depot, nextName(pattern, () => ++dumps, options.overwrite ?? false), frames, options);
      } catch (error) {
        failure = error;
        complain(`${(error as Error).message}\n`); // and goes on: the next signal may succeed
      } finally {
        last.giveBack(frames);
      }
    });
  };
  for (const signal of MOMENTS) process.on(signal, dump);
  const progress: Progress = startProgress({ total: options.frames, label: depot.name });
  if (process.stderr.isTTY) complain(`kill -USR2 ${process.pid} writes the last ${counted(limit, "frame")}\n`);
  try {
    for await (const frame of followFrames(depot, { ...options, mode: options.mode ?? "lossy" }, interruption)) {
      last.add(frame);
      progress.advance(1, frame.byteLength);
    }
  } finally {
    progress.end();
    for (const signal of MOMENTS) process.off(signal, dump);
    if (options.onExit && last.length > 0) dump();
    await dumping;
  }
  if (failure !== undefined) throw failure;
}

async function write(depot: FramesDepot, path: string, frames: readonly Recordable[], options: Options): Promise<void> {
  if (frames.length === 0) throw new Failure(`cannot write ${path}: no new frame has come`, EXIT.failed);
  const writer = await RecordingWriter.create(path, headerOf(depot), options.overwrite ?? false);
  try {
    for (const frame of frames) await writer.add(frame);
  } finally {
    await writer.finish();
    say(depot, writer, frames.reduce((sum, frame) => sum + frame.lost, 0), options);
  }
}

/** The name of the next file: the pattern with its placeholders filled in, or with a number before its extension. */
function nextName(pattern: string, next: () => number, overwrite: boolean): string {
  const time = new Date().toISOString().replaceAll(":", "-").replace(/\.\d+/, "");
  const numbered = /\{(n|time)\}/.test(pattern) ? pattern : pattern.replace(/(\.[^./\\]*)?$/, "-{n}$1");
  for (;;) {
    const name = numbered.replaceAll("{n}", String(next())).replaceAll("{time}", time);
    if (overwrite || !numbered.includes("{n}") || !fs.existsSync(name)) return name;
  }
}

function say(depot: FramesDepot, writer: RecordingWriter, lost: number, { json }: Options): void {
  const { path, frames, bytes } = writer;
  if (json) return print(`${JSON.stringify({ depot: depot.name, file: path, frames, lost, bytes })}\n`);
  print(`${path}: ${counted(frames, "frame")}, ${inBytes(bytes)}${lost > 0 ? `, ${lost} lost` : ""}\n`);
}
