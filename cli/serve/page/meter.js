// @ts-check
/**
 * How many pictures a canvas draws, and how late.
 *
 * @module
 */

/** What the figures are of. */
const WINDOW_MS = 2000;

export class Meter {
  /** @type {{ atMs: number, delayMs: number | undefined }[]} */
  #draws = [];

  /** @param {number} atMs @param {number | undefined} delayMs since the frame was published */
  add(atMs, delayMs) {
    this.#draws.push({ atMs, delayMs });
    while (this.#draws[0].atMs < atMs - WINDOW_MS) this.#draws.shift();
  }

  /** @returns {{ perSecond: number, delayMs: number | undefined }} the median delay */
  read(nowMs = performance.now()) {
    const draws = this.#draws.filter(({ atMs }) => atMs >= nowMs - WINDOW_MS);
    const delays = draws.map(({ delayMs }) => delayMs).filter((delay) => delay !== undefined).sort((a, b) => a - b);
    const spanMs = draws.length > 1 ? draws[draws.length - 1].atMs - draws[0].atMs : 0;
    const isSlow = nowMs - (draws.at(-1)?.atMs ?? 0) > WINDOW_MS / 2;
    const perSecond = spanMs > 0 && !isSlow ? (draws.length - 1) * 1000 / spanMs : draws.length * 1000 / WINDOW_MS;
    return { perSecond, delayMs: delays[delays.length >> 1] };
  }
}
