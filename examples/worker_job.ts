// The worker of worker.ts: adds up the bytes of frames.
import { parentPort, workerData } from "node:worker_threads";
import { FramesDepot } from "@frames-depot/frames-depot";

type Question = { frameNumber: number } | { buffer: ArrayBuffer } | "close";

// A depot object belongs to one thread: the worker opens its own. There is no top-level await, because messages that
// arrive during one can be lost.
const opening = FramesDepot.open(workerData, { timeoutMs: 1000 });

function sum(bytes: Iterable<number>): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total;
}

async function reply(question: Question): Promise<unknown> {
  const depot = await opening;
  if (question === "close") {
    await depot.close();
    return "closed";
  }
  if ("buffer" in question) return sum(new Uint8Array(question.buffer));
  using frame = depot.peekFrame(question.frameNumber);
  return frame && sum(frame.data);
}

parentPort!.on("message", async (question: Question) => parentPort!.postMessage(await reply(question)));
