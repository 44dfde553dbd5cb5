/**
 * The rate of frames that only have timestamps: files and Y4M want one number.
 *
 * @module
 */
import type { FrameRate } from "./frame_source.ts";

/** Usual rates of video. */
const WHOLE: readonly FrameRate[] = [1, 2, 5, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 144, 240]
  .map((rate): FrameRate => [rate, 1]);
/** The NTSC family, a thousandth slower. */
const NTSC: readonly FrameRate[] = [24000, 30000, 48000, 60000, 120000].map((rate): FrameRate => [rate, 1001]);
/** How near exact timestamps are to a rate, and how near the jittering ones of a camera. */
const [EXACT, NEAR] = [0.0002, 0.01];

/** The rate where timestamps give none. */
export const FALLBACK_RATE: FrameRate = [25, 1];

/**
 * Guesses the rate.
 *
 * @param timestampsNs of frames that follow each other
 * @returns undefined for fewer than two, and for a rate that video does not have (0.1 to 250 a second), as of frames
 *   that were stored as fast as possible
 */
export function guessRate(timestampsNs: readonly bigint[]): FrameRate | undefined {
  if (timestampsNs.length < 2) return undefined;
  const spanNs = Number(timestampsNs.at(-1)! - timestampsNs[0]);
  const rate = (timestampsNs.length - 1) * 1e9 / spanNs;
  if (!(rate >= 0.1 && rate <= 250)) return undefined;
  const distance = ([frames, seconds]: FrameRate) => Math.abs(frames / seconds / rate - 1);
  const nearest = (rates: readonly FrameRate[]) => rates.reduce((a, b) => distance(b) < distance(a) ? b : a);
  const exact = nearest([...WHOLE, ...NTSC]);
  if (distance(exact) < EXACT) return exact;
  const whole = nearest(WHOLE);
  return distance(whole) < NEAR ? whole : [Math.round(rate * 1000), 1000];
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
