/**
 * Does with one depot what it is told. Frames, slots and readers that it takes it holds until it ends.
 *
 * @module
 */
import {
  DepotError,
  type DepotOptions,
  type Frame,
  FramesDepot,
  type FrameSlot,
  type FramesOptions,
  type OpenOptions,
  type ReadMode,
} from "../../mod.ts";

/** What it may be told. */
export type Order =
  | { do: "create" | "createOrOpen"; name: string; options: DepotOptions; at?: number }
  | { do: "open"; name: string; options?: OpenOptions }
  | { do: "enqueue"; frameNumber: number; timeoutMs?: number }
  | { do: "claim"; frameNumber: number }
  | { do: "publish" }
  | { do: "end" }
  | { do: "readAll"; options?: FramesOptions }
  | { do: "follow"; mode: ReadMode; frames: number }
  | { do: "share"; group: string }
  | { do: "peek"; frameNumber: number }
  | { do: "begin"; what: Wait }
  | { do: "cancelledRead" }
  | { do: "id" }
  | { do: "close" };

/** Waits that have no end of their own: for a frame, for one with the thread blocked, for room in a full queue. */
export const WAITS = ["next", "nextSync", "enqueue"] as const;
/** One of them. */
export type Wait = typeof WAITS[number];

/** What it answers. */
export type Answer = { answer?: unknown; error?: string };

/** Reads until the reader ends. @returns the numbers and why, as a line */
export async function readAll(depot: FramesDepot, options: FramesOptions = {}): Promise<string> {
  const reader = depot.frames(options);
  const numbers: number[] = [];
  for await (const { frameNumber } of reader) numbers.push(frameNumber);
  return `${numbers.join(" ")}, ${reader.ended}`;
}

/** One depot object in obedient hands. */
export class Actor {
  #depot!: FramesDepot;
  #slot: FrameSlot | undefined;
  readonly #held: unknown[] = [];

  /** Obeys. @returns what came of it, or the code of the error */
  async obey(order: Order): Promise<Answer> {
    try {
      return { answer: await this.#do(order) ?? null };
    } catch (error) {
      return { error: error instanceof DepotError ? error.code : String(error) };
    }
  }

  async #do(order: Order): Promise<unknown> {
    switch (order.do) {
      case "create":
      case "createOrOpen":
        // A race begins at a moment, not when a line happens to arrive.
        while (Date.now() < (order.at ?? 0));
        this.#depot = await FramesDepot[order.do](order.name, order.options);
        return "made";
      case "open":
        this.#depot = await FramesDepot.open(order.name, order.options);
        return this.#depot.length;
      case "enqueue": {
        const { frameNumber, timeoutMs } = order;
        return (await this.#depot.enqueue({ frameNumber, frame: this.#pixels(frameNumber) }, { timeoutMs })).state;
      }
      case "claim":
        this.#slot = await this.#depot.claim({ frameNumber: order.frameNumber });
        this.#slot?.data.fill(order.frameNumber);
        return this.#slot?.sequence;
      case "publish":
        this.#slot!.publish();
        return "stored";
      case "end":
        return this.#depot.end();
      case "readAll":
        return await readAll(this.#depot, order.options);
      case "follow": {
        const reader = this.#depot.frames({ mode: order.mode, timeoutMs: 60_000 });
        this.#held.push(reader);
        const numbers: unknown[] = [];
        while (numbers.length < order.frames) numbers.push((await reader.next()).value?.frameNumber);
        return numbers;
      }
      case "share": {
        const reader = this.#depot.frames({ group: order.group });
        this.#held.push(reader);
        return reader.tryNext()?.frameNumber;
      }
      case "peek":
        return this.peek(order.frameNumber)?.data[0];
      case "begin":
        return this.#begin(order.what);
      case "cancelledRead": {
        const reader = this.#depot.readable().getReader();
        const reading = reader.read();
        await new Promise((resolve) => setTimeout(resolve, 50));
        await reader.cancel();
        return (await reading).done;
      }
      case "id":
        return [this.#depot.id, this.#depot.stats().id];
      case "close":
        return await this.#depot.close();
    }
  }

  /** Leases a frame. */
  peek(frameNumber: number): Frame | undefined {
    const frame = this.#depot.peekFrame(frameNumber);
    this.#held.push(frame);
    return frame;
  }

  /** Begins a wait a moment later, when the answer is on its way: it may block this thread. */
  #begin(what: Wait): void {
    setTimeout(() => {
      if (what === "enqueue") {
        this.#depot.enqueue({ frame: this.#pixels(0) }).catch(() => {});
        return;
      }
      const reader = this.#depot.frames({ from: "next", waiting: "park" });
      this.#held.push(reader);
      if (what === "nextSync") reader.nextSync();
      else reader.next().catch(() => {});
    }, 1);
  }

  #pixels(value: number): Uint8Array {
    return new Uint8Array(this.#depot.frameBytes).fill(value);
  }
}
