/**
 * Which readers producers wait for, by policy: a lossless reader is protected, a lossy one holds nothing up, and frames
 * wait for the first reader.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { setTimeout as later } from "node:timers/promises";
import { type BackpressureEvent, type DepotOptions, FramesDepot, type WhenFull } from "../mod.ts";
import { depotTest, HERE, Peer } from "./support/harness.ts";

const SIZE = 3;
const options = (whenFull?: WhenFull): DepotOptions => ({ frameSize: [2, 2, 1], maxSize: SIZE, whenFull });
const pixels = (value: number) => new Uint8Array(4).fill(value);
const put = (depot: FramesDepot, frameNumber: number) =>
  depot.tryEnqueue({ frameNumber, frame: pixels(frameNumber) }) !== undefined;
const putAll = (depot: FramesDepot, from: number, to: number): number[] => {
  const stored: number[] = [];
  for (let n = from; n <= to; n++) if (put(depot, n)) stored.push(n);
  return stored;
};

for (const mode of ["lossy", "latest"] as const) {
  depotTest(`FramesDepot that drops stays live for a ${mode} reader alone`, async (name) => {
    await using depot = await FramesDepot.create(name, options());
    await using other = await FramesDepot.open(name);
    using reader = other.frames({ mode });
    for (let n = 0; n < 5 * SIZE; n++) {
      assertEquals([depot.queueIsFull, put(depot, n)], [false, true]);
      assertEquals(reader.tryNext()?.frameNumber, n);
    }
    // A reader that does not come does not stop the depot: it loses the oldest frames.
    assertEquals(putAll(depot, 100, 109).length, 10);
    const frame = reader.tryNext()!;
    assertEquals(frame.frameNumber + frame.lost >= 107, true);
    assertEquals(depot.droppedFrames, 0);
  });
}

depotTest(
  "FramesDepot that drops refuses frames while a lossless reader lags, also beside a lossy one",
  async (name) => {
    await using depot = await FramesDepot.create(name, options());
    using lossy = depot.frames({ mode: "lossy" });
    using recorder = depot.frames();
    assertEquals(putAll(depot, 0, 5), [0, 1, 2]);
    assertEquals([depot.queueIsFull, lossy.tryNext()?.frameNumber], [true, 0]);
    const recorded: (number | undefined)[] = [];
    for (let n = 0; n < SIZE; n++) recorded.push(recorder.tryNext()?.frameNumber);
    assertEquals(recorded, [0, 1, 2]);
  },
);

depotTest("frames that stops recording leaves the depot live for a detector", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  using detector = depot.frames({ mode: "latest" });
  const recorder = depot.frames();
  assertEquals(putAll(depot, 0, 5), [0, 1, 2]);
  recorder.release();
  assertEquals(putAll(depot, 6, 20).length, 15);
  assertEquals(detector.tryNext()?.frameNumber, 20);
});

depotTest("frames that joins lossless keeps what is there, and the next frames", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  using lossy = depot.frames({ mode: "lossy" });
  putAll(depot, 0, 9);
  using recorder = depot.frames();
  assertEquals(putAll(depot, 10, 14), []);
  const seen: (number | undefined)[] = [];
  for (let n = 0; n < SIZE; n++) seen.push(recorder.tryNext()?.frameNumber);
  assertEquals(seen, [7, 8, 9]);
  recorder.tryNext();
  assertEquals(putAll(depot, 15, 17), [15, 16, 17]);
  assertEquals(lossy.released, false);
});

depotTest("FramesDepot keeps frames again once its lossy readers have ended", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  const lossy = depot.frames({ mode: "lossy" });
  putAll(depot, 0, 9);
  lossy.release();
  assertEquals(putAll(depot, 10, 14), []);
  using late = depot.frames();
  assertEquals(late.tryNext()?.frameNumber, 7);
});

depotTest("FramesDepot keeps frames again once its lossy readers are dead", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  await using peer = new Peer(HERE === "deno" ? "bun" : "deno", "scenario_peer.ts", { scenario: "followLossy", name });
  await peer.line();
  assertEquals(putAll(depot, 0, 9).length, 10);
  await peer.kill();
  await later(150); // the dead are looked for once in a tenth of a second
  putAll(depot, 10, 14);
  assertEquals(putAll(depot, 15, 19), []);
}, { watchdogMs: 30_000 });

depotTest("FramesDepot that waits keeps frames for a lossless reader, and tells a lossy one once", async (name) => {
  await using depot = await FramesDepot.create(name, options("wait"));
  using lossy = depot.frames({ mode: "lossy", timeoutMs: 700 });
  assertEquals(putAll(depot, 0, 5), [0, 1, 2]);
  for (let n = 0; n < SIZE; n++) assertEquals(lossy.tryNext()?.frameNumber, n);
  const printed: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => void printed.push(text);
  try {
    assertEquals((await lossy.next()).done, true);
  } finally {
    console.warn = warn;
  }
  assertEquals(printed.length, 1);
  assertMatch(printed[0], /is full and waits for a lossless reader/);
});

depotTest("stats says while frames wait for a reader to come, and so does onBackpressure", async (name, another) => {
  const told: boolean[] = [];
  const onBackpressure = ({ waitsForReader }: BackpressureEvent) => void told.push(waitsForReader);
  const says = (depot: FramesDepot, waits: boolean) => assertEquals(depot.stats().waitsForReader, waits);

  await using drops = await FramesDepot.create(name, { ...options("drop"), onBackpressure });
  putAll(drops, 0, SIZE - 2);
  says(drops, false);
  put(drops, SIZE - 1);
  says(drops, true);
  await drops.enqueue({ frame: pixels(0) });
  drops.peekFrame(0)?.release(); // a look that asks for nothing to go on
  says(drops, true);
  drops.latest()?.release();
  says(drops, false);
  using recorder = drops.frames();
  await drops.enqueue({ frame: pixels(0) });
  says(drops, false);
  assertEquals(told, [true, false]);
  recorder.release();

  await using waits = await FramesDepot.create(another(), options("wait"));
  using lossy = waits.frames({ mode: "lossy" });
  putAll(waits, 0, SIZE);
  says(waits, true);
  using lossless = waits.frames();
  says(waits, false);
  assertEquals([lossy.released, lossless.released], [false, false]);

  await using overwrites = await FramesDepot.create(another(), options("overwrite"));
  putAll(overwrites, 0, SIZE);
  says(overwrites, false);
});
