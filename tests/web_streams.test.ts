/**
 * The depot as web streams: nothing is read ahead, back-pressure is the depot's, and frames belong to their reader.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { Readable } from "node:stream";
import { type DepotOptions, type Frame, FramesDepot } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";

const options: DepotOptions = { frameSize: [2, 2, 1], maxSize: 2, whenFull: "wait" };
const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

depotTest("readable gives frames that belong to their reader, and ends with the time-out", async (name) => {
  await using depot = await FramesDepot.create(name, options);
  for (const n of [1, 2]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  const reader = depot.readable({ timeoutMs: 10 }).getReader();
  const frames = [(await reader.read()).value!, (await reader.read()).value!];
  assertEquals((await reader.read()).done, true);
  assertEquals(frames.map(({ frameNumber, released, data }) => [frameNumber, released, data[0]]), [
    [1, false, 1],
    [2, false, 2],
  ]);
  assertEquals(depot.length, 0, "what was read has been passed, although it is held");
  for (const frame of frames) frame.release();
  assertEquals(depot.stats().peers[0].readers, []);
});

depotTest("readable that is cancelled leaves the frames that were read to their reader", async (name) => {
  await using depot = await FramesDepot.create(name, { ...options, whenFull: "overwrite" });
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  const reader = depot.readable().getReader();
  using frame = (await reader.read()).value!;
  await reader.cancel();
  for (let n = 2; n < 9; n++) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  assertEquals([...frame.data], [...pixels(1)]);
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
  const { value: frame } = await reader.read();
  const waiting = depot.enqueue({ frameNumber: 2, frame: pixels(2) }, { timeoutMs: 5000 });
  await reader.cancel();
  await depot.clearQueue();
  frame?.release();
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

type Frames = ReadableStream<Frame>;

/** What a program does with a stream of frames; each way sees every frame, with its own pixels. */
const WAYS: Record<string, (stream: Frames, see: (frame: Frame) => Promise<void>) => Promise<unknown>> = {
  "for await": async (stream, see) => {
    for await (const frame of stream) await see(frame);
  },
  "pipeTo a sink that takes its time": (stream, see) => stream.pipeTo(new WritableStream({ write: see })),
  "pipeThrough a transform": (stream, see) =>
    stream.pipeThrough(new TransformStream<Frame, Frame>()).pipeTo(new WritableStream({ write: see })),
  "pipeThrough a filter that reads ahead": async (stream, see) => {
    const transform = (frame: Frame, controller: TransformStreamDefaultController<Frame>) => controller.enqueue(frame);
    const ahead = new CountQueuingStrategy({ highWaterMark: 3 });
    for await (const frame of stream.pipeThrough(new TransformStream({ transform }, ahead, ahead))) await see(frame);
  },
  "one branch of tee, and the other one cancelled": async (stream, see) => {
    const [branch, other] = stream.tee();
    await other.cancel();
    for await (const frame of branch) await see(frame);
  },
  "Readable.fromWeb": async (stream, see) => {
    const readable = Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0], { objectMode: true });
    for await (const frame of readable) await see(frame);
  },
};

for (const [way, go] of Object.entries(WAYS)) {
  depotTest(`readable shows every frame's own pixels: ${way}`, async (name) => {
    await using depot = await FramesDepot.create(name, { ...options, maxSize: 6 });
    const numbers = [1, 2, 3, 4, 5];
    for (const n of numbers) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    const seen: number[][] = [];
    await go(depot.readable({ timeoutMs: 50 }), async (frame) => {
      await later(3);
      seen.push([frame.frameNumber, ...frame.data]);
      frame.release();
    });
    assertEquals(seen, numbers.map((n) => [n, ...pixels(n)]));
    assertEquals(depot.stats().peers[0].readers, [], "no lease is left");
  });
}

depotTest("readable's tee gives each branch a lease of its own, whichever is read first", async (name) => {
  await using depot = await FramesDepot.create(name, { ...options, maxSize: 4 });
  for (const n of [1, 2, 3]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  const see = async (stream: Frames) => {
    const seen: number[][] = [];
    for await (const frame of stream) {
      seen.push([...frame.data]);
      frame.release();
    }
    return seen;
  };
  const [first, second] = depot.readable({ timeoutMs: 50 }).tee();
  const expected = [1, 2, 3].map((n) => [...pixels(n)]);
  assertEquals([await see(first), await see(second)], [expected, expected]);
  assertEquals(depot.stats().peers[0].readers, [], "no lease is left");
});

depotTest(
  "readable's tee can be split again, and a branch that is cancelled releases what waits for it",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...options, maxSize: 4 });
    for (const n of [1, 2, 3]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    const [one, rest] = depot.readable().tee();
    const [two, three] = rest.tee();
    const readers = [one, two, three].map((stream) => stream.getReader());
    for (const n of [1, 2]) {
      using frame = (await readers[0].read()).value!;
      assertEquals(frame.frameNumber, n);
    }
    {
      using frame = (await readers[1].read()).value!;
      assertEquals([...frame.data], [...pixels(1)]);
    }
    for (const reader of readers) await reader.cancel();
    assertEquals(depot.stats().peers[0].readers, [], "no lease is left");
  },
);

depotTest("readable's tee reads nothing ahead of the branch that reads most", async (name) => {
  await using depot = await FramesDepot.create(name, { ...options, maxSize: 4 });
  for (const n of [1, 2, 3]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  const [first, second] = depot.readable().tee();
  const reader = first.getReader();
  (await reader.read()).value?.release();
  await later(10);
  assertEquals(depot.length, 2);
  await Promise.all([reader.cancel(), second.cancel()]);
});

depotTest("readable that ends with the depot object fails no branch of tee", async (name) => {
  const depot = await FramesDepot.create(name, options);
  await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
  const branches = depot.readable().tee().map((stream) => stream.getReader());
  const { value: frame } = await branches[0].read();
  const reading = branches[0].read();
  await depot.close();
  assertEquals([(await reading).done, frame?.released], [true, true]);
  // What waited for the other branch was released with the depot object.
  const late = (await branches[1].read()).value;
  assertEquals([late?.released, (await branches[1].read()).done], [true, true]);
});
