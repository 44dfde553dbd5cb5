/**
 * What a check finds.
 *
 * @module
 */

/** One thing looked at. */
export type Finding = {
  /** What was found, for programs: a word that stays the same. */
  id: string;
  /** What was looked at, in two or three words. */
  check: string;
  /**
   * `wrong`: depots cannot work, or something is broken. `warning`: they work, but with less room or less safety.
   * `note`: they work, and some commands lack a program.
   */
  verdict: "ok" | "note" | "warning" | "wrong";
  /** What was found. */
  says: string;
  /** What to do about it; present unless the verdict is ok. */
  remedy?: string;
};
