/**
 * The line of calls that wait for room in one depot object. Only the first one looks and sleeps, so that a wait costs
 * the same with ten others behind it and with thousands.
 *
 * @module
 */
import { timerFor } from "./timer.ts";

/** A place in the line. */
export interface Place {
  /** Whether it is the first one. */
  readonly isFirst: boolean;
  /**
   * Waits until the place is the first one.
   *
   * @param timeoutMs Infinity: for as long as it takes
   * @returns false when the time is up @throws the reason of the `signal`
   */
  first(timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean>;
  /** Leaves the line: the next one comes forward. */
  leave(): void;
}

/** First come, first served. Coming, leaving and moving up cost the same however long the line is. */
export class Line {
  #first: Waiting | undefined;
  #last: Waiting | undefined;

  /** Whether there is no one in it. */
  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Takes a place at the end. */
  join(): Place {
    const place = new Waiting(this, this.#last);
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    return this.#last = place;
  }

  /** Whether a place is the first one. */
  isFirst(place: Place): boolean {
    return this.#first === place;
  }

  /** Takes a place out. */
  remove(place: Waiting): void {
    const { before, next } = place;
    if (next === undefined) this.#last = before;
    else next.before = before;
    if (before !== undefined) before.next = next;
    else {
      this.#first = next;
      next?.wake();
    }
  }

  /** Has every place look again, one after the other: what they wait for will not come. */
  end(): void {
    for (let place = this.#first; place !== undefined; place = place.next) place.wake();
  }
}

class Waiting implements Place {
  next: Waiting | undefined;
  before: Waiting | undefined;
  readonly #line: Line;
  #wake: (() => void) | undefined;

  constructor(line: Line, before: Waiting | undefined) {
    this.#line = line;
    this.before = before;
  }

  get isFirst(): boolean {
    return this.#line.isFirst(this);
  }

  wake(): void {
    this.#wake?.();
  }

  async first(timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.isFirst || timeoutMs <= 0) return this.isFirst;
    await new Promise<void>((resolve) => {
      const wake = this.#wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const timer = timerFor(timeoutMs, wake);
      signal?.addEventListener("abort", wake);
    });
    signal?.throwIfAborted();
    return this.isFirst;
  }

  leave(): void {
    this.#line.remove(this);
  }
}
