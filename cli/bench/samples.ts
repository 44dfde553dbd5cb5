/**
 * Many measurements of the same thing, in few numbers.
 *
 * @module
 */

/** Half of the measurements are below `p50`, all but one in a hundred below `p99`. */
export type Summary = { p50: number; p99: number; count: number };

/** Sums up, and sorts `values` in place. */
export function summarize(values: number[]): Summary {
  const sorted = values.sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { p50: at(0.5), p99: at(0.99), count: sorted.length };
}
