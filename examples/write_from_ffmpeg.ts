// Stores every frame that ffmpeg decodes.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

// A test picture. For a file: "-i", "clip.mp4" in place of "-f", "lavfi", "-i", "testsrc2=size=320x240".
const input = ["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=320x240", "-frames:v", "20"];
const command = [...input, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"];
const expected = spawnSync("ffmpeg", command, { maxBuffer: 2 ** 28 });
if (expected.error !== undefined) {
  console.log("skipped: ffmpeg is not installed");
  process.exit(0);
}
const name = `example-write-${process.pid}`;
// "wait": ffmpeg waits while the queue is full.
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const ffmpeg = spawn("ffmpeg", command, { stdio: ["ignore", "pipe", "inherit"] });
const exit = once(ffmpeg, "exit");
const writing = depot.writeFrom(ffmpeg.stdout, { frameNumber: 100, timestampNs: (index) => index * 40_000_000 });

let seen = 0;
for await (const frame of depot.frames()) {
  const from = seen * depot.frameBytes;
  assert.deepEqual(frame.copy(), new Uint8Array(expected.stdout.subarray(from, from + depot.frameBytes)));
  assert.deepEqual([frame.frameNumber, frame.timestampNs], [100 + seen, BigInt(seen) * 40_000_000n]);
  if (++seen === 20) break;
}
assert.equal(await writing, 20);
assert.deepEqual(await exit, [0, null]); // a wrong input gives 0 frames, and an exit code that says so
console.log(`ok: ${seen} frames are what ffmpeg wrote`);
