/**
 * The time of frames as a player wants it: growing, from 0. Timestamps come from clocks, and clocks are set: where one
 * steps, the frames before and after it follow each other at once.
 *
 * @module
 */

/** Further back than this is a step of the clock; less is what several producers do. */
const BACK_NS = 1_000_000_000n;
/** Frames in a row, less far back and each later than the one before, that are a step, too. */
const BACK_FRAMES = 3;
/** Further ahead than both of these is a step: nanoseconds, and multiples of the usual time between frames. */
const [AHEAD_NS, AHEAD_TIMES] = [60_000_000_000n, 50n];
/** How much a new interval counts in the usual time between frames. */
const WEIGHT = 8n;

/** Told each step of the clock: how far it goes, and how many frames ago it was. */
type OnStep = (stepNs: bigint, framesAgo: number) => void;

/** Turns timestamps, in the order of frames, into times. */
export class Timeline {
  readonly #onStep: OnStep;
  #lastNs: bigint | undefined;
  #timeNs = 0n;
  #usualNs = 0n;
  /** The frames before this one that were back, in a row, and the timestamp of the last of them. */
  #back = 0;
  #backNs = 0n;

  /** @param onStep told each step of the clock */
  constructor(onStep: OnStep = () => {}) {
    this.#onStep = onStep;
  }

  /** The time of the next frame, in nanoseconds from the first one. */
  add(timestampNs: bigint): bigint {
    const intervalNs = this.#lastNs === undefined ? 0n : timestampNs - this.#lastNs;
    if (this.#lastNs === undefined) this.#lastNs = timestampNs;
    else if (this.#isStep(intervalNs)) this.#step(timestampNs, 1);
    else if (intervalNs > 0n) this.#goOn(timestampNs, intervalNs);
    else this.#goBack(timestampNs);
    return this.#timeNs;
  }

  #isStep(intervalNs: bigint): boolean {
    if (intervalNs < -BACK_NS) return true;
    return this.#usualNs > 0n && intervalNs > AHEAD_NS && intervalNs > this.#usualNs * AHEAD_TIMES;
  }

  /** The clock has stepped before the last frames: they take the time that frames usually take. */
  #step(timestampNs: bigint, frames: number): void {
    const usualNs = this.#usualNs * BigInt(frames);
    this.#onStep(timestampNs - this.#lastNs! - usualNs, frames - 1);
    this.#timeNs += usualNs;
    this.#lastNs = timestampNs;
    this.#back = 0;
  }

  #goOn(timestampNs: bigint, intervalNs: bigint): void {
    this.#usualNs = this.#usualNs === 0n ? intervalNs : (this.#usualNs * (WEIGHT - 1n) + intervalNs) / WEIGHT;
    this.#timeNs += intervalNs;
    this.#lastNs = timestampNs;
    this.#back = 0;
  }

  #goBack(timestampNs: bigint): void {
    this.#back = this.#back > 0 && timestampNs > this.#backNs ? this.#back + 1 : 1;
    this.#backNs = timestampNs;
    if (this.#back === BACK_FRAMES) this.#step(timestampNs, BACK_FRAMES);
  }
}

/** A step in words. */
export function stepInWords(stepNs: bigint): string {
  const seconds = Number(stepNs) / 1e9;
  return `the clock of the timestamps steps by ${seconds > 0 ? "+" : ""}${Number(seconds.toFixed(3))} s`;
}
