/**
 * Values of options for the commands that move video, checked.
 *
 * @module
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { DEPOT_BOUNDS, type From, type WhenFull } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { positiveInteger, seconds, timerSeconds, upTo } from "../parameters.ts";
import type { FrameRate } from "./frame_source.ts";

/** `1920x1080`, in pixels. */
export function size(text: string): [width: number, height: number] {
  const match = /^([1-9]\d{0,5})[x×]([1-9]\d{0,5})$/i.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be a width and a height, as 1920x1080.");
  return [Number(match[1]), Number(match[2])];
}

/** Frames a second: `30`, `29.97` or `30000/1001`. */
export function frameRate(text: string): FrameRate {
  const match = /^(\d+(?:\.\d+)?)(?:[/:](\d+(?:\.\d+)?))?$/.exec(text);
  const rate = [Number(match?.[1]), Number(match?.[2] ?? 1)] as const;
  if (!(rate[0] > 0 && rate[1] > 0)) {
    throw new InvalidArgumentError("It must be frames a second, as 30, 29.97 or 30000/1001.");
  }
  return rate;
}

/** A place in a queue. */
function from(text: string): From {
  if (text === "oldest" || text === "latest" || text === "next") return text;
  return frameNumber(text, "oldest, latest, next or ");
}

/** Any safe integer. */
export function frameNumber(text: string, otherwise: unknown = ""): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError(`It must be ${typeof otherwise === "string" ? otherwise : ""}a frame number.`);
}

/** From a second in a quarter of an hour to a day in a tenth of a second. */
const SPEEDS = [0.001, 1_000_000] as const;

/** A factor, or `max` for as fast as possible. */
export function speed(text: string): number | "max" {
  if (text === "max") return "max";
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= SPEEDS[0] && value <= SPEEDS[1])) {
    throw new InvalidArgumentError(`It must be a number from ${SPEEDS.join(" to ")}, or max, which does not wait.`);
  }
  return value;
}

/** What the options of {@linkcode addFillOptions} give. */
export type FillOptions = {
  timestamps: "source" | "now";
  maxSize?: number;
  whenFull?: WhenFull;
  maxReaders?: number;
  join?: boolean;
  replace?: boolean;
  end: boolean;
  waitReaders?: number;
  linger?: number | false;
};

/** Adds the options of commands that fill a depot. @param slots what a new depot has by default */
export function addFillOptions(command: Command, slots: string): Command {
  return command
    .addOption(
      new Option("--timestamps <which>", "source: those of the input; now: the time of publishing")
        .choices(["source", "now"]).default("source"),
    )
    .option("--max-size <frames>", `slots of a new depot (default: ${slots})`, upTo(DEPOT_BOUNDS.maxSize))
    .addOption(
      new Option("--when-full <policy>", "what a full queue does with a new frame (default of a new depot: wait)")
        .choices(["wait", "drop", "overwrite"]),
    )
    .option(
      "--max-readers <number>",
      `readers that a new depot has room for (default: ${DEPOT_BOUNDS.maxReaders.default})`,
      upTo(DEPOT_BOUNDS.maxReaders),
    )
    .option("--join", "join a depot even if another process fills it")
    .option("--replace", "take the name even from a depot that another process fills")
    .option("--no-end", "do not end the depot at the end of the input: readers wait for the next producer")
    .option("--wait-readers <number>", "begin when this many readers are attached", upTo(DEPOT_BOUNDS.maxReaders))
    .option(
      "--linger <seconds>",
      "how long to stay at the end while frames wait to be read (default: until they are)",
      seconds,
    )
    .option("--no-linger", "leave at the end; a depot that no other process holds is removed with its frames")
    .hook("preAction", (command) => {
      const { join, replace } = command.opts<FillOptions>();
      if (!join || !replace) return;
      throw new Failure(
        "--join adds a producer to the depot that another process fills, and --replace takes the name from it: choose one",
        EXIT.usage,
      );
    });
}

/** Adds the options of commands that follow a depot. @param mode the default, or what it depends on */
export function addFollowOptions(command: Command, mode: string = "lossless"): Command {
  return command
    .addOption(
      new Option(
        "--mode <mode>",
        `lossless holds producers back, lossy may miss frames, latest takes the newest (default: ${mode})`,
      ).choices(["lossless", "lossy", "latest"]),
    )
    .option("--from <where>", "oldest, latest, next, or a frame number", from, "oldest")
    .option("-n, --frames <number>", "end after this many frames", positiveInteger)
    .option("--follow", "do not end with the depot: wait for the next one of its name")
    .addOption(
      new Option("--when-producers-gone <what>", "wait for the next producer, or end").choices(["wait", "end"])
        .default("wait"),
    )
    .option("--follow-format", "go on when the shape of the frames changes, with a file for each shape")
    .option("--timeout <seconds>", "fail when the depot or a frame does not come in this time", timerSeconds);
}
