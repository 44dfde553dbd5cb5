/**
 * `frames-depot read`: a depot's frames as a stream of bytes or a video file.
 *
 * @module
 */
import { Command, Option } from "commander";
import process from "node:process";
import { FramesDepot, type ReadMode } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { report } from "./report.ts";
import { Interruption } from "./interruption.ts";
import { complain, keepComplaints, print } from "./terminal/output.ts";
import { startProgress } from "./terminal/progress.ts";
import { count, counted } from "./terminal/units.ts";
import { ByteSink, PipeClosed } from "./video/byte_sink.ts";
import type { Encoding } from "./video/encoder.ts";
import { Following, type FollowOptions } from "./video/follow.ts";
import type { FrameRate } from "./video/frame_source.ts";
import { Outlet } from "./video/outlet.ts";
import { addFollowOptions, frameRate } from "./video/parameters.ts";
import { PartFiles } from "./video/part_files.ts";
import { checkTarget } from "./video/target.ts";
import { tryExtension } from "./video/trial.ts";

type Options = Omit<FollowOptions, "mode"> & {
  mode?: ReadMode;
  output?: string;
  y4m?: boolean;
  rate?: FrameRate;
  ffmpeg?: string;
  fields?: "top" | "bottom";
  tolerant?: boolean;
  overwrite?: boolean;
  json?: boolean;
};

/** What was read, and of --output also what became of it. */
type Consumed = {
  depot: string;
  frames: number;
  lost: number;
  bytes: number;
  /** Frames that ffmpeg has put into the files. */
  encoded?: number;
  /** Whether each file is whole. */
  whole?: boolean;
  /** With --follow-format, one for each shape of frames. */
  files?: string[];
};

