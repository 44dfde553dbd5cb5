/**
 * `postMessage` from a worker: frames copied by structured clone, or their buffers transferred and sent back for reuse.
 * One process: `post_message.ts copy|transfer TASK`. Messages have no back-pressure of their own, so the receiver sends
 * an answer for each.
 *
 * @module
 */
import process from "node:process";
import { startWorker } from "../../tools/support/worker.ts";
import { Sink } from "./payload.ts";
import type { Task } from "./task.ts";

const [way, json] = process.argv.slice(-2);
const task: Task = JSON.parse(json);
const transfer = way === "transfer";
const sink = new Sink(task);
const worker = startWorker(new URL("./post_message_worker.ts", import.meta.url));

await new Promise<void>((resolve, reject) => {
  worker.onerror = (event) => reject(new Error(event.message));
  worker.onmessage = ({ data: frame }: { data: Uint8Array<ArrayBuffer> }) => {
    try {
      if (sink.read(frame)) return resolve();
    } catch (error) {
      return reject(error);
    }
    if (transfer) worker.postMessage(frame, [frame.buffer]);
    else worker.postMessage(undefined);
  };
  worker.postMessage({ task, transfer });
});
worker.terminate();
console.log(JSON.stringify(sink.outcome()));
