/**
 * Whether to spin or to sleep, learned from how long the waits before took.
 *
 * Sleeping in the kernel costs two changes of context and, until the event loop hears of the wake, tens of
 * microseconds; spinning costs a core. Where frames come at a steady pace both can be had: sleep through most of the
 * interval, spin around the moment at which the next one is due. Where they come slowly, what spinning would save is
 * not worth its time.
 *
 * @module
 */

/** How a wait spends its time. */
export type Waiting = "adaptive" | "park" | "spin";
/** The names of {@linkcode Waiting}. */
export const WAITINGS: readonly Waiting[] = ["adaptive", "park", "spin"];

/** How often a sleeping wait looks again, and after the dead: the most that a waker that died half-way can cost. */
export const SLICE_MS = 250;
/** Waits that usually take longer are slept through: there a late wake hardly counts, and spinning would cost more. */
const FAST_MS = 2;
/** How long before the usual moment spinning begins, and how long after it ends. Sleepers are late by a part of it. */
const MARGIN_MS = 0.15;
/** A sleep shorter than this ends later than it should. */
const LEAST_SLEEP_MS = 0.1;
/** The weight of the newest wait; and no single wait counts as longer than this, so that a pause is soon forgotten. */
const WEIGHT = 0.25;
const LONGEST_MS = 8;

/** Longest wait awake for a frame that is being written: 6 MB take a fifth of it, or a half where all is cold. */
export const SHORT_WRITE_MS = 1;
/** Each time without success, twice as many waits go by until it is tried again, up to this many. */
const MOST_PASSED = 64;

/** The waits of one reader, or of one producer. */
export class Pace {
  #usualMs = LONGEST_MS;
  /** Waits to go by when writing takes too long, and how many of them are left. */
  #passed = 0;
  #left = 0;

  /** Notes how long a wait took. */
  came(waitedMs: number): void {
    this.#usualMs += (Math.min(waitedMs, LONGEST_MS) - this.#usualMs) * WEIGHT;
  }

  /** What was being written was waited for awake, and came in time or did not. */
  wrote(inTime: boolean): void {
    this.#passed = inTime ? 0 : Math.min(this.#passed * 2 || 1, MOST_PASSED);
    this.#left = this.#passed;
  }

  /**
   * Whether to sleep lightly: to be woken as soon as a frame is being written, and to see that through awake. It hides
   * the tens of microseconds of a wake behind the writing, where that is short.
   */
  sleepsLightly(waiting: Waiting): boolean {
    if (waiting !== "adaptive") return false;
    if (this.#left === 0) return true;
    this.#left--;
    return false;
  }

  /** How long to sleep now, by how long the wait has taken already; 0 to go on spinning. */
  sleepMs(waitedMs: number, waiting: Waiting): number {
    if (waiting === "spin") return 0;
    if (waiting === "park" || this.#usualMs > FAST_MS) return SLICE_MS;
    const early = this.#usualMs - MARGIN_MS - waitedMs;
    if (early >= LEAST_SLEEP_MS) return early;
    return waitedMs < this.#usualMs + MARGIN_MS ? 0 : SLICE_MS;
  }
}
