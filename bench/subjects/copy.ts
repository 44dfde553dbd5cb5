/**
 * Enqueue of a 1080p frame: one copy into shared memory.
 *
 * @module
 */
import { assertSame, withDepot } from "./depot.ts";

/** Of a frame, 1080p RGB. */
export const FRAME_BYTES = 1920 * 1080 * 3;
/** Slots of the ring. */
export const SLOTS = 10;
/** Of the quickest of this number of windows: what disturbs one only ever makes it slower. */
const WINDOWS = 5;
const SECONDS = 0.1;

/** GB/s. */
export function copy(): Promise<Record<string, number>> {
  return withDepot({ frameSize: [1920, 1080, 3], maxSize: SLOTS, whenFull: "overwrite" }, (depot) => {
    const frame = new Uint8Array(FRAME_BYTES).fill(7);
    for (let slot = 0; slot < SLOTS; slot++) depot.tryEnqueue({ frame });
    let copied = 0;
    let best = 0;
    for (let window = 0; window < WINDOWS; window++) {
      const started = performance.now();
      const before = copied;
      let elapsed = 0;
      while (elapsed < SECONDS) {
        depot.tryEnqueue({ frame });
        copied++;
        elapsed = (performance.now() - started) / 1000;
      }
      best = Math.max(best, (copied - before) * FRAME_BYTES / elapsed / 1e9);
    }
    using newest = depot.peekFrame(SLOTS + copied - 1);
    assertSame("the newest frame's last byte", newest?.data[FRAME_BYTES - 1], 7);
    return { enqueue: best };
  });
}
