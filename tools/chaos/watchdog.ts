/**
 * Notices when nothing moves any more, or when a process that has to live does not.
 *
 * @module
 */
import type { Child } from "../support/child.ts";
import type { Observer, Progress } from "../support/observer.ts";

const LOOK_MS = 500;

/** Ends every wait of a run when the run cannot go on. */
export class Watchdog {
  readonly #observer: Observer;
  readonly #limitMs: number;
  readonly #broken = Promise.withResolvers<never>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #signal: AbortSignal | undefined;
  #last: Progress;
  #movedAt = performance.now();
  #why: string | undefined;

  constructor(observer: Observer, limitMs: number, signal: AbortSignal | undefined) {
    this.#observer = observer;
    this.#limitMs = limitMs;
    this.#signal = signal;
    this.#last = observer.progress();
    this.#broken.promise.catch(() => {});
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    signal?.addEventListener("abort", this.#aborted);
  }

  #aborted = () => this.bark("interrupted");

  #look(): void {
    const now = this.#observer.progress();
    if (now.head !== this.#last.head || now.cursor !== this.#last.cursor) {
      this.#last = now;
      this.#movedAt = performance.now();
    } else if (performance.now() - this.#movedAt > this.#limitMs) {
      this.bark(`nothing has moved for ${this.#limitMs} ms\n${this.#observer.dump()}`);
    }
  }

  /** Ends every wait with this reason. */
  bark(why: string): void {
    this.#why ??= why;
    this.#broken.reject(new Error(why));
  }

  /** Why the run ended early. */
  get why(): string | undefined {
    return this.#why;
  }

  /** Watches a process that must live until it has given its report. */
  async guard(child: Child, ended: () => boolean): Promise<void> {
    const { code, signal } = await child.ending;
    if (!ended()) this.bark(`${child} ended with code ${code}, signal ${signal}: ${child.errors}`);
  }

  /** Waits for something as long as all is well. */
  until<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#broken.promise]);
  }

  /** From here on nothing has to move. */
  rest(): void {
    clearInterval(this.#timer);
    this.#signal?.removeEventListener("abort", this.#aborted);
  }
}
