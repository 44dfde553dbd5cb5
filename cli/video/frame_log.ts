/**
 * What ffmpeg's filter `showinfo` logs of each frame before it is written: shape, time and colours.
 *
 * The log is made for people, so little is taken on trust. The filter has a name that no file can contain by chance;
 * lines are counted as they come, because the filter's own numbers begin again whenever ffmpeg rebuilds its graph; and
 * a line may be cut by those of other threads.
 *
 * @module
 */
import { PIXEL_FORMATS } from "../../mod.ts";
import { type Appearance, colorOfLog } from "./colors.ts";

/** A frame as it was logged. */
export type FrameLine = Appearance & {
  format: string;
  width: number;
  height: number;
  /** Nanoseconds since the first frame. */
  timestampNs: bigint;
  /** Whether all of it has been logged. */
  complete: boolean;
};

const FRAME = /\bn: *(\d+) pts: *(-?\d+|NOPTS) .*?\bfmt:(\S+) .*?\bsar:(\d+)\/(\d+) s:(\d+)x(\d+) i:(\S) .*?\btype:\S /;
const CONFIG = /^config in time_base: (\d+)\/(\d+), frame_rate: (\d+)\/(\d+)/;
const DURATION = /^\[info\] +Duration: (\d+):(\d+):([\d.]+)/;
const SECOND = 1_000_000_000n;
/** The parts of the colours in the order in which they are logged. */
const COLOR = ["color_range", "color_space", "color_primaries", "color_trc"];

/** Reads the log of one process. */
export class FrameLog {
  /** The filter that logs. */
  readonly filter: string;
  readonly #prefix: RegExp;
  readonly #lines: FrameLine[] = [];
  readonly #onFrame: () => void;
  #first = 0;
  /** What ffmpeg's own number of the next frame should be; undefined before its first graph. */
  #number: number | undefined;
  #colorText = "";
  #timeBase = [1n, 1n];
  /** The rate of the source as ffmpeg knows it, a fraction; 0 where it does not. */
  #frames = 0n;
  #perSeconds = 1n;
  #lastNs: bigint | undefined;
  #origin: { ticks: bigint; denominator: bigint } | undefined;
  #seconds: number | undefined;
  #rate = 0;

  /** @param onFrame called when more is known */
  constructor(onFrame: () => void) {
    const name = `showinfo@${crypto.randomUUID()}`;
    this.filter = `${name}=checksum=0`;
    this.#prefix = new RegExp(`^\\[${name} @ 0x[0-9a-f]+\\] \\[info\\] `);
    this.#onFrame = onFrame;
  }

  /** Frames to come, as the input's header estimates it. */
  get total(): number | undefined {
    return this.#seconds === undefined || this.#rate === 0 ? undefined : Math.round(this.#seconds * this.#rate);
  }

  /** Frames that were logged. */
  get count(): number {
    return this.#first + this.#lines.length;
  }

  /** What was logged of frame `n`, counted from 0; those before it are forgotten. */
  get(n: number): FrameLine | undefined {
    this.#lines.splice(0, n - this.#first);
    this.#first = Math.max(n, this.#first);
    return this.#lines[0];
  }

