/**
 * Giving the event loop its turn. A promise that is always settled at once never lets timers, signals or input in, so a
 * loop over frames that are always there would starve them.
 *
 * @module
 */

/** Longest time without a turn for the event loop. */
const TURN_MS = 10;
/** Limit of frames between two looks at the clock. */
const MOST = 1024;

/** Tells when a turn is due, looking at the clock as seldom as the pace allows: a look costs as much as a hand-off. */
export class Turns {
  #left = 1;
  #stride = 1;
  #lastLook = 0;
  #lastTurn = 0;

  /** Counts one step. @returns true when the caller should await {@linkcode Turns.take} */
  due(): boolean {
    if (--this.#left > 0) return false;
    const now = performance.now();
    const since = now - this.#lastLook;
    this.#stride = since < 1 ? Math.min(MOST, this.#stride * 2) : since > 4 ? 1 : this.#stride;
    this.#left = this.#stride;
    this.#lastLook = now;
    return now - this.#lastTurn >= TURN_MS;
  }

  /** One turn of the event loop. */
  async take(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#lastTurn = performance.now();
  }
}
