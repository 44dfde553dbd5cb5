/**
 * How much may be under way: as much as keeps the link busy, and no more, so that the newest frame is soon there.
 *
 * @module
 */

/** Bytes under way: at the beginning, and the most. */
const [FIRST, MOST] = [1 << 20, 32 << 20];
/** Frames under way. */
const MOST_FRAMES = 1024;
/** How much later than the fastest an acknowledgement may come before less is sent. */
const QUEUE_MS = 100;

type Sent = { number: number; bytes: number; atMs: number };

/** The frames that are under way to one far relay. */
export class Pacing {
  #under: Sent[] = [];
  #bytes = 0;
  #limit = FIRST;
  #fastestMs = Infinity;
  /** The limit is halved once for what was sent before this number. */
  #halvedAt = 0;

  /** Whether one more frame may be sent; one is always allowed. */
  get open(): boolean {
    return this.#under.length === 0 || this.#under.length < MOST_FRAMES && this.#bytes < this.#limit;
  }

  sent(number: number, bytes: number): void {
    this.#under.push({ number, bytes, atMs: performance.now() });
    this.#bytes += bytes;
  }

  /** All up to `number` has arrived. */
  arrived(number: number): void {
    const count = this.#under.findIndex((sent) => sent.number > number);
    const done = this.#under.splice(0, count < 0 ? this.#under.length : count);
    const newest = done.at(-1);
    if (newest === undefined) return;
    const bytes = done.reduce((sum, sent) => sum + sent.bytes, 0);
    this.#bytes -= bytes;
    const tookMs = performance.now() - newest.atMs;
    this.#fastestMs = Math.min(this.#fastestMs, tookMs);
    if (tookMs < 1.5 * this.#fastestMs + QUEUE_MS) this.#limit = Math.min(MOST, this.#limit + bytes);
    else if (newest.number > this.#halvedAt) this.#halve();
  }

  /** What was under way is sent again, or given up. */
  reset(): void {
    this.#under = [];
    this.#bytes = 0;
  }

  #halve(): void {
    this.#limit = Math.max(1, this.#limit / 2);
    this.#halvedAt = this.#under.at(-1)?.number ?? 0;
  }
}
