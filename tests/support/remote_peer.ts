/**
 * A process that does with one depot what it is told, line by line: `{ do, …}` in, `{ answer }` or `{ error }` out. Frames,
 * slots and readers that it is told to take it holds until it ends.
 *
 * @module
 */
import process from "node:process";
import {
  DepotError,
  type DepotOptions,
  FramesDepot,
  type FrameSlot,
  type OpenOptions,
  type ReadMode,
} from "../../mod.ts";

/** What it may be told. */
export type Order =
  | { do: "create" | "createOrOpen"; name: string; options: DepotOptions; at?: number }
  | { do: "open"; name: string; options?: OpenOptions }
  | { do: "enqueue"; frameNumber: number; timeoutMs?: number }
  | { do: "claim"; frameNumber: number }
  | { do: "follow"; mode: ReadMode; frames: number }
  | { do: "peek"; frameNumber: number }
  | { do: "cancelledRead" }
  | { do: "close" };

let depot!: FramesDepot;
let slot: FrameSlot | undefined;
const held: unknown[] = [];

const pixels = (value: number) => new Uint8Array(depot.frameBytes).fill(value);

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case "create":
    case "createOrOpen":
      // A race begins at a moment, not when a line happens to arrive.
      while (Date.now() < (order.at ?? 0));
      depot = await FramesDepot[order.do](order.name, order.options);
      return "made";
    case "open":
      depot = await FramesDepot.open(order.name, order.options);
      return depot.length;
    case "enqueue":
      return (await depot.enqueue({ frameNumber: order.frameNumber, frame: pixels(order.frameNumber) }, order)).state;
    case "claim":
      slot = await depot.claim({ frameNumber: order.frameNumber });
      slot?.data.fill(order.frameNumber);
      return slot?.sequence;
    case "follow": {
      const reader = depot.frames({ mode: order.mode, timeoutMs: 60_000 });
      held.push(reader);
      const numbers: unknown[] = [];
      while (numbers.length < order.frames) numbers.push((await reader.next()).value?.frameNumber);
      return numbers;
    }
    case "peek": {
      const frame = depot.peekFrame(order.frameNumber);
      held.push(frame);
      return frame?.data[0];
    }
    case "cancelledRead": {
      const reader = depot.readable().getReader();
      const reading = reader.read();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await reader.cancel();
      process.stdin.destroy();
      return (await reading).done;
    }
    case "close":
      return await depot.close();
  }
}

let rest = "";
let done: Promise<unknown> = Promise.resolve();
process.stdin.setEncoding("utf8").on("data", (text: string) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    done = done.then(async () => {
      try {
        console.log(JSON.stringify({ answer: await obey(JSON.parse(line)) ?? null }));
      } catch (error) {
        console.log(JSON.stringify({ error: error instanceof DepotError ? error.code : String(error) }));
      }
    });
  }
});
