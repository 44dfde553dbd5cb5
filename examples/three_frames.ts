// A motion detector that compares three frames at a time: clones keep the two before.
import assert from "node:assert/strict";
import process from "node:process";
import { type Frame, FramesDepot } from "@frames-depot/frames-depot";

const count = 50;
const name = `example-three-frames-${process.pid}`;
// Frames that are held take slots: three here, and the rest is for the camera.
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 8, whenFull: "wait" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n * n) });
  }
})();

const held: Frame[] = [];
let compared = 0;
for await (const frame of depot.frames()) {
  held.push(frame.clone()); // a lease of its own: the loop releases only `frame`
  if (held.length === 3) {
    const [a = 0, b = 0, c = 0] = held.map(({ data }) => data[0]); // no copy
    assert.equal((c - 2 * b + a) & 255, 2); // the second difference of n * n
    compared++;
    held.shift()!.release();
  }
  if (frame.frameNumber === count - 1) break;
}
for (const frame of held) frame.release();
await camera;
assert.equal(compared, count - 2);
console.log(`ok: ${compared} times three frames in a row`);
