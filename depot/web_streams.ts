/**
 * A depot as web streams.
 *
 * @module
 */
import type { Frame } from "./frame.ts";
import type { ElementType, FrameInput } from "./options.ts";
import type { FrameReader } from "./stream.ts";

/** A stream into `enqueue`, one frame at a time: its back-pressure is the depot's. */
export function writableOf(
  enqueue: (input: FrameInput, signal: AbortSignal) => Promise<unknown>,
): WritableStream<FrameInput> {
  let signal: AbortSignal;
  return new WritableStream<FrameInput>({
    start(controller) {
      signal = controller.signal; // aborted at once, while abort() of a sink waits for the write in flight
    },
    async write(input) {
      await enqueue(input, signal);
    },
  }, new CountQueuingStrategy({ highWaterMark: 1 }));
}

/**
 * A stream of frames that belong to their reader: each is a lease of its own. Nothing is read ahead: a frame is taken
 * from the depot when it is asked for. Both branches of `tee()` get a lease of their own.
 */
export function readableOf<E extends ElementType>(reader: FrameReader<E>): ReadableStream<Frame<E>> {
  return new FrameStream({
    async pull() {
      const { done, value } = await reader.next();
      if (done) return undefined;
      // The reader's own lease passes the frame at once; the clone is the stream's to hand out.
      const own = value.clone();
      value.release();
      return own;
    },
    cancel: () => reader.release(),
  });
}

/** Where frames come from: each time the next one, or undefined at the end. */
type FrameOrigin<E extends ElementType> = { pull(): Promise<Frame<E> | undefined>; cancel(reason: unknown): unknown };

class FrameStream<E extends ElementType> extends ReadableStream<Frame<E>> {
  constructor(origin: FrameOrigin<E>) {
    super({
      async pull(controller) {
        const frame = await origin.pull();
        if (frame === undefined) return controller.close();
        try {
          controller.enqueue(frame);
        } catch {
          frame.release(); // cancelled meanwhile
        }
      },
      async cancel(reason) {
        await origin.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  override tee(): [ReadableStream<Frame<E>>, ReadableStream<Frame<E>>] {
    const branches = new Tee(this.getReader());
    return [branches.stream(0), branches.stream(1)];
  }
}

/** Two branches of one stream. What one of them has taken waits for the other, as a lease of its own. */
class Tee<E extends ElementType> {
  readonly #source: ReadableStreamDefaultReader<Frame<E>>;
  readonly #queues: [Frame<E>[] | undefined, Frame<E>[] | undefined] = [[], []];
  #reading: Promise<boolean> | undefined;

  constructor(source: ReadableStreamDefaultReader<Frame<E>>) {
    this.#source = source;
  }

  stream(branch: 0 | 1): ReadableStream<Frame<E>> {
    return new FrameStream({
      pull: async () => {
        while (this.#queues[branch]?.length === 0) {
          if (!await (this.#reading ??= this.#read())) return undefined;
        }
        return this.#queues[branch]?.shift();
      },
      cancel: async (reason) => {
        const left = this.#queues[branch];
        this.#queues[branch] = undefined;
        for (const frame of left ?? []) frame.release();
        if (this.#queues.every((queue) => queue === undefined)) await this.#source.cancel(reason);
      },
    });
  }

  /** One frame for each branch that is still read. @returns false at the end */
  async #read(): Promise<boolean> {
    try {
      const { done, value } = await this.#source.read();
      if (done) return false;
      for (const queue of this.#queues) queue?.push(value.clone());
      value.release();
      return true;
    } finally {
      this.#reading = undefined;
    }
  }
}
