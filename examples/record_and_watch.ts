// A recorder gets every frame while a slow preview takes what it can.
import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 100;
const name = `example-record-${process.pid}`;
// "wait": the camera waits for the recorder if that falls ten frames behind. It never waits for the preview.
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 10, whenFull: "wait" });

async function record(): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of depot.frames({ mode: "lossless" })) {
    numbers.push(frame.frameNumber); // a real one writes frame.data into a file: see files.ts
    if (frame.frameNumber === count - 1) break;
  }
  return numbers;
}

async function watch(): Promise<{ shown: number; missed: number }> {
  let shown = 0, missed = 0;
  for await (const frame of depot.frames({ mode: "lossy" })) {
    shown++;
    missed += frame.lost;
    if (frame.frameNumber === count - 1) break;
    await setTimeout(5);
  }
  return { shown, missed };
}

// Usually each of the three is a process of its own, and opens the depot by its name.
const both = Promise.all([record(), watch()]);
for (let n = 0; n < count; n++) {
  await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
}
const [recorded, { shown, missed }] = await both;
assert.deepEqual(recorded, Array.from({ length: count }, (_, n) => n));
assert.equal(shown + missed, count);
console.log(`ok: ${count} frames are recorded, ${shown} were shown`);
