/**
 * The newest frame, a frame once it is there, the frame nearest in time, and the next frame within a time.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { setTimeout as later } from "node:timers/promises";
import { DepotError, type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4 };
const pixels = (value: number) => new Uint8Array(4).fill(value);

function put(depot: FramesDepot, frameNumber: number, timestampNs: bigint | number = frameNumber): boolean {
  return depot.tryEnqueue({ frameNumber, frame: pixels(frameNumber), timestampNs }) !== undefined;
}

depotTest("latest returns the newest frame, each time, and consumes nothing", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  assertEquals(depot.latest(), undefined);
  for (const n of [1, 2, 3]) put(depot, n);
  using first = depot.latest();
  using second = depot.latest();
  assertEquals([first?.frameNumber, second?.frameNumber, second?.data[0], depot.length], [3, 3, 3, 3]);
  await depot.clearQueue();
  assertEquals(depot.latest(), undefined);
});

depotTest("latest keeps a depot that drops live without a lossless reader", async (name) => {
  await using camera = await FramesDepot.create(name, OPTIONS);
  await using viewer = await FramesDepot.open(name);
  assertEquals(viewer.latest(), undefined);
  for (let n = 0; n < 20; n++) {
    assert(put(camera, n));
    using frame = viewer.latest();
    assertEquals(frame?.frameNumber, n);
  }
  const [reader] = camera.stats().peers.flatMap(({ readers }) => readers);
  assertEquals([reader.mode, reader.gating, reader.lag], ["lookup", false, 0]);
  await viewer.close();
  for (let n = 20; n < 30; n++) put(camera, n);
  assertEquals(camera.droppedFrames + camera.stats().stored, 20); // nothing is counted by tryEnqueue
});

depotTest("waitFor resolves with the frame once it is there", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  await using other = await FramesDepot.open(name);
  const waiting = other.waitFor(3);
  for (const n of [1, 2, 3]) {
    await later(5);
    put(depot, n);
  }
  using frame = await waiting;
  assertEquals([frame?.frameNumber, frame?.data[0]], [3, 3]);
  using now = await other.waitFor(2, { timeoutMs: 0 });
  assertEquals(now?.frameNumber, 2);
});

depotTest("waitFor ends with its time, its signal, the depot object, and for a frame that has gone", async (name) => {
  await using depot = await FramesDepot.create(name, { ...OPTIONS, whenFull: "overwrite" });
  const other = await FramesDepot.open(name);
  assertEquals(await other.waitFor(9, { timeoutMs: 20 }), undefined);
  const abort = new AbortController();
  const aborted = assertRejects(() => other.waitFor(9, { signal: abort.signal }), SyntaxError, "enough");
  abort.abort(new SyntaxError("enough"));
  await aborted;
  for (let n = 0; n < 6; n++) put(depot, n);
  other.statusOf(0);
  for (let n = 6; n < 12; n++) put(depot, n);
  assertEquals(await other.waitFor(5), undefined);
  const closed = assertRejects(() => other.waitFor(99), DepotError, "closed");
  await later(5);
  await other.close();
  await closed;
});

depotTest("peekAt returns the frame nearest in time, of two the newer, within a limit", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  assertEquals(depot.peekAt(0), undefined);
  const base = 2n ** 63n;
  for (const [n, ns] of [[1, 0n], [2, 10n], [3, 20n], [4, 1n << 40n]] as const) put(depot, n, base + ns);
  const at = (ns: bigint, within?: number) => {
    using frame = depot.peekAt(base + ns, { within });
    return frame?.frameNumber;
  };
  assertEquals([at(0n), at(4n), at(5n), at(6n), at(20n), at(1n << 39n), at(1n << 50n)], [1, 1, 2, 2, 3, 3, 4]);
  assertEquals([at(25n, 5), at(26n, 5), at(10n, 0)], [3, undefined, 2]);
});

depotTest("peekAt and waitFor refuse wrong arguments", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  assertThrows(() => depot.peekAt(-1), RangeError, "timestampNs");
  assertThrows(() => depot.peekAt(1, { within: -1 }), RangeError, "within");
  assertThrows(() => depot.peekAt(1, { within: "1" as unknown as number }), TypeError, "within");
  await assertRejects(() => depot.waitFor(0.5), RangeError, "frameNumber");
});

depotTest("within returns undefined when the time is up, and the reader goes on", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  using reader = depot.frames({ timeoutMs: 10_000 });
  assertEquals([await reader.within(10), reader.released], [undefined, false]);
  const waiting = reader.within(10_000);
  await later(5);
  put(depot, 1);
  assertEquals((await waiting)?.frameNumber, 1);
  put(depot, 2);
  assertEquals((await reader.within(0))?.frameNumber, 2);
  await assertRejects(() => reader.within(-1), RangeError, "timeoutMs");
  await assertRejects(() => reader.within(undefined as unknown as number), TypeError, "timeoutMs");
  const ended = reader.within(10_000);
  reader.release();
  assertEquals(await ended, undefined);
});

for (const waiting of ["spin", "park", "adaptive"] as const) {
  depotTest(`waitFor that is under way when its depot object is closed ends, ${waiting}`, async (name) => {
    await using depot = await FramesDepot.create(name, OPTIONS);
    const other = await FramesDepot.open(name);
    const ended = assertRejects(() => other.waitFor(5, { waiting }), DepotError, "closed");
    await later(20);
    await other.close();
    await ended;
    assertEquals(depot.stats().peers.length, 1);
  });
}

depotTest("latest, peekAt and waitFor say how far their depot object has come", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  await using other = await FramesDepot.open(name);
  const lag = () => depot.stats().peers.flatMap(({ readers }) => readers).map(({ lag }) => lag);
  const waiting = other.waitFor(0);
  put(depot, 0);
  (await waiting)?.release();
  assertEquals(lag(), [0]);
  put(depot, 1);
  other.peekAt(1)?.release();
  assertEquals(lag(), [0]);
});
