// Stores what a camera gives until Ctrl-C, and then ends in good order: writing, ffmpeg, depot.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

if (spawnSync("ffmpeg", ["-version"]).status !== 0) {
  console.log("skipped: ffmpeg is not installed");
  process.exit(0);
}
const name = `example-stop-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 4, whenFull: "overwrite" });

/** Stores what ffmpeg reads from an input, until that ends or the signal is aborted. Throws if ffmpeg fails. */
async function capture(input: string[], signal: AbortSignal): Promise<void> {
  const parameters = ["-v", "error", "-nostdin", ...input, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"];
  const ffmpeg = spawn("ffmpeg", parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(ffmpeg, "exit"); // before anything is awaited: ffmpeg may end at once
  try {
    await depot.writeFrom(ffmpeg.stdout, { signal });
    const [code] = await exit;
    if (code !== 0) throw new Error(`ffmpeg failed with exit code ${code}`); // also for an input that gives no frame
  } catch (error) {
    ffmpeg.kill();
    ffmpeg.stdout.destroy(); // writeFrom never cancels its source, and ffmpeg may wait for a full pipe
    await exit;
    if (!signal.aborted) throw error;
  }
}

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());

// A wrong input: writeFrom stores 0 frames, and only the exit code says that this is a failure.
await assert.rejects(capture(["-i", "not-there.mp4"], stopping.signal), /exit code/);

// A test picture without an end. For a camera: "-f", "v4l2", "-i", "/dev/video0".
const camera = capture(["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=100"], stopping.signal);
let seen = 0;
for await (const frame of depot.frames({ mode: "latest" })) {
  assert.equal(frame.data.length, depot.frameBytes);
  if (++seen === 10) break;
}
process.kill(process.pid, "SIGINT"); // as Ctrl-C does
await camera; // the depot is closed after it, at the end of the program
assert.equal(stopping.signal.aborted, true);
console.log(`ok: the camera stopped after ${seen} frames were seen`);
