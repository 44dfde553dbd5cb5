/**
 * `frames-depot write`: video into a depot.
 *
 * @module
 */
import { Command, InvalidArgumentError } from "commander";
import process from "node:process";
import { isatty } from "node:tty";
import { DEPOT_BOUNDS, PIXEL_FORMATS } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { report } from "./report.ts";
import { Interruption } from "./interruption.ts";
import { print, printJson } from "./terminal/output.ts";
import { count, counted, duration } from "./terminal/units.ts";
import { ByteSource } from "./video/byte_source.ts";
import { checkFormat, Decoder } from "./video/decoder.ts";
import { type FrameRate, type FrameSource, sourceOfBytes } from "./video/frame_source.ts";
import { addFillOptions, type FillOptions, frameRate, size } from "./video/parameters.ts";
import { checkFilling } from "./video/place.ts";
import { produce, type Produced } from "./video/produce.ts";
import { checkSource, isUrl } from "./video/target.ts";

type Options = FillOptions & {
  input?: string;
  size?: [width: number, height: number];
  format?: string;
  rate?: FrameRate;
  followFormat?: boolean;
  ffmpeg?: string;
  tolerant?: boolean;
  loop?: boolean;
  pace?: boolean;
  json?: boolean;
};

/** Makes the command. */
export function writeCommand(): Command {
  const command = new Command("write")
    .summary("fill a depot: raw frames, Y4M, or anything that ffmpeg reads")
    .description("Fills a depot from standard input (raw frames or Y4M), or from a file or URL through ffmpeg.")
    .argument("<name>", "the depot; it is made, or taken or joined if no other process fills it")
    .option("-i, --input <file or url>", "let ffmpeg read this, with its size and timestamps; - is standard input", one)
    .option("-s, --size <size>", "raw frames: their size, as 1920x1080; --input: scale to it", size)
    .option(
      "-f, --format <name>",
      "raw frames: their format, as ffmpeg's -pix_fmt; --input: convert to it, or to JPEG by mjpeg",
    )
    .option("-r, --rate <fps>", "standard input: frames a second, for timestamps, as 30 or 30000/1001", frameRate)
    .option("--ffmpeg <options>", "--input: options for ffmpeg before -i, as '-f v4l2'")
    .option("--tolerant", "--input: exit code 0 also where ffmpeg complains, as of a file that is cut off")
    .option("--follow-format", "--input: go on in a new depot of the name when the size of the frames changes")
    .option("--loop", "--input: start again at the end, forever")
    .option("--pace", "keep the pace of the timestamps instead of going as fast as possible");
  return addFillOptions(command, String(DEPOT_BOUNDS.maxSize.default))
    .option("--json", "for programs: an object at the end, also after a failure")
    .addHelpText(
      "after",
      `
At the end of the input it ends the depot, so that readers know that no more
frames come; --no-end leaves it open for the next producer, and so does Ctrl-C.

Examples:
  frames-depot write camera0 --input clip.mp4
  frames-depot write cam -i /dev/video0 --ffmpeg '-f v4l2' --when-full overwrite
  frames-depot write camera0 --size 1920x1080 --format rgb24 < raw
  ffmpeg -i clip.mp4 -f yuv4mpegpipe - | frames-depot write camera0
  curl https://example.com/clip.mkv | frames-depot write camera0 --input -`,
    )
    .action(async (name: string, options: Options) => {
      using interruption = new Interruption();
      using stdin = new ByteSource(0, interruption.signal);
      try {
        await write(name, options, stdin, interruption);
      } catch (error) {
        if (stdin.reading) process.exit(report(error)); // nothing else ends a read that hangs
        throw error;
      }
    });
}

/** The one input. A second value would replace the first without a word. */
function one(input: string, before: string | undefined): string {
  if (input === "") throw new InvalidArgumentError("It must be a file or URL, or - for standard input.");
  if (before === undefined) return input;
  throw new InvalidArgumentError(`There can be one, and '${before}' was given before.`);
}

