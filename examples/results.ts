// The results of a detector beside the frames: JSON of varying length in a second depot, under the same numbers.
import assert from "node:assert/strict";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

type Box = { label: string; x: number; y: number };

const count = 20;
const pixels = { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" } as const;
const json = { pixelFormat: "json", frameBytes: 65_536, variableLength: true } as const; // up to 64 KiB a frame
await using frames = await FramesDepot.create(`example-frames-${process.pid}`, pixels);
await using results = await FramesDepot.create(`example-results-${process.pid}`, json);

async function detect(): Promise<void> {
  for await (const { frameNumber, data } of frames.frames()) {
    const boxes: Box[] = Array.from(
      { length: frameNumber % 4 },
      (_, index) => ({ label: "car", x: index, y: data[0]! }),
    );
    await results.enqueue({ frameNumber, frame: new TextEncoder().encode(JSON.stringify(boxes)) });
    if (frameNumber === count - 1) break;
  }
}

async function show(): Promise<number> {
  let shown = 0;
  for await (const { frameNumber } of frames.frames()) {
    using result = await results.waitFor(frameNumber, { timeoutMs: 10_000 });
    const boxes: Box[] = JSON.parse(new TextDecoder().decode(result!.data)); // data has as many bytes as were stored
    assert.deepEqual(boxes.map(({ y }) => y), Array(frameNumber % 4).fill(frameNumber));
    shown += boxes.length;
    if (frameNumber === count - 1) break;
  }
  return shown;
}

// Usually each of the three is a process of its own, and opens the depots by their names.
const both = Promise.all([detect(), show()]);
for (let n = 0; n < count; n++) {
  await frames.enqueue({ frameNumber: n, frame: new Uint8Array(frames.frameBytes).fill(n) });
}
const [, shown] = await both;
console.log(`ok: ${shown} boxes, each with its frame`);
