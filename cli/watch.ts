/**
 * `frames-depot watch`: a line for each frame.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { Command, Option } from "commander";
import type { Frame } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { positiveInteger, seconds } from "./parameters.ts";
import { paintOutput, print, printPatiently } from "./terminal/output.ts";
import { counted, duration } from "./terminal/units.ts";
import { type Change, changeInWords, Watching } from "./watching.ts";

type Options = { count?: number; timeout?: number; from: "next" | "latest" | "oldest"; sum?: boolean; json?: boolean };

/** A timestamp below this one, in 2001, is not a date. Nanoseconds. */
const SOME_DATE_NS = 10n ** 18n;
const FIRST_BYTES = 8;

/** Makes the command. */
export function watchCommand(): Command {
  return new Command("watch")
    .summary("print a line for each frame")
    .description("Prints a line for each frame: number, time, gap, what was lost, first bytes.")
    .argument("<name>", "a depot")
    .option("-c, --count <number>", "end after this many frames", positiveInteger)
    .option("-t, --timeout <seconds>", "how long to wait for the depot, and for each frame", seconds)
    .addOption(
      new Option("--from <place>", "the frame to begin with").choices(["next", "latest", "oldest"]).default("next"),
    )
    .option("--sum", "print a CRC-32 of each frame in place of its first bytes")
    .option("--json", "for programs: an object a line")
    .addHelpText(
      "after",
      `
It reads as a lossy reader: no producer waits for it, and the frames that it
misses are printed as lost. When the depot ends, is replaced or is gone, a line
says so, and it goes on with the next depot of that name. It leaves a depot that
all other processes have left, so that the name becomes free.
The gap is the difference between two timestamps.

Examples:
  frames-depot watch camera0
  frames-depot watch camera0 --timeout 10 --count 100 --sum
  frames-depot watch camera0 --json | jq .gapMs`,
    )
    .action(async (name: string, options: Options) => {
      using interruption = new Interruption();
      const { timeout, from } = options;
      await using watching = new Watching(name, { from, timeout, signal: interruption.signal });
      await watching.begin();
      const seen = await follow(watching, options);
      if (seen === options.count) return;
      throw new Failure(
        `depot "${name}" brought no frame for ${duration(timeout! * 1000)}, the limit of --timeout; ` +
          `${counted(seen, "frame")} came before`,
        EXIT.notFound,
      );
    });
}

/** Prints frames and changes. @returns how many frames there were, when the count is reached or the time is up */
async function follow(watching: Watching, { count, sum = false, json = false }: Options): Promise<number> {
  let beforeNs: bigint | undefined;
  let seen = 0;
  if (!json) print(title(sum));
  while (seen !== count) {
    const found = await watching.next();
    if (found === undefined) break;
    if ("event" in found) {
      if (found.event === "replaced" || found.event === "back") beforeNs = undefined;
      await printPatiently(json ? changeAsJson(found) : `${paintOutput().yellow(changeInWords(found))}\n`);
      continue;
    }
    const gapMs = beforeNs === undefined ? undefined : Number(found.timestampNs - beforeNs) / 1e6;
    beforeNs = found.timestampNs;
    const text = json ? jsonLine(found, gapMs, sum) : line(found, gapMs, sum);
    found.release(); // the reader of our output may be slow
    await printPatiently(text);
    seen++;
  }
  return seen;
}

function changeAsJson({ event, depot, id, shape }: Change): string {
  const { frameSize, elementType, pixelFormat } = shape ?? {};
  return `${JSON.stringify({ event, depot, id, frameSize, elementType, pixelFormat })}\n`;
}

const bytesOf = ({ data }: Frame) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const crcOf = (frame: Frame) => crc32(bytesOf(frame)).toString(16).padStart(8, "0");

/** A line is 79 columns wide while numbers have at most nine digits. */
function columns(cells: [number: string, sequence: string, time: string, gap: string, lost: string, bytes: string]) {
  const widths = [9, 9, 12, 7, 5, 9];
  return cells.map((cell, index) => cell.padStart(widths[index])).join("  ");
}

function title(sum: boolean): string {
  const last = sum ? "CRC-32" : "FIRST BYTES";
  return paintOutput().dim(`${columns(["NUMBER", "SEQUENCE", "TIME", "GAP MS", "LOST", "BYTES"])}  ${last}`) + "\n";
}

function line(frame: Frame, gapMs: number | undefined, sum: boolean): string {
  const cells = columns([
    String(frame.frameNumber),
    String(frame.sequence),
    timeOf(frame.timestampNs),
    gapMs?.toFixed(2) ?? "",
    String(frame.lost),
    String(frame.data.byteLength),
  ]);
  const painted = frame.lost > 0 ? paintOutput().red(cells) : cells;
  return `${painted}  ${sum ? crcOf(frame) : hex(bytesOf(frame).subarray(0, FIRST_BYTES))}\n`;
}

function jsonLine(frame: Frame, gapMs: number | undefined, sum: boolean): string {
  const { frameNumber, sequence, timestampNs, lost, data } = frame;
  const content = sum ? { crc32: crcOf(frame) } : { firstBytes: hex(bytesOf(frame).subarray(0, FIRST_BYTES)) };
  // A time in nanoseconds is more than a JSON number holds.
  const details = { frameNumber, sequence, timestampNs: String(timestampNs), gapMs, lost, bytes: data.byteLength };
  return `${JSON.stringify({ ...details, ...content })}\n`;
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The local time of day; seconds where the timestamp is not a date. */
function timeOf(timestampNs: bigint): string {
  if (timestampNs < SOME_DATE_NS) return `${(Number(timestampNs) / 1e9).toFixed(3)} s`;
  const date = new Date(Number(timestampNs / 1_000_000n));
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"));
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
