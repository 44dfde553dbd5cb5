// A detector of sharing_work.ts, in a process of its own.
import assert from "node:assert/strict";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const [name = "", stopsAt] = process.argv.slice(2);
await using depot = await FramesDepot.open(name, { timeoutMs: 5000 });
const reader = depot.frames({ group: "detectors" });
console.log("ready");
let done = 0;
for await (const frame of reader) {
  assert(frame.data.every((byte) => byte === frame.frameNumber));
  if (++done === Number(stopsAt)) {
    console.log("stops");
    for (;;); // to be killed
  }
  await new Promise((resolve) => setTimeout(resolve, 5)); // as long as a detector needs
  // Said before the frame is released: a detector that dies in between has its frame worked on twice.
  console.log(JSON.stringify({ frameNumber: frame.frameNumber, redelivered: frame.redelivered }));
}
