/**
 * What ffmpeg writes to its standard error, line by line, and how it ended. Its complaints count also where its exit
 * code is 0, as for a file that is cut off.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { EXIT, Failure } from "../failure.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { cannotRun } from "./ffmpeg_program.ts";

/** Complaints that are kept: the first ones, because they name the cause. */
const COMPLAINTS = 4;
/** A line's beginning, with `-loglevel repeat+level+…`: the part of ffmpeg that speaks, if it has one, and a level. */
const PREFIX = /^(?:\[[^\]]* @ 0x[0-9a-f]+\] )*\[(\w+)\] /;

/** Reads a stream to its end. @param take told every line, and what is after the last one */
export function eachLine(stream: Readable, take: (line: string) => void): void {
  let unfinished = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (unfinished + text).split("\n");
    unfinished = lines.pop()!;
    for (const line of lines) take(line);
  });
  stream.on("end", () => take(unfinished));
}

/** The log of one process that runs with `-loglevel repeat+level+…`. */
export class FfmpegLog {
  readonly #complaints: string[] = [];
  #complained = 0;

  /** Reads a stream to its end. @param onLine told every line @param harmless complaints that are none */
  constructor(stream: Readable, onLine: (line: string) => void = () => {}, harmless?: RegExp) {
    eachLine(stream, (line) => {
      const prefix = PREFIX.exec(line);
      if (prefix !== null && /^(error|fatal|panic)$/.test(prefix[1]) && !harmless?.test(line)) {
        this.#complain(line.slice(prefix[0].length));
      }
      onLine(line);
    });
  }

  #complain(words: string): void {
    const text = words.trim();
    if (text === "") return;
    this.#complained++;
    if (this.#complaints.length < COMPLAINTS && !this.#complaints.includes(text)) this.#complaints.push(text);
  }

  /** What it complained of, in one line; undefined where it did not. */
  get complaints(): string | undefined {
    if (this.#complained === 0) return undefined;
    const more = this.#complained - this.#complaints.length;
    return this.#complaints.join("; ") + (more > 0 ? `; and ${more} more` : "");
  }
}

/** How a process of ffmpeg ended. */
export type Ending = {
  /** Why it failed. */
  failure?: Failure;
  /** What it complained of although it did not fail. */
  complaints?: string;
};

const killedBy = (signal: string | null) =>
  signal === "SIGXFSZ"
    ? "it reached the limit of file sizes; `ulimit -f` shows and raises it"
    : `it was killed${signal === null ? "" : ` by ${signal}`}`;

/** Waits for a process and all of its log. */
export function endingOf(child: ChildProcess, log: FfmpegLog): Promise<Ending> {
  return new Promise((resolve) => {
    child.on("error", (error: NodeJS.ErrnoException) => resolve({ failure: cannotRun(error) }));
    child.on("close", (code, signal) => {
      const { complaints } = log;
      if (code === 0) return resolve(complaints === undefined ? {} : { complaints });
      // Where it has no word of its own, it is the program that does not work, not its task.
      const words = complaints ?? (code === null ? killedBy(signal) : `exit code ${code}`);
      resolve({
        failure: new Failure(`ffmpeg failed: ${words}`, complaints === undefined ? EXIT.system : EXIT.failed),
      });
    });
  });
}

/**
 * Says at once what ffmpeg complained of.
 *
 * @param what what may not be whole
 * @returns the failure with which the command ends, unless it is tolerant
 */
export function judge(what: string, { complaints }: Ending, tolerant = false): Failure | undefined {
  if (complaints === undefined) return undefined;
  const paint = paintErrors();
  const mark = tolerant ? paint.yellow("warning:") : paint.red("error:");
  complain(`${mark} ${what} may not be whole; ffmpeg says: ${complaints}\n`);
  return tolerant ? undefined : new Failure("", EXIT.failed);
}
