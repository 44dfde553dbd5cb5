// Gives every frame to the standard input of ffmpeg.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

if (spawnSync("ffmpeg", ["-version"]).status !== 0) {
  console.log("skipped: ffmpeg is not installed");
  process.exit(0);
}
const count = 20;
const name = `example-ffmpeg-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
  }
})();

// This ffmpeg copies, so that the bytes can be compared. With "-c:v", "libx264", "out.mp4" at the end it encodes.
const input = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "320x240", "-i", "-"];
const ffmpeg = spawn("ffmpeg", ["-v", "error", ...input, "-f", "rawvideo", "-"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const ended = once(ffmpeg, "close");
const written: Uint8Array[] = [];
ffmpeg.stdout.on("data", (bytes: Uint8Array) => written.push(bytes));

const write = (bytes: Uint8Array) =>
  new Promise<void>((resolve, reject) => ffmpeg.stdin.write(bytes, (error) => error ? reject(error) : resolve()));
for await (const frame of depot.frames()) {
  await write(frame.data as Uint8Array); // awaited: only then does the loop ask for the next frame
  if (frame.frameNumber === count - 1) break;
}
ffmpeg.stdin.end();
await camera;
assert.deepEqual(await ended, [0, null]);

const bytes = await new Blob(written as Uint8Array<ArrayBuffer>[]).bytes();
assert.equal(bytes.length, count * depot.frameBytes);
assert.ok(bytes.every((byte, at) => byte === Math.floor(at / depot.frameBytes)));
console.log(`ok: ${count} frames came out of ffmpeg as they went in`);