  /** Takes a line of the log. */
  read(line: string): void {
    const prefix = this.#prefix.exec(line);
    if (prefix !== null) {
      this.#readOwn(line.slice(prefix[0].length));
    } else if (this.#number === undefined) {
      const duration = DURATION.exec(line);
      if (duration === null) return;
      this.#seconds = Number(duration[1]) * 3600 + Number(duration[2]) * 60 + Number(duration[3]);
    } else {
      // Another thread's line that had not ended. What an input says of itself was logged before the first graph.
      const frame = FRAME.exec(line);
      if (frame !== null && Number(frame[1]) === this.#number) this.#add(frame);
    }
  }

  #readOwn(text: string): void {
    const config = CONFIG.exec(text);
    if (config !== null) {
      const [, numerator, denominator, frames, seconds] = config;
      this.#timeBase = [BigInt(numerator), BigInt(denominator)];
      this.#number = 0;
      if (frames === "0" || seconds === "0") return;
      this.#rate ||= Number(frames) / Number(seconds);
      [this.#frames, this.#perSeconds] = [BigInt(frames), BigInt(seconds)];
      return;
    }
    const frame = FRAME.exec(text);
    if (frame !== null) return this.#add(frame);
    const last = this.#lines.at(-1);
    if (last === undefined || last.complete) return;
    // A line of side data may come before, and one line in two pieces.
    this.#colorText += text.startsWith(`${COLOR[0]}:`) ? ` ${text}` : text;
    if (this.#colorText.includes(`${COLOR.at(-1)}:`)) this.#complete(last);
  }

  #add(frame: RegExpExecArray): void {
    const before = this.#lines.at(-1);
    if (before !== undefined && !before.complete) this.#complete(before);
    const [n, aspectWidth, aspectHeight, width, height] = [1, 4, 5, 6, 7].map((group) => Number(frame[group]));
    this.#number = n + 1;
    this.#lines.push({
      format: frame[3],
      width,
      height,
      timestampNs: this.#nanoseconds(frame[2]),
      sampleAspectRatio: aspectWidth > 0 && aspectHeight > 0 ? [aspectWidth, aspectHeight] : undefined,
      fieldOrder: frame[8] === "T" ? "tt" : frame[8] === "B" ? "bb" : "progressive",
      complete: false,
    });
    this.#onFrame();
  }

  /** Takes what was logged of a frame's colours. */
  #complete(line: FrameLine): void {
    const words = COLOR.map((part) => new RegExp(`\\b${part}:(\\S+)`).exec(this.#colorText)?.[1] ?? "");
    line.color = colorOfLog(words, PIXEL_FORMATS.get(line.format)?.isYuv ?? false);
    line.complete = true;
    this.#colorText = "";
    this.#onFrame();
  }

  /** Time since the first frame; a depot's timestamps cannot be negative. */
  #nanoseconds(pts: string): bigint {
    let since: bigint;
    if (pts === "NOPTS") {
      const frameNs = this.#frames === 0n ? 0n : this.#perSeconds * SECOND / this.#frames;
      since = this.#lastNs === undefined ? 0n : this.#lastNs + frameNs;
    } else {
      const [numerator, denominator] = this.#timeBase;
      const ticks = BigInt(pts) * numerator;
      this.#origin ??= { ticks, denominator };
      const { ticks: first, denominator: per } = this.#origin;
      // In one fraction, so that nothing is rounded twice; a new graph may count in another unit.
      since = this.#unrounded((ticks * per - first * denominator) * SECOND / (denominator * per));
    }
    return this.#lastNs = since < 0n ? 0n : since;
  }

  /**
   * A container that counts milliseconds has no place for the times of 29.97 frames a second. Where a time can be that
   * of the source's rate, rounded, it is; it moves by one unit of the container at the most.
   */
  #unrounded(timeNs: bigint): bigint {
    const [numerator, denominator] = this.#timeBase;
    const [frames, seconds] = [this.#frames, this.#perSeconds];
    if (frames === 0n || seconds * denominator % (frames * numerator) === 0n) return timeNs; // its times are whole units
    const n = (timeNs * frames * 2n + seconds * SECOND) / (seconds * SECOND * 2n); // the nearest
    const exactNs = n * seconds * SECOND / frames;
    const awayNs = exactNs < timeNs ? timeNs - exactNs : exactNs - timeNs;
    const isRounded = awayNs * denominator <= numerator * SECOND && awayNs * 4n * frames <= seconds * SECOND;
    return isRounded && (this.#lastNs === undefined || exactNs > this.#lastNs) ? exactNs : timeNs;
  }
}
