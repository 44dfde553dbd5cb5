// Draws frames straight into shared memory, and reads them there: no copy is made.
import assert from "node:assert/strict";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 20;
const [width, height] = [320, 240];
const name = `example-zero-copy-${process.pid}`;
await using depot = await FramesDepot.create(name, {
  frameSize: [width, height, 1],
  elementType: "uint16",
  maxSize: 3,
  whenFull: "wait",
});

const camera = (async () => {
  for (let n = 0; n < count; n++) {
    using slot = await depot.claim({ frameNumber: n }); // a slot that is not published is given back with its scope
    const pixels = slot!.data; // a Uint16Array over the slot: what it holds is undefined until it is written
    for (let x = 0; x < pixels.length; x++) pixels[x] = n * x;
    slot!.publish();
    assert.equal(pixels.length, 0); // the frame is its readers' now
  }
})();

for await (const frame of depot.frames()) {
  const n = frame.frameNumber;
  assert.ok(frame.data.every((pixel, x) => pixel === (n * x) % 65536));
  if (n === count - 1) break;
}
await camera;
console.log(`ok: ${count} frames were read where they were drawn`);
