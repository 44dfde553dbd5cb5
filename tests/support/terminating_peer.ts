/**
 * Terminates workers, one after the other, each at some moment of its first tenth of a second of work.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { startWorker } from "../../tools/support/worker.ts";

const { name, workers } = JSON.parse(process.argv[2]) as { name: string; workers: number };

await using _depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], whenFull: "overwrite" });
for (let at = 0; at < workers; at++) {
  const worker = startWorker(new URL("./filling_worker.ts", import.meta.url));
  await new Promise((resolve) => {
    worker.onmessage = resolve;
    worker.postMessage(name);
  });
  await new Promise((resolve) => setTimeout(resolve, 100 * Math.random()));
  await worker.terminate();
}
console.log(JSON.stringify({ terminated: workers }));