/** Makes the command. */
export function readCommand(): Command {
  const command = new Command("read")
    .summary("write a depot's frames to standard output or, through ffmpeg, to a file")
    .description("Writes a depot's frames to standard output, raw or as Y4M, or through ffmpeg to a file.")
    .argument("<name>", "the depot; read waits for it")
    .option("-o, --output <file>", "file that ffmpeg encodes, in the format of its extension")
    .option("--y4m", "Y4M instead of raw frames: it says size, format and rate itself")
    .option("-r, --rate <fps>", "frames a second of --y4m and --output, instead of the timestamps", frameRate)
    .option("--ffmpeg <options>", "--output: options for ffmpeg before the file, as '-c:v ffv1'")
    .addOption(
      new Option(
        "--fields <first>",
        "--output: frames are interlaced, and this field is the first (default: as the depot says)",
      )
        .choices(["top", "bottom"]),
    )
    .option("--tolerant", "--output: exit code 0 also where ffmpeg complains");
  return addFollowOptions(command)
    .option("--overwrite", "--output: replace an existing file")
    .option("--json", "for programs: an object at the end; without --output it is alone on standard error")
    .addHelpText(
      "after",
      `
It ends when the depot was ended, as write does after its input, and all
frames have been read. When producers go without ending it, it waits for the
next depot of the name.

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
      checkOptions(options);
      // An output that cannot be is said at once, and not when the depot comes.
      if (options.output !== undefined && FramesDepot.inspect(name) === undefined) {
        await tryExtension(encodingOf(options.output, options), signal);
      }
      using stdout = new ByteSink(1, signal);
      const consumed: Consumed = { depot: name, frames: 0, lost: 0, bytes: 0 };
      // JSON is alone on its stream, so what is said to people is a part of it.
      const messages = options.json && options.output === undefined ? keepComplaints() : undefined;
      let code: number = EXIT.ok;
      try {
        await using following = await Following.begin(name, { mode: "lossless", ...options }, interruption);
        try {
          await read(following, options, stdout, interruption.signal, consumed);
          if (options.output !== undefined) consumed.encoded ??= 0;
        } finally {
          if (messages === undefined) say(consumed, options);
        }
      } catch (error) {
        if (messages === undefined && !stdout.writing) throw error;
        code = report(error);
      }
      if (messages !== undefined) process.stderr.write(`${JSON.stringify({ ...consumed, messages })}\n`);
      if (stdout.writing) process.exit(code); // nothing else ends a write that hangs
      if (code !== EXIT.ok) throw new Failure("", code);
    });
}

function checkOptions({ output, overwrite, y4m, rate, ...others }: Options): void {
  if (output === undefined && process.stdout.isTTY) {
    throw new Failure(
      "cannot write frames to a terminal: pipe standard output, or name a file with --output",
      EXIT.usage,
    );
  }
  if (output === "") throw new Failure("--output is empty: name a file", EXIT.usage);
  if (output !== undefined && /^(-|pipe:.*|fd:.*)$/.test(output)) {
    throw new Failure(
      `--output names a file, not a pipe (${output}): without it frames go to standard output, and ` +
        "`frames-depot read NAME --y4m | ffmpeg -i - …` encodes them into a pipe",
      EXIT.usage,
    );
  }
  if (output !== undefined && y4m) {
    throw new Failure("--y4m is for standard output; --output FILE.y4m makes a file", EXIT.usage);
  }
  for (const name of ["ffmpeg", "fields", "tolerant", "followFormat"] as const) {
    if (others[name] === undefined || output !== undefined) continue;
    const why = name === "followFormat"
      ? "--follow-format needs --output: standard output has frames of one shape"
      : `--${name} needs --output: standard output is written without ffmpeg`;
    throw new Failure(why, EXIT.usage);
  }
  if (output === undefined && overwrite) {
    throw new Failure("--overwrite needs --output: standard output replaces no file", EXIT.usage);
  }
  if (output === undefined && !y4m && rate !== undefined) {
    throw new Failure("--rate needs --y4m or --output: raw frames have no rate", EXIT.usage);
  }
  if (output !== undefined) checkTarget(output, overwrite ?? false);
}

/** Reads part after part: each has frames of one shape. */
async function read(
  following: Following,
  options: Options,
  stdout: ByteSink,
  signal: AbortSignal,
  consumed: Consumed,
): Promise<void> {
  const { output, y4m, rate } = options;
  const files = output === undefined ? undefined : new PartFiles(output, options.overwrite ?? false);
  for (;;) {
    const file = files?.next();
    if (file !== undefined && options.followFormat) (consumed.files ??= []).push(file);
    const encoding = file === undefined ? undefined : encodingOf(file, options);
    const outlet = await Outlet.open(following.depot, { y4m, rate, frames: options.frames, encoding }, stdout, signal);
    const isTaken = await readPart(following, outlet, options, consumed);
    if (!isTaken || following.other === undefined) return;
    if (!options.followFormat) {
      throw following.refuse(
        file === undefined
          ? "standard output has frames of one shape, and ends here"
          : `${file} has frames of one shape, and ends here; --follow-format goes on in ${files!.next()}`,
      );
    }
    following.goOn();
  }
}

/** @returns false when the reader of the output has stopped */
async function readPart(
  following: Following,
  outlet: Outlet,
  options: Options,
  consumed: Consumed,
): Promise<boolean> {
  const progress = startProgress({ total: options.frames, label: consumed.depot });
  let verdict: Failure | undefined;
  try {
    for await (const frame of following.frames()) {
      await outlet.take(frame);
      consumed.lost += frame.lost;
      consumed.frames++;
      consumed.bytes += frame.byteLength;
      progress.advance(1, frame.byteLength);
    }
    verdict = await outlet.finish();
  } catch (error) {
    if (error instanceof PipeClosed) return false;
    throw error;
  } finally {
    progress.end();
    await outlet.close();
    const { made } = outlet;
    if (made !== undefined) {
      consumed.encoded = (consumed.encoded ?? 0) + made.frames;
      consumed.whole = (consumed.whole ?? true) && made.whole;
    }
  }
  if (verdict !== undefined) throw verdict;
  return true;
}

function encodingOf(output: string, { fields, tolerant, ffmpeg }: Options): Encoding {
  return { output, fields, tolerant, options: ffmpeg?.split(/\s+/).filter(Boolean) };
}

function say(consumed: Consumed, { json, output }: Options): void {
  const { frames, lost, depot, files, encoded, whole } = consumed;
  if (json) print(`${JSON.stringify(consumed)}\n`);
  else if (output !== undefined) {
    const made = files?.join(", ") ?? output;
    if (encoded === undefined) return; // an error says why
    if (whole === undefined) complain(`${made}: not made, no frame came\n`);
    else if (!whole) print(`${made}: not whole; ${counted(frames, "frame")} read, ${count(lost)} lost\n`);
    else {
      const read = encoded === frames ? "" : ` (${count(frames)} read)`;
      print(`${made}: ${counted(encoded, "frame")}${read}, ${count(lost)} lost\n`);
    }
  } else if (process.stderr.isTTY) {
    complain(`${counted(frames, "frame")} read from ${depot}${lost > 0 ? `, ${lost} lost` : ""}\n`);
  }
}
