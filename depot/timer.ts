/**
 * Timers for any time.
 *
 * @module
 */

/** The longest time that a timer counts: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A timer for as long as one can be; none for Infinity. */
export function timerFor(ms: number, act: () => void): ReturnType<typeof setTimeout> | undefined {
  return ms === Infinity ? undefined : setTimeout(act, Math.max(0, Math.min(ms, LONGEST_TIMER_MS)));
}
