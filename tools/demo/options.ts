/**
 * What the demo can be told.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** What the user chose. */
export type Options = {
  seconds: number;
  /** Undefined: 1080p for the drawn picture, the video's own size for `--video`. */
  size: [width: number, height: number] | undefined;
  maxSize: number;
  video: string | undefined;
  help: boolean;
};

/** What `--help` prints. */
export const USAGE = `Frames through shared memory: one process draws, a Deno and a Bun process follow without losing
any, a fourth asks for single frames by number. Every pixel is checked on arrival.

    deno task demo [options]

    --seconds N     how long (10)
    --size WxH      pixels (1920x1080; with --video the video's own)
    --max-size N    slots of the depot (10)
    --video FILE    a video instead of the drawn picture, through ffmpeg; it is repeated if it is shorter
    --help          this text

Ctrl-C ends it early and in order. Exit code 0: nothing was lost, torn or left behind; 1: something was, or a process
failed; 2: the options make no sense or the video cannot be read.
`;

/** Something that the user has to put right: exit code 2. */
export class UsageError extends Error {}

function readNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new UsageError(`--${option} must be a number from ${least} to ${most}: ${text}`);
  }
  return value;
}

function readWhole(option: string, text: string, least: number, most: number): number {
  const value = readNumber(option, text, least, most);
  if (!Number.isInteger(value)) throw new UsageError(`--${option} must be a whole number: ${text}`);
  return value;
}

function readSize(text: string): [number, number] {
  const parts = /^(\d+)[x×](\d+)$/i.exec(text);
  if (parts === null) throw new UsageError(`--size must be like 1280x720: ${text}`);
  return [readWhole("size", parts[1], 1, 16384), readWhole("size", parts[2], 1, 16384)];
}

/** Reads the command line. @throws {UsageError} */
export function readOptions(parameters: string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args: parameters,
      options: {
        seconds: { type: "string", default: "10" },
        size: { type: "string" },
        "max-size": { type: "string", default: "10" },
        video: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  return {
    seconds: readNumber("seconds", values.seconds, 0.1, 86_400),
    size: values.size === undefined ? undefined : readSize(values.size),
    maxSize: readWhole("max-size", values["max-size"], 1, 65_536),
    video: values.video,
    help: values.help,
  };
}
