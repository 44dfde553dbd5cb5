/**
 * Writing: results to standard output, everything else to standard error, colours only on a terminal.
 *
 * @module
 */
import process from "node:process";
import colours from "picocolors";

type Stream = typeof process.stdout | typeof process.stderr;

/** Functions that colour a text, or leave it as it is. */
export type Paint = ReturnType<typeof colours.createColors>;

/** NO_COLOR wins over FORCE_COLOR, and both over what the stream is. */
function coloured(stream: Stream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return stream.isTTY === true && TERM !== "dumb";
}

/** Colours for standard output. */
export function paintOutput(): Paint {
  return colours.createColors(coloured(process.stdout));
}

/** Colours for standard error. */
export function paintErrors(): Paint {
  return colours.createColors(coloured(process.stderr));
}

/** Columns of the terminal; Infinity where there is none, so that nothing is cut in a pipe. */
export function terminalWidth(): number {
  if (!process.stdout.isTTY) return Number(process.env.COLUMNS) || Infinity;
  return process.stdout.columns || 80;
}

/** What the terminal's last line shows until text is written. */
let passing: { clear(): void } | undefined;

/** Names the progress bar that is cleared before text is written; undefined when there is none. */
export function letPass(bar: { clear(): void } | undefined): void {
  passing = bar;
}

/** The system does not take what is written to standard output; `cause` is its error. */
export class OutputRefused extends Error {
  /** @param cause the system's error */
  constructor(cause: unknown) {
    super("standard output takes no more", { cause });
  }
}

/** Writes to standard output. @throws {OutputRefused} in Deno; elsewhere the stream has an error then */
export function print(text: string): void {
  if (process.stdout.isTTY) passing?.clear();
  write(text);
}

/** Writes, and waits for a slower reader of the output, so that endless output does not pile up in memory. */
export async function printPatiently(text: string): Promise<void> {
  if (!write(text)) await new Promise<void>((resolve) => process.stdout.once("drain", resolve));
}

function write(text: string): boolean {
  try {
    return process.stdout.write(text);
  } catch (error) {
    throw new OutputRefused(error);
  }
}

/** Writes a value as JSON, for programs. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, null, 2)}\n`);
}

/** Where texts for people go instead of standard error. */
let kept: string[] | undefined;

/** Keeps what would be written to standard error from now on, so that JSON is alone there. */
export function keepComplaints(): string[] {
  return kept ??= [];
}

/** Writes to standard error. */
export function complain(text: string): void {
  if (kept !== undefined) return void kept.push(text.trimEnd());
  passing?.clear();
  process.stderr.write(text);
}

/** Warnings of the library are written as the commands write: beside a progress bar, not into it. */
export function complainOfWarnings(): void {
  console.warn = (text: string) => complain(`${text}\n`);
}
