// The other process of two_processes.ts: follows a depot by its name.
import assert from "node:assert/strict";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const [name = "", count] = process.argv.slice(2);
await using depot = await FramesDepot.open(name, { timeoutMs: 10_000 }); // waits until there is such a depot

let next = 0;
for await (const frame of depot.frames()) {
  assert.equal(frame.frameNumber, next++); // a lossless reader gets every frame, in order
  assert.ok(frame.data.every((byte) => byte === frame.frameNumber)); // data is the shared memory itself
  if (next === Number(count)) break;
}
