/**
 * A limit on what is made at one time.
 *
 * @module
 */

/** Lets few in at a time, some wait, and the others are refused. */
export class Gate {
  readonly #most: number;
  readonly #mostWaiting: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  /**
   * @param most tasks at one time
   * @param mostWaiting tasks that wait
   */
  constructor(most: number, mostWaiting: number) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
  }

  /** Runs a task in its turn. @returns undefined where too many wait */
  async run<T>(task: () => Promise<T>): Promise<T | undefined> {
    if (this.#inside >= this.#most) {
      if (this.#waiting.length >= this.#mostWaiting) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#inside++;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside--;
      else next();
    }
  }
}

/** Tokens that come back with time: how often a client may do something. */
export class Allowance {
  readonly #perSecond: number;
  readonly #most: number;
  #left: number;
  #atMs = performance.now();

  /**
   * @param perSecond in the long run
   * @param most at once
   */
  constructor(perSecond: number, most: number) {
    this.#perSecond = perSecond;
    this.#most = most;
    this.#left = most;
  }

  /** Whether it may be done once more now. */
  take(): boolean {
    const nowMs = performance.now();
    this.#left = Math.min(this.#most, this.#left + (nowMs - this.#atMs) * this.#perSecond / 1000);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
