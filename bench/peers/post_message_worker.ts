/**
 * The sending side of post_message.ts.
 *
 * @module
 */
import { workerScope } from "../../tools/support/worker.ts";
import { Source } from "./payload.ts";
import type { Task } from "./task.ts";

type Frame = Uint8Array<ArrayBuffer>;
const scope = workerScope();

/** Frames that may be filled; the receiver's answers put them back. */
const free: Frame[] = [];
let wake = () => {};

async function run({ task, transfer }: { task: Task; transfer: boolean }): Promise<void> {
  // What is copied may be filled again at once, so one frame does; what is transferred is gone until it comes back.
  const own = new Uint8Array(task.frameBytes);
  for (let n = 0; n < task.depth; n++) free.push(transfer ? new Uint8Array(task.frameBytes) : own);
  scope.onmessage = ({ data }) => {
    free.push(transfer ? data : own);
    wake();
  };
  const source = new Source(task);
  while (await source.next()) {
    while (free.length === 0) await new Promise<void>((resolve) => wake = resolve);
    const frame = free.pop()!;
    source.write(frame);
    scope.postMessage(frame, transfer ? [frame.buffer] : []);
  }
}

scope.onmessage = ({ data }) => {
  run(data);
};
