// A producer waits for its slowest reader, is told which one that is, and may stop waiting.
import assert from "node:assert/strict";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 20;
const name = `example-back-pressure-${process.pid}`;
const stalls: string[] = [];
await using depot = await FramesDepot.create(name, {
  frameSize: [320, 240, 3],
  maxSize: 2,
  whenFull: "wait",
  onBackpressure: ({ length, slowest }) => { // called once a stall, not once a frame
    stalls.push(`${length} frames wait for process ${slowest?.pid}`);
  },
});
const recorder = depot.frames(); // from here on producers wait for it
const frame = new Uint8Array(depot.frameBytes);
for (const n of [0, 1]) await depot.enqueue({ frameNumber: n, frame });

// The queue is full. A time limit or a signal ends the wait; the frame is not stored then.
assert.deepEqual(await depot.enqueue({ frameNumber: 2, frame }, { timeoutMs: 20 }), { state: "timeout" });
assert.deepEqual(stalls, [`2 frames wait for process ${process.pid}`]);
assert.equal(depot.queueIsFull, true);

const camera = (async () => {
  for (let n = 2; n < count; n++) await depot.enqueue({ frameNumber: n, frame }); // waits for the recorder
})();
let next = 0;
for await (const { frameNumber } of recorder) {
  assert.equal(frameNumber, next++);
  if (next === count) break;
}
await camera;
assert.equal(depot.droppedFrames, 0);
console.log(`ok: ${next} frames, none dropped; ${stalls.length} stalls`);
