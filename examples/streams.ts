// Frames through web streams: transforms, and two readers of one stream.
import assert from "node:assert/strict";
import process from "node:process";
import { type Frame, FramesDepot } from "@frames-depot/frames-depot";

const count = 6;
const name = `example-streams-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: count });
// Each begins at the oldest frame, and ends when there is no further one (timeoutMs: 0).
const stream = () => depot.readable({ timeoutMs: 0 });
const [one, two, three] = [stream(), stream(), stream()];
for (let n = 0; n < count; n++) {
  await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
}

/** Reads a stream to its end. A frame belongs to its reader: `using` releases it. */
async function valuesOf(frames: ReadableStream<Frame>, delayMs: number): Promise<number[]> {
  const values: number[] = [];
  for await (const next of frames) {
    using frame = next;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    assert.ok(frame.data.every((byte) => byte === frame.frameNumber));
    values.push(frame.data[0]!);
  }
  return values;
}

// A transform owns the frames it is given: it passes each one on, or releases it.
const everySecond = new TransformStream<Frame, Frame>({
  transform(frame, controller) {
    if (frame.frameNumber % 2 === 0) controller.enqueue(frame);
    else frame.release();
  },
});
assert.deepEqual(await valuesOf(one.pipeThrough(everySecond), 5), [0, 2, 4]);

// This one passes bytes on, so it releases every frame.
const bytes = new TransformStream<Frame, Uint8Array>({
  transform(frame, controller) {
    controller.enqueue(frame.copy() as Uint8Array);
    frame.release();
  },
});
const body = await new Response(two.pipeThrough(bytes)).bytes();
assert.ok(body.every((byte, at) => byte === Math.floor(at / depot.frameBytes)));
assert.equal(body.length, count * depot.frameBytes);

// Each branch has a lease of its own on every frame.
const branches = three.tee();
const [quick, slow] = await Promise.all([valuesOf(branches[0], 0), valuesOf(branches[1], 5)]);
assert.deepEqual([quick, slow], [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]);

// Every frame was released: all slots can be claimed.
assert.ok(Array.from({ length: count }, () => depot.tryClaim()).every((slot) => slot !== undefined));
console.log(`ok: ${count} frames went through streams`);
