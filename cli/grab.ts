/**
 * `frames-depot grab`: one frame as a picture, in a file or in the terminal.
 *
 * @module
 */
import { Command, Option } from "commander";
import fs from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { createSupportsTerminalGraphics } from "supports-terminal-graphics";
import type { FrameData, FramesDepot } from "../mod.ts";
import { EXIT, Failure, systemReason } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { quality, seconds } from "./parameters.ts";
import { print, printJson } from "./terminal/output.ts";
import { ByteSink, PipeClosed } from "./video/byte_sink.ts";
import { writeFully } from "./video/descriptors.ts";
import { openDepot } from "./video/follow.ts";
import { framesBefore, pictureOf } from "./video/frame_picture.ts";
import { frameNumber } from "./video/parameters.ts";
import { type PictureType, pictureTypeOf, toJpeg, toPng } from "./video/picture_file.ts";
import { pictureText } from "./video/terminal_picture.ts";
import { checkTarget, takesFiles } from "./video/target.ts";
import type { Matrix, Picture } from "./video/to_rgb.ts";

type Options = {
  frame?: number;
  type?: PictureType;
  quality: number;
  matrix?: keyof typeof MATRICES;
  timeout: number;
  json?: boolean;
};

type Grabbed = {
  frameNumber: number;
  timestampNs: bigint;
  data: FrameData;
  /** Where frames depend on those before them: these, the oldest first. */
  before: Uint8Array[];
};

/** What people call the matrices, and how ffmpeg does. */
const MATRICES = { bt601: "smpte170m", bt709: "bt709", bt2020: "bt2020nc" } as const satisfies Record<string, Matrix>;
/** Time between two looks for a frame that has not come yet. */
const LOOK_MS = 10;

/** Makes the command. */
export function grabCommand(): Command {
  return new Command("grab")
    .summary("save a frame as PNG or JPEG, or show it in the terminal")
    .description(
      "Saves a frame as PNG or JPEG or, without a file, shows it in the terminal. No producer waits for it.",
    )
    .argument("<name>", "a depot")
    .argument("[file]", "a .png, .jpg or .jpeg, replaced if it exists; - is standard output")
    .option("--frame <number>", "number of the frame (default: the newest)", (text) => frameNumber(text))
    .addOption(
      new Option("--type <type>", "format of the picture, whatever the extension of the file").choices(["png", "jpeg"]),
    )
    .option("--quality <1-100>", "quality of a JPEG", quality, 90)
    .addOption(
      new Option("--matrix <name>", "matrix that YUV was made with (default: the depot's, or bt601)").choices(
        Object.keys(MATRICES),
      ),
    )
    .option("--timeout <seconds>", "how long to wait for the depot and the frame", seconds, 0)
    .option("--json", "for programs: an object that says which frame it was")
    .addHelpText(
      "after",
      `
16-bit formats become 16-bit PNG; float becomes 16-bit gray, 0 to 1.

Examples:
  frames-depot grab camera0
  frames-depot grab camera0 --frame 5 five.png
  frames-depot grab camera0 - --type jpeg | ssh desk display -`,
    )
    .action(async (name: string, file: string | undefined, options: Options) => {
      if (file === undefined && !process.stdout.isTTY) {
        throw new Failure(
          "cannot show a picture: standard output is not a terminal; name a file, or - for standard output",
          EXIT.usage,
        );
      }
      const type = file === undefined || file === "-" ? options.type ?? "png" : options.type ?? pictureTypeOf(file);
      if (type === undefined) {
        throw new Failure(
          `cannot write ${file}: it must end in .png, .jpg or .jpeg, or --type must be given`,
          EXIT.usage,
        );
      }
      if (file !== undefined) checkTarget(file, true);
      using interruption = new Interruption();
      await using depot = await openDepot(name, options.timeout, interruption);
      const grabbed = await grab(depot, options, interruption);
      const { matrix } = options;
      const picture = await pictureOf(depot, grabbed.data, grabbed.before, { matrix: matrix && MATRICES[matrix] });
      await put(picture, file, type, options, interruption);
      if (options.json && file !== "-") {
        const { frameNumber, timestampNs } = grabbed;
        const { width, height } = picture;
        printJson({ depot: name, file, frameNumber, timestampNs: String(timestampNs), width, height });
      }
    });
}

/** Copies the frame, so that no slot is held while the picture is encoded. */
async function grab(depot: FramesDepot, { frame, timeout }: Options, interruption: Interruption): Promise<Grabbed> {
  const deadline = performance.now() + timeout * 1000;
  for (;;) {
    await using newest = frame === undefined ? depot.frames({ mode: "latest", from: "latest" }) : undefined;
    using found = frame === undefined ? newest?.tryNext() : depot.peekFrame(frame);
    if (found !== undefined) {
      const { frameNumber, timestampNs } = found;
      return { frameNumber, timestampNs, data: found.copy(), before: framesBefore(depot, frameNumber) };
    }
    if (performance.now() >= deadline) {
      const what = frame === undefined ? "no frame" : `no frame ${frame} (${depot.statusOf(frame)})${numbersOf(depot)}`;
      throw new Failure(`depot "${depot.name}" has ${what}; --timeout SECONDS waits for one`, EXIT.notFound);
    }
    await interruption.sleep(LOOK_MS);
  }
}

/** Which numbers there are instead. */
function numbersOf(depot: FramesDepot): string {
  using reader = depot.frames({ mode: "lossy", from: "oldest" });
  using oldest = reader.tryNext();
  using newest = depot.latest();
  if (oldest === undefined || newest === undefined) return ": it is empty";
  const [first, last] = [oldest.frameNumber, newest.frameNumber];
  return first === last ? `: it has frame ${first}` : `: it has ${first} to ${last}`;
}

async function put(
  picture: Picture,
  file: string | undefined,
  type: PictureType,
  { quality }: Options,
  { signal }: Interruption,
): Promise<void> {
  if (file === undefined) {
    const { columns = 80, rows = 24 } = process.stdout;
    return print(pictureText(picture, createSupportsTerminalGraphics(process.stdout), { columns, rows }));
  }
  const bytes = type === "png" ? toPng(picture) : await toJpeg(picture, quality);
  if (file === "-") {
    using stdout = new ByteSink(1, signal);
    return await stdout.write(bytes).catch((error) => {
      if (!(error instanceof PipeClosed)) throw error;
    });
  }
  await putFile(file, bytes);
}

/** Puts a picture in the place of another one at once: a program that shows it finds the old or the new one, whole. */
async function putFile(file: string, bytes: Uint8Array): Promise<void> {
  const found = fs.lstatSync(file, { throwIfNoEntry: false });
  const isPlain = found === undefined || found.isFile() && takesFiles(dirname(file)); // else a device, a pipe, a link
  const made = isPlain ? `${file}.${process.pid}.part` : file;
  try {
    const fd = fs.openSync(made, "w");
    await writeFully(fd, bytes).finally(() => fs.closeSync(fd));
    if (made === file) return;
    if (found !== undefined) fs.chmodSync(made, found.mode);
    fs.renameSync(made, file);
  } catch (error) {
    if (made !== file) fs.rmSync(made, { force: true });
    throw new Failure(`cannot write ${file}: ${systemReason(error)}`, EXIT.system);
  }
}
