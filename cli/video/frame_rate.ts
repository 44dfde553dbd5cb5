/**
 * The rate of frames that only have timestamps: files and Y4M want one number.
 *
 * @module
 */
import type { FrameRate } from "./frame_source.ts";

/** Usual rates of video. */
const WHOLE: readonly FrameRate[] = [1, 2, 5, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 144, 240, 480]
  .map((rate): FrameRate => [rate, 1]);
/** The NTSC family, a thousandth slower. */
const NTSC: readonly FrameRate[] = [24000, 30000, 48000, 60000, 120000, 240000].map((rate): FrameRate => [rate, 1001]);
/** How far exact timestamps are off, and those of files that count milliseconds. */
const [EXACT_NS, MILLISECONDS_NS] = [2000, 600_000];
/** How near the trembling timestamps of a camera are to a rate. */
const NEAR = 0.01;

/** The rate where timestamps give none. */
export const FALLBACK_RATE: FrameRate = [25, 1];

/** Whether timestamps count milliseconds. */
const areRounded = (timestampsNs: readonly bigint[]) =>
  timestampsNs.every((timestampNs) => (timestampNs - timestampsNs[0]) % 1_000_000n === 0n);

/**
 * Guesses the rate.
 *
 * @param timestampsNs of frames that follow each other
 * @returns undefined for fewer than two, and for a rate that video does not have (0.1 to 500 a second), as of frames
 *   that were stored as fast as possible
 */
export function guessRate(timestampsNs: readonly bigint[]): FrameRate | undefined {
  if (timestampsNs.length < 2) return undefined;
  const spanNs = Number(timestampsNs.at(-1)! - timestampsNs[0]);
  const rate = (timestampsNs.length - 1) * 1e9 / spanNs;
  if (!(rate >= 0.1 && rate <= 500)) return undefined;
  // The usual rate that leaves the least to the rounding of each timestamp, not of the last one alone.
  const errorOf = ([frames, seconds]: FrameRate) =>
    timestampsNs.reduce((most, timestampNs, n) => {
      return Math.max(most, Math.abs(Number(timestampNs - timestampsNs[0]) - n * 1e9 * seconds / frames));
    }, 0);
  const best = (rates: readonly FrameRate[]) => rates.reduce((a, b) => errorOf(b) < errorOf(a) ? b : a);
  const exact = best([...WHOLE, ...NTSC]);
  if (errorOf(exact) < (areRounded(timestampsNs) ? Math.min(MILLISECONDS_NS, 3e8 / rate) : EXACT_NS)) return exact;
  const distance = ([frames, seconds]: FrameRate) => Math.abs(frames / seconds / rate - 1);
  const whole = WHOLE.reduce((a, b) => distance(b) < distance(a) ? b : a);
  return distance(whole) < NEAR ? whole : [Math.round(rate * 1000), 1000];
}

/**
 * The rate of an encoder that has no other times: the lowest usual one that has a place of its own for each frame. A
 * camera's of which some frames were dropped is the camera's; of trembling timestamps it is the guess.
 *
 * @param timestampsNs of frames that follow each other
 * @returns undefined as {@linkcode guessRate}
 */
export function gridRate(timestampsNs: readonly bigint[]): FrameRate | undefined {
  const guess = guessRate(timestampsNs);
  if (guess === undefined) return undefined;
  const times = timestampsNs.map((timestampNs) => Number(timestampNs - timestampsNs[0]));
  const tolerance = areRounded(timestampsNs) ? MILLISECONDS_NS : EXACT_NS;
  const shortest = times.reduce((least, time, n) => n === 0 ? least : Math.min(least, time - times[n - 1]), Infinity);
  const mean = times.at(-1)! / (times.length - 1);
  if (times.every((time, n) => Math.abs(time - n * mean) < tolerance)) return guess;
  const periodOf = ([frames, seconds]: FrameRate) => 1e9 * seconds / frames;
  const offOf = (rate: FrameRate) =>
    Math.max(...times.map((time) => Math.abs(time - Math.round(time / periodOf(rate)) * periodOf(rate))));
  const slowestFirst = [...WHOLE, ...NTSC].sort((a, b) => periodOf(b) - periodOf(a));
  const grids = slowestFirst.filter((rate) => {
    const period = periodOf(rate);
    return period >= 4 * tolerance && period <= shortest + tolerance && offOf(rate) < tolerance;
  });
  if (grids.length === 0) return guess;
  // 23.976 and 24 are both near to a few timestamps in milliseconds.
  const alike = grids.filter((rate) => periodOf(rate) > periodOf(grids[0]) * (1 - NEAR));
  return alike.reduce((best, rate) => offOf(rate) < offOf(best) ? rate : best);
}

/**
 * Whether frames at one rate last as long as their timestamps say, to a frame or a hundredth.
 *
 * @param spanNs from the first timestamp to the last
 * @returns a warning if they do not
 */
export function rateMismatch(frames: number, spanNs: bigint, [per, seconds]: FrameRate): string | undefined {
  const span = Number(spanNs) / 1e9;
  const length = (frames - 1) * seconds / per;
  if (frames < 2 || span <= 0 || Math.abs(length - span) <= Math.max(seconds / per, span * NEAR)) return undefined;
  const mean = (frames - 1) / span;
  return `the frames do not come at one rate: by their timestamps they last ${span.toFixed(2)} s, at ` +
    `${Number((per / seconds).toFixed(3))} a second ${length.toFixed(2)} s; \`--rate ${
      mean.toFixed(3)
    }\` keeps the length`;
}
