// Three detectors share the frames of a camera. One of them is killed with a frame in its hands: another one gets it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 30;
const name = `example-sharing-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 4, whenFull: "wait" });

// The job prints a line for each frame. The first one stops for ever at its third, and is killed there.
const job = fileURLToPath(new URL("./sharing_work_job.ts", import.meta.url));
const run = "Deno" in globalThis ? ["run", "--allow-ffi", job] : [...process.execArgv, job];
const seen: { frameNumber: number; redelivered: boolean }[] = [];
const detectors = [3, Infinity, Infinity].map(async (stopsAt) => {
  const detector = spawn(process.execPath, [...run, name, String(stopsAt)], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: detector.stdout })) {
    if (line === "stops") detector.kill("SIGKILL");
    else if (line !== "ready") seen.push(JSON.parse(line));
    else if (--missing === 0) begin();
  }
});
let missing = detectors.length;
let begin = () => {};
console.log("three detectors start");
await new Promise<void>((resolve) => begin = resolve);

for (let n = 0; n < count; n++) {
  await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
}
depot.end(); // the detectors end when all work is done
await Promise.all(detectors);

const numbers = seen.map(({ frameNumber }) => frameNumber).sort((a, b) => a - b);
assert.deepEqual(numbers, Array.from({ length: count }, (_, n) => n)); // each once
assert.equal(seen.filter(({ redelivered }) => redelivered).length, 1);
console.log(`ok: three detectors did ${count} frames, one of them after its first detector had died`);