async function write(name: string, options: Options, stdin: ByteSource, interruption: Interruption): Promise<void> {
  const { linger } = options;
  checkFilling(name, options);
  checkFrames(options);
  checkInput(options);
  let produced: Produced = { depot: name, frames: 0, dropped: 0, bytes: 0, tookMs: 0 };
  let source: FrameSource | undefined;
  try {
    source = await openSource(options, stdin, interruption);
    await produce(
      name,
      source,
      {
        ...options,
        speed: options.pace ? 1 : undefined,
        linger: linger === false ? 0 : linger ?? Infinity,
        stampNow: options.timestamps === "now",
        label: name,
        sizeOption: "--size",
      },
      interruption,
      (done) => {
        produced = done;
        if (!options.json) print(`${inWords(done)}\n`);
      },
    );
  } catch (error) {
    // What no option has said, the input has: it is no fault of the command line.
    const said = options.size ?? options.maxSize ?? options.maxReaders;
    throw error instanceof RangeError && said === undefined ? new Failure(error.message, EXIT.failed) : error;
  } finally {
    await source?.close();
    if (options.json) printJson(produced); // also where there was no frame
  }
}

/** @throws {Failure} for a format that is not known, and for frames of which no depot can be made */
function checkFrames({ size, format, maxSize = DEPOT_BOUNDS.maxSize.default }: Options): void {
  if (format !== undefined) checkFormat(format);
  const frameBytes = size && PIXEL_FORMATS.get(format ?? "")?.frameBytes(...size);
  if (frameBytes === undefined) return; // the source says it
  const refuse = (what: string, bytes: number, most: number, helps: string) =>
    new Failure(`${what} would have ${bytes} bytes, and may have ${most}; ${helps}`, EXIT.usage);
  const frame = `a frame of --size ${size!.join("x")} --format ${format}`;
  const { frameBytes: { most }, allFrameBytes } = DEPOT_BOUNDS;
  if (frameBytes > most) throw refuse(frame, frameBytes, most, "choose a smaller --size");
  const all = frameBytes * maxSize;
  if (all <= allFrameBytes.most) return;
  throw refuse(
    `${maxSize} frames of --size ${size!.join("x")}`,
    all,
    allFrameBytes.most,
    "choose a smaller --max-size",
  );
}

/** @throws {Failure} for options that do not fit the input */
function checkInput({ input, size, rate, followFormat, loop, ffmpeg, tolerant }: Options): void {
  if ((input === undefined || input === "-") && isatty(0)) { // process.stdin would make a pipe non-blocking in Node
    throw new Failure(
      "cannot read frames from a terminal: redirect standard input with < or |, or name a file with --input",
      EXIT.usage,
    );
  }
  if (loop && (input === undefined || input === "-")) {
    throw new Failure("--loop needs a file in --input: standard input can be read only once", EXIT.usage);
  }
  if (input !== undefined) {
    if (rate !== undefined) {
      throw new Failure("--rate is for raw frames and Y4M; --input has its own timestamps", EXIT.usage);
    }
    if (followFormat && size !== undefined) {
      throw new Failure(
        "--size gives all frames one size, and --follow-format keeps each size: choose one",
        EXIT.usage,
      );
    }
    return;
  }
  for (const [name, value] of [["--follow-format", followFormat], ["--ffmpeg", ffmpeg], ["--tolerant", tolerant]]) {
    if (value === undefined) continue;
    throw new Failure(`${name} needs --input: without it, standard input is read without ffmpeg`, EXIT.usage);
  }
}

async function openSource(options: Options, stdin: ByteSource, { signal }: Interruption): Promise<FrameSource> {
  const { input, size, format, rate, followFormat, loop, ffmpeg, tolerant } = options;
  if (input === undefined) return await sourceOfBytes(stdin, { size, format }, rate);
  const isFile = ffmpeg === undefined && input !== "-" && !isUrl(input) && !input.includes("%"); // no pattern
  if (isFile) checkSource(input);
  const inputOptions = ffmpeg?.split(/\s+/).filter(Boolean);
  return await Decoder.start(input, { size, format, followFormat, loop, inputOptions, tolerant }, signal);
}

function inWords({ depot, frames, tookMs, dropped }: Produced): string {
  return `${depot}: ${counted(frames, "frame")} in ${duration(tookMs)}, ${count(dropped)} dropped`;
}
