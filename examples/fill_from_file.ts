// Reads frames from a file of raw video straight into slots.
import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 20;
const name = `example-fill-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const folder = await mkdtemp(join(tmpdir(), "frames-"));
const path = join(folder, "video.rgb");
const video = new Uint8Array(count * depot.frameBytes).map((_, at) => Math.floor(at / depot.frameBytes));
await writeFile(path, video);

const reading = (async () => {
  await using file = await open(path);
  for (;;) {
    using slot = await depot.claim(); // given back at the end of its scope, unless published
    // The file is read into other memory first: a read that the time limit ends harms no other frame.
    if (!await slot!.fillFrom(file, { signal: AbortSignal.timeout(10_000) })) break; // the file has ended
    slot!.publish({ timestampNs: slot!.sequence * 40_000_000 });
  }
})();

let seen = 0;
for await (const frame of depot.frames()) {
  assert.ok(frame.data.every((byte) => byte === seen));
  if (++seen === count) break;
}
await reading;
await rm(folder, { recursive: true });
console.log(`ok: ${seen} frames are as in the file`);
