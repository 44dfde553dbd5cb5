// Two cameras that are not synchronized: each frame of the left one with the frame of the right one nearest in time.
import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { type Frame, FramesDepot } from "@frames-depot/frames-depot";

const count = 30, ms = 1_000_000;
const options = { frameSize: [320, 240, 3], maxSize: 32 } as const; // more than come while a match is waited for
await using left = await FramesDepot.create(`example-left-${process.pid}`, options);
await using right = await FramesDepot.create(`example-right-${process.pid}`, options);
const cameras = (async () => { // 30 frames a second; the right camera is 7 ms behind
  const frame = new Uint8Array(left.frameBytes);
  for (let n = 0; n < count; n++) {
    await left.enqueue({ frameNumber: n, frame, timestampNs: n * 33 * ms });
    await setTimeout(1);
    await right.enqueue({ frameNumber: n, frame, timestampNs: (n * 33 + 7) * ms });
  }
})();

const arrivals = right.frames({ mode: "latest" });
let newestNs = -1n;
async function nearest(timestampNs: bigint): Promise<Frame | undefined> {
  while (newestNs < timestampNs) { // a frame to come may be nearer than those that are there
    const frame = await arrivals.within(1000);
    if (frame === undefined) break; // the right camera has stopped
    newestNs = frame.timestampNs;
  }
  return right.peekAt(timestampNs, { within: 16 * ms });
}

let matched = 0;
for await (const frame of left.frames()) {
  using other = await nearest(frame.timestampNs);
  assert.equal(other?.frameNumber, frame.frameNumber);
  if (++matched === count) break;
}
await cameras;
console.log(`ok: ${matched} pairs of frames, each 7 ms apart`);
