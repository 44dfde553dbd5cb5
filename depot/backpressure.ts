/**
 * Telling the user that a frame found no room.
 *
 * @module
 */
import type { Attachment } from "../ring/attachment.ts";
import { droppedFrames, queueLength, slowestReader, waitsForReader } from "../ring/counters.ts";
import type { BackpressureEvent } from "./options.ts";
import { timerFor } from "./timer.ts";

/** What an onBackpressure callback is told. */
export function backpressureEvent(attachment: Attachment, frameNumber: number | undefined): BackpressureEvent {
  return {
    frameNumber,
    length: queueLength(attachment),
    maxSize: attachment.geometry.maxSize,
    droppedFrames: droppedFrames(attachment),
    slowest: slowestReader(attachment),
    waitsForReader: waitsForReader(attachment),
  };
}

/** A call of the user's callback: under way, over, or failed. */
export class Told {
  #failure: { error: unknown } | undefined;
  #abandoned = false;
  readonly #over: Promise<void>;
  readonly #closing: Promise<void>;

  /** @param failed called when it has thrown @param closing settled when the depot object begins to close */
  constructor(depot: string, call: () => unknown, failed: () => void, closing: Promise<void>) {
    this.#closing = closing;
    this.#over = (async () => {
      try {
        await call();
      } catch (error) {
        this.#failure = { error };
        failed();
        // Nothing waits for it any more: said, and not thrown, for it would end the process.
        if (this.#abandoned) {
          console.error(`frames-depot: onBackpressure of depot "${depot}" failed after its wait was over:`, error);
        }
      }
    })();
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined && !this.#abandoned) throw this.#failure.error;
  }

  /** Waits for it no longer. @throws what it has thrown until now */
  leave(): void {
    this.throwIfFailed();
    this.#abandoned = true;
  }

  /** Waits for the callback, but no longer than its caller waits. @throws what it has thrown */
  async bounded(deadline: number, signal: AbortSignal | undefined): Promise<void> {
    if (!signal?.aborted && deadline > performance.now()) await this.#overOr(deadline, signal);
    this.leave();
  }

  async #overOr(deadline: number, signal: AbortSignal | undefined): Promise<void> {
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      const timer = timerFor(deadline - performance.now(), resolve);
      const aborted = () => resolve();
      signal?.addEventListener("abort", aborted);
      stop = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", aborted);
      };
    });
    await Promise.race([this.#over, stopped, this.#closing]);
    stop();
  }
}
