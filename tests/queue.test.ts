/**
 * The queue itself: the three policies, what comes with a frame, element types and numbers. Lookups in any order are
 * in `lookup.test.ts`, callbacks in `callbacks.test.ts`, zero-copy slots in `claims.test.ts`, waiting in
 * `waiting.test.ts`.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { type DepotOptions, type ElementType, type FrameData, FramesDepot, type WhenFull } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);

const make = (name: string, whenFull: WhenFull, options: Partial<DepotOptions> = {}) =>
  FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 3, whenFull, ...options });

/** Puts frames 1 to `count` in. @returns what became of each */
async function fill(depot: FramesDepot, count: number): Promise<string[]> {
  const states: string[] = [];
  for (let n = 1; n <= count; n++) {
    states.push((await depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs: 0 })).state);
  }
  return states;
}

/** The numbers of all frames that are there; each frame is looked at. */
async function drain(depot: FramesDepot): Promise<number[]> {
  const numbers: number[] = [];
  for await (const frame of depot.frames({ timeoutMs: 0 })) {
    assertEquals([...frame.data], new Array(4).fill(frame.frameNumber & 255));
    numbers.push(frame.frameNumber);
  }
  return numbers;
}

depotTest(
  "FramesDepot that drops refuses the newest, counts it, and takes frames again once there is room",
  async (name) => {
    await using depot = await make(name, "drop");
    assertEquals(await fill(depot, 5), ["stored", "stored", "stored", "dropped", "dropped"]);
    assertEquals([depot.length, depot.queueIsFull, depot.droppedFrames], [3, true, 2]);
    assertEquals(await depot.enqueue({ frame: pixels(6) }), { state: "dropped", droppedFrames: 3 });
    assertEquals(await drain(depot), [1, 2, 3]);
    assertEquals([depot.length, depot.queueIsFull], [0, false]);
    assertEquals((await depot.enqueue({ frameNumber: 7, frame: pixels(7) })).state, "stored");
  },
);

depotTest("FramesDepot that waits stores nothing it has no room for, and drops nothing", async (name) => {
  await using depot = await make(name, "wait");
  assertEquals(await fill(depot, 4), ["stored", "stored", "stored", "timeout"]);
  assertEquals([depot.length, depot.queueIsFull, depot.droppedFrames], [3, true, 0]);
  const late = depot.enqueue({ frameNumber: 4, frame: pixels(4) });
  const first = await drain(depot); // on a slow machine the late one is in before this ends
  assertEquals(await late, { state: "stored", sequence: 3 });
  assertEquals([...first, ...await drain(depot)], [1, 2, 3, 4]);
});

depotTest("FramesDepot that overwrites lets the oldest go, is never full and drops nothing", async (name) => {
  await using depot = await make(name, "overwrite");
  assertEquals(await fill(depot, 7), new Array(7).fill("stored"));
  assertEquals([depot.length, depot.queueIsFull, depot.droppedFrames], [3, false, 0]);
  assertEquals([4, 5, 7, 8].map((n) => depot.statusOf(n)), ["evicted", "stored", "stored", "pending"]);
  assertEquals(await drain(depot), [5, 6, 7]);
});

for (const whenFull of ["drop", "wait"] as const) {
  depotTest(`FramesDepot without a reader keeps frames for one to come, ${whenFull}`, async (name) => {
    await using depot = await make(name, whenFull);
    await fill(depot, 5);
    depot.peekFrame(1)?.release(); // a look-up that consumes nothing is no reader
    assertEquals([depot.length, depot.queueIsFull], [3, true]);
    assertEquals(await drain(depot), [1, 2, 3]);
  });
}

depotTest("tryEnqueue stores or returns undefined: nothing is counted, no callback is called", async (name) => {
  let told = 0;
  await using depot = await make(name, "drop", { maxSize: 1, onBackpressure: () => void told++ });
  assertEquals(depot.tryEnqueue({ frameNumber: 1, frame: pixels(1) }), { state: "stored", sequence: 0 });
  assertEquals(depot.tryEnqueue({ frameNumber: 2, frame: pixels(2) }), undefined);
  assertEquals([depot.droppedFrames, told, depot.statusOf(2)], [0, 0, "pending"]);
});

