/**
 * Values of options for the commands that move video, checked.
 *
 * @module
 */
import { InvalidArgumentError, Option } from "commander";
import type { From } from "../../mod.ts";
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
export function from(text: string): From {
  if (text === "oldest" || text === "latest" || text === "next") return text;
  return frameNumber(text, "oldest, latest, next or ");
}

/** Any safe integer. */
export function frameNumber(text: string, otherwise: unknown = ""): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError(`It must be ${typeof otherwise === "string" ? otherwise : ""}a frame number.`);
}

/** A factor above 0, or `max` for as fast as possible. */
export function speed(text: string): number | "max" {
  if (text === "max") return "max";
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("It must be a number above 0, or max.");
  return value;
}

/** What happens when the queue is full: for commands that make a depot. */
export function whenFullOption(): Option {
  return new Option("--when-full <policy>", "what a full queue does with a new frame (default of a new depot: wait)")
    .choices(["wait", "drop", "overwrite"]);
}

/** How a reader reads. @param byDefault a mode, or what it depends on */
export function modeOption(byDefault = "lossless"): Option {
  const option = new Option(
    "--mode <mode>",
    `lossless holds producers back, lossy may miss frames, latest takes the newest (default: ${byDefault})`,
  );
  return option.choices(["lossless", "lossy", "latest"]);
}

/** Whose timestamps frames get. */
export function timestampsOption(): Option {
  return new Option("--timestamps <which>", "source: those of the input; now: the time of publishing")
    .choices(["source", "now"]).default("source");
}
