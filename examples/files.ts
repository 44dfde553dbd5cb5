// Writes every frame into a file.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

const count = 20;
const name = `example-files-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
  }
})();

const folder = await mkdtemp(join(tmpdir(), "frames-"));
try {
  for await (const frame of depot.frames()) {
    await writeFile(join(folder, `${frame.frameNumber}.rgb`), frame.data); // awaited: the loop releases the frame after it
    if (frame.frameNumber === count - 1) break;
  }
  await camera;

  for (let n = 0; n < count; n++) {
    const bytes = await readFile(join(folder, `${n}.rgb`));
    assert.equal(bytes.length, depot.frameBytes);
    assert.ok(bytes.every((byte) => byte === n));
  }
} finally {
  await rm(folder, { recursive: true });
}
console.log(`ok: ${count} files hold the frames as they were`);
