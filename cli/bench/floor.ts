/**
 * Round trips between two threads over one word of memory, without any depot: faster is not possible on this machine.
 *
 * @module
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { type FloorTask, LAST, WORD } from "./floor_task.ts";
import { summarize, type Summary } from "./samples.ts";

const PAUSE_MS = 2;
const WARM_UP = 200;
const LOST_MS = 10_000;

/** Nanoseconds one way between two threads that spin, or that sleep in `Atomics.wait`. */
export async function floorOf(how: "spins" | "sleeps", milliseconds: number, signal: AbortSignal): Promise<Summary> {
  const words = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL("./floor_worker.ts", import.meta.url), {
    workerData: { words: words.buffer, how } satisfies FloorTask,
  });
  try {
    await once(worker, "message"); // rejects where the worker fails
    const times: number[] = [];
    const end = performance.now() + milliseconds;
    for (let ball = 1; performance.now() < end || times.length === 0; ball++) {
      if (how === "sleeps" || ball % 1000 === 0) {
        await new Promise((resolve) => setTimeout(resolve, how === "sleeps" ? PAUSE_MS : 0));
        signal.throwIfAborted();
      }
      const started = performance.now();
      Atomics.store(words, WORD.ball, ball);
      if (how === "spins") { while (Atomics.load(words, WORD.answer) !== ball); }
      else {
        Atomics.notify(words, WORD.ball);
        if (Atomics.wait(words, WORD.answer, ball - 1, LOST_MS) === "timed-out") {
          throw new Error(`a thread of bench did not wake within ${LOST_MS / 1000} s`);
        }
      }
      if (ball > WARM_UP || how === "sleeps" && ball > 10) times.push((performance.now() - started) * 1e6 / 2);
    }
    return summarize(times);
  } finally {
    Atomics.store(words, WORD.ball, LAST);
    Atomics.notify(words, WORD.ball);
    await worker.terminate();
  }
}
