// A detector that is slower than the camera always gets the newest frame, and holds nothing up.
import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 100;
const name = `example-newest-${process.pid}`;
// No lossless reader is attached, so the oldest frame goes: the camera waits for no reader and is refused no frame.
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 4 });
const detector = depot.frames({ mode: "latest" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
    await setTimeout(1);
  }
})();

let looked = 0, missed = 0;
for await (const frame of detector) {
  const { frameNumber, lost } = frame; // lost: frames between the one before and this one
  await setTimeout(10); // the detection
  assert.equal(frame.data.at(-1), frameNumber); // the frame stays whole while it is held, whatever the camera does
  looked++;
  missed += lost;
  if (frameNumber === count - 1) break;
}
await camera;
assert.ok(looked < count);
assert.equal(looked + missed, count);
console.log(`ok: the detector looked at ${looked} frames and missed ${missed}`);
