/**
 * `frames-depot watch`: a line for each frame.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { Command, Option } from "commander";
import type { Frame, FramesDepot } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { positiveInteger, seconds } from "./parameters.ts";
import { complain, paintErrors, paintOutput, print, printPatiently } from "./terminal/output.ts";
import { counted, duration } from "./terminal/units.ts";
import { openInTime } from "./video/follow.ts";

type Options = { count?: number; timeout?: number; from: "next" | "latest" | "oldest"; sum?: boolean; json?: boolean };

/** Time between two checks for other peers. */
const COMPANY_MS = 500;
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
misses are printed as lost. It ends when all other processes have left, so that
the name becomes free. The gap is the difference between two timestamps.

Examples:
  frames-depot watch camera0
  frames-depot watch camera0 --timeout 10 --count 100 --sum
  frames-depot watch camera0 --json | jq .gapMs`,
    )
    .action(async (name: string, options: Options) => {
      using interruption = new Interruption();
      const { timeout, from } = options;
      await using depot = await openInTime(name, timeout ?? 0, interruption.signal);
      using company = new Company(depot);
      const frames = depot.frames({
        mode: "lossy",
        from,
        timeoutMs: timeout === undefined ? undefined : timeout * 1000,
        signal: AbortSignal.any([interruption.signal, company.gone]),
      });
      const seen = await follow(frames, options).catch((error) => {
        if (!company.gone.aborted || interruption.signal.aborted) throw error;
        complain(`${paintErrors().yellow("all other processes have left")} depot "${name}"\n`);
      });
      if (seen !== undefined && seen !== options.count) {
        throw new Failure(
          `depot "${name}" brought no frame for ${duration(timeout! * 1000)}, the limit of --timeout; ` +
            `${counted(seen, "frame")} came before`,
          EXIT.notFound,
        );
      }
    });
}

/** Watches whether other processes have the depot open. */
class Company implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(depot: FramesDepot) {
    this.#timer = setInterval(() => {
      if (!depot.stats().peers.some(({ self, alive }) => alive && !self)) this.#controller.abort();
    }, COMPANY_MS);
  }

  /** Aborts when no other process has the depot open. */
  get gone(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Prints frames. @returns how many there were, when the count is reached or the time is up */
async function follow(frames: AsyncIterable<Frame>, { count, sum = false, json = false }: Options): Promise<number> {
  let beforeNs: bigint | undefined;
  let seen = 0;
  if (!json) print(title(sum));
  for await (const frame of frames) {
    const gapMs = beforeNs === undefined ? undefined : Number(frame.timestampNs - beforeNs) / 1e6;
    beforeNs = frame.timestampNs;
    const text = json ? jsonLine(frame, gapMs, sum) : line(frame, gapMs, sum);
    frame.release(); // the reader of our output may be slow
    await printPatiently(text);
    if (++seen === count) break;
  }
  return seen;
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
