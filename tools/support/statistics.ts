/**
 * Figures about many numbers.
 *
 * @module
 */

/** Linear between the two nearest values; NaN of none. `q` is from 0 to 1. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return NaN;
  const sorted = Float64Array.from(values).sort();
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (sorted[Math.ceil(place)] - sorted[below]) * (place - below);
}

/** The value in the middle; the mean of the two in the middle of an even number. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Start-up and just-in-time compilation: this part of a run is not looked at. */
const WARM_UP = 0.2;

/** Medians of the first and the last quarter, after what counts as warming up. */
export function quarters(values: readonly number[]): [first: number, last: number] {
  const warm = values.slice(Math.floor(values.length * WARM_UP));
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  return [median(warm.slice(0, quarter)), median(warm.slice(-quarter))];
}
