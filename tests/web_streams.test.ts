/**
 * The depot as web streams: nothing is read ahead, and back-pressure is the depot's.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";

const options: DepotOptions = { frameSize: [2, 2, 1], maxSize: 2, whenFull: "wait" };
const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

depotTest("readable gives frames, each released when the next is read, and ends with the time-out", async (name) => {
  await using depot = await FramesDepot.create(name, options);
  for (const n of [1, 2]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  const reader = depot.readable({ timeoutMs: 10 }).getReader();
  const first = (await reader.read()).value!;
  assertEquals([first.frameNumber, first.data[0]], [1, 1]);
  const second = (await reader.read()).value!;
  assertEquals([first.data.length, second.frameNumber], [0, 2]);
  assertEquals((await reader.read()).done, true);
  assertEquals(depot.stats().peers[0].readers, []);
});

depotTest("readable reads nothing ahead", async (name) => {
  await using depot = await FramesDepot.create(name, options);
  const stream = depot.readable();
  for (const n of [1, 2]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  await later(10);
  assertEquals(depot.length, 2);
  await stream.cancel();
});

depotTest("readable that is cancelled leaves the depot, and producers no longer wait for it", async (name) => {
  await using depot = await FramesDepot.create(name, { ...options, maxSize: 1 });
  await using _other = depot.frames({ from: "next" });
  const stream = depot.readable();
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  const reader = stream.getReader();
  await reader.read();
  const waiting = depot.enqueue({ frameNumber: 2, frame: pixels(2) }, { timeoutMs: 5000 });
  await reader.cancel();
  await depot.clearQueue();
  assertEquals((await waiting).state, "stored");
});

depotTest("readable ends when the depot is closed, and fails with the reason of an aborted signal", async (name) => {
  const depot = await FramesDepot.create(name, options);
  const reason = new Error("enough");
  const abort = new AbortController();
  const aborted = depot.readable({ signal: abort.signal }).getReader().read();
  const closed = depot.readable().getReader().read();
  setTimeout(() => abort.abort(reason), 5);
  assertEquals(await assertRejects(() => aborted), reason);
  await depot.close();
  assertEquals((await closed).done, true);
});

depotTest("writable takes what enqueue takes, and waits as the depot does", async (name) => {
  await using depot = await FramesDepot.create(name, options);
  const writer = depot.writable().getWriter();
  const written: number[] = [];
  const writing = [1, 2, 3, 4].map((n) =>
    writer.write({ frameNumber: n, frame: pixels(n) }).then(() => void written.push(n))
  );
  await later(20);
  assertEquals([written, depot.length], [[1, 2], 2]);
  const read: number[] = [];
  for await (const frame of depot.frames({ timeoutMs: 20 })) read.push(frame.data[0]);
  await Promise.all(writing);
  await writer.close();
  assertEquals([read, depot.closed], [[1, 2, 3, 4], false]);
});

depotTest("writable that is aborted stops waiting for room at once", async (name) => {
  await using depot = await FramesDepot.create(name, { ...options, maxSize: 1 });
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  const writer = depot.writable().getWriter();
  const writing = errorOf(() => writer.write({ frameNumber: 2, frame: pixels(2) }));
  await later(5);
  await writer.abort(new RangeError("on purpose"));
  assertEquals([await writing, depot.statusOf(2)], ["RangeError", "pending"]);
}, { watchdogMs: 10_000 });

depotTest("writable fails for a wrong frame, and when the depot is closed", async (name) => {
  const depot = await FramesDepot.create(name, options);
  const wrong = depot.writable().getWriter();
  wrong.closed.catch(() => {});
  assertEquals(await errorOf(() => wrong.write({ frame: new Uint8Array(3) })), "RangeError");
  const late = depot.writable().getWriter();
  late.closed.catch(() => {});
  await depot.close();
  assertEquals(await errorOf(() => late.write({ frame: pixels(1) })), "CLOSED");
});

depotTest("readable pipes through a transform into another depot's writable", async (name, another) => {
  await using from = await FramesDepot.create(name, options);
  await using to = await FramesDepot.create(another(), options);
  for (const n of [1, 2]) await from.enqueue({ frameNumber: n, frame: pixels(n) });
  const negative = new TransformStream({
    transform(frame, controller) {
      controller.enqueue({ frameNumber: frame.frameNumber, frame: frame.copy().map((value: number) => 255 - value) });
    },
  });
  await from.readable({ timeoutMs: 10 }).pipeThrough(negative).pipeTo(to.writable());
  using frame = to.getFrame(2);
  assertEquals(frame?.data[0], 253);
});
