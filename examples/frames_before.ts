// "Frame 30 and the two before": by number, as soon as frame 30 is there.
import assert from "node:assert/strict";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { FramesDepot } from "@frames-depot/frames-depot";

const name = `example-frames-before-${process.pid}`;
// maxSize: how far back a number may be asked for.
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 50 });
const camera = (async () => {
  for (let n = 0; n < 40; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
    await setTimeout(1);
  }
})();

// Usually another process asks, and opens the depot by its name.
assert.equal(depot.statusOf(30), "pending");
{
  using last = await depot.waitFor(30, { timeoutMs: 10_000 });
  using middle = depot.peekFrame(29);
  using first = depot.peekFrame(28); // undefined if it has gone; statusOf(28) says why
  assert.deepEqual([first, middle, last].map((frame) => frame?.data[0]), [28, 29, 30]);
}
await camera;
assert.equal(await depot.waitFor(1000, { timeoutMs: 10 }), undefined); // it has not come in time
console.log("ok: frame 30 and the two before, in the order of their numbers");
