/**
 * Ctrl-C, SIGTERM and SIGHUP as an AbortSignal: waits end, depots are closed, terminals are restored, and then the
 * process ends.
 *
 * @module
 */
import process from "node:process";
import { EXIT, Failure } from "./failure.ts";

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: 129 } as const;

/** The longest time of a timer, 24 days: a longer one ends at once. */
export const LONGEST_MS = 2 ** 31 - 1;

/**
 * Listens for signals that end a process until it is disposed of. Its `signal` aborts with a {@linkcode Failure} that
 * has no message and the exit code; a second one ends the process at once.
 */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  readonly #listeners: [NodeJS.Signals, () => void][] = [];

  constructor() {
    for (const [name, exitCode] of Object.entries(CODES) as [NodeJS.Signals, number][]) {
      const listener = () => {
        if (this.signal.aborted) process.exit(exitCode);
        this.#controller.abort(new Failure("", exitCode));
      };
      process.on(name, listener);
      this.#listeners.push([name, listener]);
    }
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sleeps, however long. @throws {Failure} when interrupted meanwhile */
  async sleep(milliseconds: number): Promise<void> {
    this.signal.throwIfAborted();
    const until = performance.now() + milliseconds;
    do {
      const left = Math.min(Math.max(0, until - performance.now()), LONGEST_MS);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, left);
        const { signal } = this;
        function wake() {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          resolve();
        }
        signal.addEventListener("abort", wake);
      });
      this.signal.throwIfAborted();
    } while (performance.now() < until);
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }
}