depotTest("enqueue numbers frames itself where no number is given", async (name) => {
  await using depot = await make(name, "overwrite");
  await depot.enqueue({ frame: pixels(0) });
  await depot.enqueue({ frameNumber: 100, frame: pixels(100) });
  await depot.enqueue({ frame: pixels(2) });
  // The ring's own sequence: 0, 1, 2.
  assertEquals(await drain(depot), [0, 100, 2]);
});

depotTest("enqueue takes every safe integer as a number and gives it back", async (name) => {
  const numbers = [Number.MIN_SAFE_INTEGER, -(2 ** 32) - 1, -(2 ** 32), -1, -0, 2 ** 31, 2 ** 32, 2 ** 32 + 5];
  numbers.push(Number.MAX_SAFE_INTEGER);
  await using depot = await make(name, "wait", { maxSize: numbers.length });
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: pixels(0) });
  const seen: number[] = [];
  for await (const frame of depot.frames({ timeoutMs: 0 })) seen.push(frame.frameNumber);
  assertEquals(seen.map(String), numbers.map(String));
});

const TYPES: [ElementType, FrameData][] = [
  ["uint8", Uint8Array.of(0, 1, 128, 255)],
  ["uint16", Uint16Array.of(0, 1, 256, 65_535)],
  ["float32", Float32Array.of(0, -1.5, 3.4028234663852886e38, NaN)],
];

for (const [elementType, values] of TYPES) {
  depotTest(`enqueue and frame.data carry ${elementType}, given as such or as bytes`, async (name) => {
    await using depot = await make(name, "wait", { elementType, pixelFormat: "depth" });
    const bytes = new Uint8Array(values.byteLength);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    // A view into the middle of something larger, too.
    const larger = new Uint8Array(values.byteLength + 16);
    larger.set(bytes, 8);
    const middle = new (values.constructor as typeof Uint8Array)(larger.buffer, 8, 4);
    for (const [frameNumber, frame] of [values, bytes, bytes.buffer, middle].entries()) {
      if (frameNumber === 3) depot.getFrame(2)?.release();
      await depot.enqueue({ frameNumber, frame });
      using stored = depot.peekFrame(frameNumber)!;
      assertEquals(stored.data.constructor, values.constructor);
      assertEquals([...stored.data], [...values]);
      assertEquals([depot.frameBytes, depot.elementType, stored.elementType], [
        values.byteLength,
        elementType,
        elementType,
      ]);
    }
  });
}

depotTest("enqueue takes a clamped array and memory shared between threads", async (name) => {
  await using depot = await make(name, "drop");
  const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(9);
  await depot.enqueue({ frameNumber: 1, frame: Uint8ClampedArray.of(300, 1, 2, 3) });
  await depot.enqueue({ frameNumber: 2, frame: shared });
  using one = depot.getFrame(1)!;
  using two = depot.getFrame(2)!;
  assertEquals([[...one.data], [...two.data]], [[255, 1, 2, 3], [9, 9, 9, 9]]);
});

depotTest("frame tells its geometry, and frameBytes may differ from width × height × channels", async (name) => {
  const nv12 = 6 * 4 * 3 / 2;
  await using depot = await make(name, "drop", { frameSize: [6, 4, 1], frameBytes: nv12, pixelFormat: "nv12" });
  await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(nv12).fill(3) });
  await using other = await FramesDepot.open(name);
  using frame = other.getFrame(1)!;
  const { width, height, channels, pixelFormat, lost } = frame;
  assertEquals({ width, height, channels, pixelFormat, lost }, {
    width: 6,
    height: 4,
    channels: 1,
    pixelFormat: "nv12",
    lost: 0,
  });
  assertEquals([frame.data.length, other.frameBytes, other.frameSize, other.maxSize, other.whenFull], [
    nv12,
    nv12,
    [6, 4, 1],
    3,
    "drop",
  ]);
});

