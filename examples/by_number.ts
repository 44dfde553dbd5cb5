// Asks for frames by their number: with and without taking them out of the queue.
import assert from "node:assert/strict";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const name = `example-by-number-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 4 });
for (const n of [10, 11, 13]) {
  await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
}

{
  using eleven = depot.peekFrame(11); // any process may look; the queue stays as it is
  assert.equal(eleven?.data[0], 11);
  assert.equal(depot.length, 3);
}
assert.equal(depot.peekFrame(12), undefined);
assert.equal(depot.statusOf(12), "missing"); // a gap: 13 is there
assert.equal(depot.statusOf(14), "pending"); // it may still come

{
  using eleven = depot.getFrame(11); // consumes every frame numbered up to 11
  assert.equal(eleven?.data[0], 11);
}
assert.equal(depot.statusOf(10), "evicted");
assert.equal(depot.statusOf(13), "stored");
assert.equal(depot.length, 1);
console.log("ok: frames are found by their numbers");
