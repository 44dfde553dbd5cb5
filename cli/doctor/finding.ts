/**
 * What a check answers.
 *
 * @module
 */

/** One thing looked at. */
export type Finding = {
  /** What was looked at, in two or three words. */
  check: string;
  /** `wrong`: depots cannot work, or something is broken. `warning`: they work, but less well or less far. */
  verdict: "ok" | "warning" | "wrong";
  /** What was found. */
  says: string;
  /** What to do about it; always there unless the verdict is ok. */
  remedy?: string;
};
