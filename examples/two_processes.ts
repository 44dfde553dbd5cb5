// Produces frames in this process; another process follows them (two_processes_job.ts).
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 20;
const name = `example-two-processes-${process.pid}`;
// "wait": enqueue waits while three frames are unread. The follower may start before or after this process.
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });

const follower = fork(new URL("./two_processes_job.ts", import.meta.url), [depot.name, String(count)]);
const ended = once(follower, "exit");
for (let n = 0; n < count; n++) {
  await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
}
assert.deepEqual(await ended, [0, null]);
console.log(`ok: another process read ${count} frames`);
