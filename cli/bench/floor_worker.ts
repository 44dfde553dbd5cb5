/**
 * The other thread of the floor's round trips.
 *
 * @module
 */
import { parentPort, workerData } from "node:worker_threads";
import { type FloorTask, LAST, WORD } from "./floor_task.ts";

const { words: shared, how } = workerData as FloorTask;
const words = new Int32Array(shared);
parentPort!.postMessage("ready");
for (let seen = 0; seen !== LAST;) {
  if (how === "sleeps") Atomics.wait(words, WORD.ball, seen);
  const ball = Atomics.load(words, WORD.ball);
  if (ball === seen) continue;
  Atomics.store(words, WORD.answer, seen = ball);
  if (how === "sleeps") Atomics.notify(words, WORD.answer);
}
