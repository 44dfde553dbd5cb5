// Two ways to give frames to a worker: the worker opens the depot itself, or it gets a copy.
import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 20;
const name = `example-worker-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
  }
})();

const worker = new Worker(new URL("./worker_job.ts", import.meta.url), { workerData: depot.name });
async function ask(question: unknown, moved: ArrayBuffer[] = []): Promise<unknown> {
  const reply = once(worker, "message");
  worker.postMessage(question, moved);
  return (await reply)[0];
}

for await (const frame of depot.frames()) {
  const n = frame.frameNumber;
  // No copy: this lease keeps the frame in the depot until the worker has replied.
  assert.equal(await ask({ frameNumber: n }), n * depot.frameBytes);
  // One copy, which is moved to the worker: the frame may be released before the worker replies.
  const { buffer } = frame.copy();
  assert.equal(await ask({ buffer }, [buffer]), n * depot.frameBytes);
  if (n === count - 1) break;
}
await camera;
await ask("close");
await worker.terminate();
console.log(`ok: the worker saw ${count} frames twice`);
