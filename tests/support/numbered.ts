/**
 * Frames that show their number: bands, dark for 0 and bright for 1. What a JPEG, another size or H.264 leaves of them
 * still says which frame it is.
 *
 * @module
 */
import type { FramesDepot } from "../../mod.ts";

/** Bits of a number that are shown, one in a band. */
export const BANDS = 16;
const [DARK, BRIGHT] = [40, 215];

/** Fills a frame of one, three or four channels with its number. */
export function paint(frame: Uint8Array, { width, height }: { width: number; height: number }, number: number): void {
  const channels = frame.length / (width * height);
  const row = frame.subarray(0, width * channels);
  for (let x = 0; x < width; x++) {
    const isBright = (number >> Math.floor(x * BANDS / width) & 1) === 1;
    row.fill(isBright ? BRIGHT : DARK, x * channels, (x + 1) * channels);
  }
  for (let y = 1; y < height; y++) frame.copyWithin(y * row.length, 0, row.length);
}

/** A producer that publishes numbered frames until it is stopped. */
export class Camera implements AsyncDisposable {
  /** The number of the newest frame. */
  number: number;
  #isStopped = false;
  readonly #done: Promise<void>;

  /** @param first number */
  constructor(depot: FramesDepot, size: { width: number; height: number }, perSecond: number, first = 0) {
    this.number = first - 1;
    this.#done = this.#run(depot, size, perSecond);
  }

  /** The newest frame stays the newest. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(depot: FramesDepot, size: { width: number; height: number }, perSecond: number): Promise<void> {
    let atMs = performance.now();
    while (!this.#isStopped) {
      const number = this.number + 1;
      using slot = await depot.claim({ frameNumber: number });
      if (slot !== undefined) {
        paint(slot.data as Uint8Array, size, number);
        slot.publish();
        this.number = number;
      }
      atMs = Math.max(performance.now(), atMs + 1000 / perSecond);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, atMs - performance.now())));
    }
  }
}