depotTest("frame.metadata is what was given with it, none where none was", async (name) => {
  await using depot = await make(name, "overwrite", { metadataBytes: 5, maxSize: 1 });
  const given = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(9), new Uint8Array(0), undefined];
  for (const [frameNumber, metadata] of given.entries()) {
    await depot.enqueue({ frameNumber, frame: pixels(7), metadata });
    using frame = depot.peekFrame(frameNumber)!;
    assertEquals([[...frame.metadata], [...frame.data]], [[...metadata ?? []], [7, 7, 7, 7]]);
  }
  assertEquals(depot.metadataBytes, 5);
});

depotTest("frame.timestampNs is the bigint or number given with it", async (name) => {
  await using depot = await make(name, "overwrite", { maxSize: 1 });
  const given = [0n, 1n, 2n ** 63n + 1n, 2n ** 64n - 1n, 0, 1.9, 2 ** 32 + 1, 2 ** 53, 1.8e19];
  for (const [frameNumber, timestampNs] of given.entries()) {
    await depot.enqueue({ frameNumber, frame: pixels(0), timestampNs });
    using frame = depot.peekFrame(frameNumber)!;
    assertEquals(frame.timestampNs, BigInt(typeof timestampNs === "number" ? Math.trunc(timestampNs) : timestampNs));
  }
});

depotTest("frame.timestampNs is the time of publishing where none was given", async (name) => {
  await using depot = await make(name, "drop");
  const now = () => BigInt(Date.now()) * 1_000_000n;
  const before = now();
  await depot.enqueue({ frameNumber: 1, frame: pixels(0) });
  using slot = depot.tryClaim({ frameNumber: 2 })!;
  const claimed = now();
  slot.publish();
  const after = now() + 1_000_000n;
  using one = depot.getFrame(1)!;
  using two = depot.getFrame(2)!;
  assert(before <= one.timestampNs && one.timestampNs <= two.timestampNs);
  assertGreaterOrEqual(two.timestampNs, claimed);
  assertLessOrEqual(two.timestampNs, after);
});

depotTest("clearQueue empties the queue for every depot object, and changes no lease", async (name) => {
  await using depot = await make(name, "wait");
  await using other = await FramesDepot.open(name);
  await fill(depot, 3);
  using held = depot.peekFrame(2)!;
  await other.clearQueue();
  assertEquals([depot.length, other.length, depot.queueIsFull, depot.statusOf(3)], [0, 0, false, "evicted"]);
  assertEquals([depot.getFrame(3), other.peekFrame(1), await drain(other)], [undefined, undefined, []]);
  assertEquals([...held.data], [2, 2, 2, 2]);
  // Numbers go on, and a frame of an old number is a new frame.
  await depot.enqueue({ frameNumber: 2, frame: pixels(2) });
  assertEquals([depot.length, await drain(other)], [1, [2]]);
});

depotTest("stats counts for all processes what each has done, and length follows the slowest reader", async (name) => {
  await using depot = await make(name, "drop");
  await using other = await FramesDepot.open(name);
  await using slow = other.frames();
  await fill(depot, 4);
  slow.tryNext();
  await other.enqueue({ frameNumber: 9, frame: pixels(9) });
  const { length, head, stored, dropped, skipped, slowest, peers } = other.stats();
  assertEquals({ length, head, stored, dropped, skipped }, { length: 3, head: 3, stored: 3, dropped: 2, skipped: 0 });
  assertEquals([slowest?.lag, depot.length], [3, 3]);
  assertEquals(peers.map(({ self, stored, dropped, alive }) => [self, stored, dropped, alive]), [
    [false, 3, 1, true],
    [true, 0, 1, true],
  ]);
  assertEquals(depot.stats().peers.map(({ self }) => self), [true, false]);
  const { mode, gating, cursor, lag, read, lost } = peers[1].readers[0];
  assertEquals([mode, gating, cursor, lag, read, lost], ["lossless", true, 0, 3, 1, 0]);
});
