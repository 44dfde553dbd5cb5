/**
 * The other thread of the floor's round trips.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type FloorTask, LAST, WORD } from "./floor_task.ts";

onmessage = ({ data }: MessageEvent<FloorTask>) => {
  const words = new Int32Array(data.words);
  postMessage("ready");
  for (let seen = 0; seen !== LAST;) {
    if (data.how === "sleeps") Atomics.wait(words, WORD.ball, seen);
    const ball = Atomics.load(words, WORD.ball);
    if (ball === seen) continue;
    Atomics.store(words, WORD.answer, seen = ball);
    if (data.how === "sleeps") Atomics.notify(words, WORD.answer);
  }
};
