/**
 * A depot as web streams.
 *
 * @module
 */
import type { FramesDepot } from "./depot.ts";
import type { Frame } from "./frame.ts";
import type { FrameInput } from "./intake.ts";
import type { FrameReader } from "./stream.ts";

/** A stream of what {@linkcode FramesDepot.enqueue} takes, one at a time: its back-pressure is the depot's. */
export function writableOf(depot: FramesDepot): WritableStream<FrameInput> {
  let signal: AbortSignal;
  return new WritableStream<FrameInput>({
    start(controller) {
      signal = controller.signal; // aborted at once, while abort() of a sink waits for the write in flight
    },
    async write(input) {
      await depot.enqueue(input, { signal });
    },
  }, new CountQueuingStrategy({ highWaterMark: 1 }));
}

/**
 * A stream of frames, each released when the next one is read. Nothing is read ahead: a frame is taken from the depot
 * when somebody asks for it.
 */
export function readableOf(reader: FrameReader): ReadableStream<Frame> {
  return new ReadableStream<Frame>({
    async pull(controller) {
      const { done, value } = await reader.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      reader.release();
    },
  }, { highWaterMark: 0 });
}
