/**
 * The time of frames as a player wants it: growing, from 0. Timestamps come from clocks, and clocks are set: where one
 * steps, the frames before and after it follow each other at once.
 *
 * @module
 */

/** Further back than this is a step of the clock; less is what several producers do. */
const BACK_NS = 1_000_000_000n;
/** Further ahead than both of these is a step: nanoseconds, and multiples of the usual time between frames. */
const [AHEAD_NS, AHEAD_TIMES] = [60_000_000_000n, 50n];
/** How much a new interval counts in the usual time between frames. */
const WEIGHT = 8n;

/** Turns timestamps, in the order of frames, into times. */
export class Timeline {
  readonly #onStep: (stepNs: bigint) => void;
  #lastNs: bigint | undefined;
  #timeNs = 0n;
  #usualNs: bigint | undefined;

  /** @param onStep told each step of the clock, and how far it goes */
  constructor(onStep: (stepNs: bigint) => void = () => {}) {
    this.#onStep = onStep;
  }

  /** The time of the next frame, in nanoseconds from the first one. */
  add(timestampNs: bigint): bigint {
    const intervalNs = this.#lastNs === undefined ? 0n : timestampNs - this.#lastNs;
    if (this.#lastNs !== undefined && this.#isStep(intervalNs)) {
      this.#onStep(intervalNs - (this.#usualNs ?? 0n));
      this.#timeNs += this.#usualNs ?? 0n;
      this.#lastNs = timestampNs;
    } else if (this.#lastNs === undefined || intervalNs > 0n) {
      if (intervalNs > 0n) {
        this.#usualNs = this.#usualNs === undefined
          ? intervalNs
          : (this.#usualNs * (WEIGHT - 1n) + intervalNs) / WEIGHT;
      }
      this.#timeNs += intervalNs;
      this.#lastNs = timestampNs;
    }
    return this.#timeNs;
  }

  #isStep(intervalNs: bigint): boolean {
    if (intervalNs < -BACK_NS) return true;
    return this.#usualNs !== undefined && intervalNs > AHEAD_NS && intervalNs > this.#usualNs * AHEAD_TIMES;
  }
}

/** A step in words. */
export function stepInWords(stepNs: bigint): string {
  const seconds = Number(stepNs) / 1e9;
  return `the clock of the timestamps steps by ${seconds > 0 ? "+" : ""}${Number(seconds.toFixed(3))} s`;
}
