/**
 * The bare hand-off by `postMessage`: the buffer of a frame is transferred to a worker and back, payload untouched.
 * One process: `post_message_handoff.ts TASK`.
 *
 * @module
 */
import process from "node:process";
import { startWorker } from "../../tools/support/worker.ts";
import { monotonicNs } from "./clock.ts";
import type { Task } from "./task.ts";

const BATCHES = 10;
const task: Task = JSON.parse(process.argv.at(-1)!);
const worker = startWorker(new URL("./post_message_echo.ts", import.meta.url));
let frame = new Uint8Array(task.frameBytes);

async function run(rounds: number): Promise<number> {
  const startNs = monotonicNs();
  await new Promise<void>((resolve, reject) => {
    let left = rounds;
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: { data: Uint8Array<ArrayBuffer> }) => {
      frame = data;
      if (left-- === 0) return resolve();
      worker.postMessage(frame, [frame.buffer]);
    };
    worker.postMessage(frame, [frame.buffer]);
    left--;
  });
  return (monotonicNs() - startNs) / 1e9;
}

await run(task.warmup);
let seconds = Infinity;
for (let batch = 0; batch < BATCHES; batch++) seconds = Math.min(seconds, await run(task.frames / BATCHES));
if (frame.byteLength !== task.frameBytes) throw new Error("wrong checksum: the frame has become shorter");
worker.terminate();
console.log(JSON.stringify({ frames: 2 * task.frames / BATCHES, seconds }));
