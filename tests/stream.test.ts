/**
 * Following a depot with frames(): where a reader begins and what each mode does. How a loop ends is in
 * `stream_ends.test.ts`, exact accounts of losses in `loss.test.ts`, web streams in `web_streams.test.ts`.
 */
import { assert, assertEquals } from "@std/assert";
import { type DepotOptions, FramesDepot, type FramesOptions, type From, type ReadMode } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const MODES: ReadMode[] = ["lossless", "lossy", "latest"];
const pixels = (value: number) => new Uint8Array(4).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A depot with frames of these numbers in it. */
async function make(name: string, numbers: number[], options: Partial<DepotOptions> = {}): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, ...options });
  for (const n of numbers) await put(depot, n);
  return depot;
}

async function put(depot: FramesDepot, ...numbers: number[]): Promise<void> {
  for (const frameNumber of numbers) {
    const { state } = await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 10_000 });
    assertEquals(state, "stored");
  }
}

/** The numbers of all frames that a new reader sees without waiting. */
async function read(depot: FramesDepot, options: FramesOptions): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { frameNumber, data } of depot.frames({ timeoutMs: 0, ...options })) {
    assertEquals([...data], [...pixels(frameNumber)]);
    numbers.push(frameNumber);
  }
  return numbers;
}

/** What a reader sees of 1, 3, 5, 7 by where it begins: at once, and after 8 and 9 have come. */
const BEGINNINGS: [from: From, atOnce: number[], then: number[]][] = [
  ["oldest", [1, 3, 5, 7], [8, 9]],
  ["latest", [7], [8, 9]],
  ["next", [], [8, 9]],
  [1, [1, 3, 5, 7], [8, 9]],
  [5, [5, 7], [8, 9]],
  [4, [5, 7], [8, 9]],
  [-10, [1, 3, 5, 7], [8, 9]],
  [7, [7], [8, 9]],
  [9, [], [9]],
  [8, [], [8, 9]],
];

for (const mode of MODES) {
  for (const [from, atOnce, then] of BEGINNINGS) {
    depotTest(`frames in mode ${mode} begins where from says: ${JSON.stringify(from)}`, async (name) => {
      // With maxReaders 1: finding a number takes no second place.
      await using depot = await make(name, [1, 3, 5, 7], { maxReaders: 1, whenFull: "overwrite" });
      await using reader = depot.frames({ mode, from });
      const take = () => {
        const numbers: number[] = [];
        for (let frame; (frame = reader.tryNext()) !== undefined;) numbers.push(frame.frameNumber);
        return numbers;
      };
      assertEquals(take(), mode === "latest" ? atOnce.slice(-1) : atOnce);
      await put(depot, 8, 9);
      assertEquals(take(), mode === "latest" ? then.slice(-1) : then);
    });
  }
}

depotTest("frames from a number that waits for it passes over smaller ones, once", async (name) => {
  await using depot = await make(name, [1], { whenFull: "wait" });
  const reading = (async () => {
    const numbers: number[] = [];
    for await (const frame of depot.frames({ from: 10 })) if (numbers.push(frame.frameNumber) === 3) break;
    return numbers;
  })();
  await put(depot, 2, 3, 4, 5, 6, 9, 11, 7, 12);
  // After the first frame, numbers no longer matter.
  assertEquals(await reading, [11, 7, 12]);
});

depotTest("frames lets a late joiner see history, also in another depot object", async (name) => {
  await using depot = await make(name, [1, 2, 3], { whenFull: "wait" });
  await using early = depot.frames();
  assertEquals(early.tryNext()?.frameNumber, 1);
  await using other = await FramesDepot.open(name);
  assertEquals(await read(other, {}), [1, 2, 3]);
  assertEquals(await read(other, { mode: "lossy" }), [1, 2, 3]);
  // What every lossless reader has passed is gone for readers that come later, as soon as the slot is needed.
  for (const n of [2, 3]) assertEquals(early.tryNext()?.frameNumber, n);
  early.release();
  await put(depot, 4, 5, 6, 7);
  assertEquals(await read(other, {}), [4, 5, 6, 7]);
});

depotTest("frames gives two loops of one depot object every frame each", async (name) => {
  await using depot = await make(name, [], { whenFull: "wait" });
  const follow = async (pause: number) => {
    const numbers: number[] = [];
    for await (const frame of depot.frames({ timeoutMs: 5000 })) {
      if (numbers.push(frame.frameNumber) === 20) break;
      if (pause > 0) await later(pause);
    }
    return numbers;
  };
  const loops = [follow(0), follow(2)];
  const all = Array.from({ length: 20 }, (_, n) => n);
  await put(depot, ...all);
  assertEquals(await Promise.all(loops), [all, all]);
});

depotTest("frames in mode lossless loses nothing while the producer waits or drops", async (name) => {
  await using depot = await make(name, [1, 2, 3, 4]);
  await using reader = depot.frames();
  assertEquals(await depot.enqueue({ frameNumber: 5, frame: pixels(5) }), { state: "dropped", droppedFrames: 1 });
  const seen: [number, number][] = [];
  for (let frame; (frame = reader.tryNext()) !== undefined;) seen.push([frame.frameNumber, frame.lost]);
  assertEquals(seen, [[1, 0], [2, 0], [3, 0], [4, 0]]);
  // A frame is passed when it is released: the last one is still held.
  assertEquals(depot.length, 0);
});

for (const mode of ["lossless", "lossy"] as const) {
  depotTest(`frame.lost in mode ${mode} counts what was overwritten just before`, async (name) => {
    await using depot = await make(name, [0, 1], { whenFull: "overwrite" });
    await using reader = depot.frames({ mode });
    const take = () => {
      const frame = reader.tryNext();
      return [frame?.frameNumber, frame?.lost];
    };
    assertEquals(take(), [0, 0]);
    await put(depot, 2, 3, 4, 5, 6, 7, 8, 9);
    const [first, lost] = take() as [number, number];
    // At most the last four are kept; the one that is overwritten next may be left out.
    assert(first >= 6 && first <= 7, `${first}`);
    assertEquals([lost, take()], [first - 1, [first + 1, 0]]);
  });
}

depotTest("frame.lost in mode latest counts what it jumped over", async (name) => {
  await using depot = await make(name, [0, 1, 2], { whenFull: "overwrite" });
  await using reader = depot.frames({ mode: "latest" });
  const frame = reader.tryNext()!;
  assertEquals([frame.frameNumber, frame.lost, reader.tryNext()], [2, 2, undefined]);
  await put(depot, 3);
  assertEquals([3, 0], [reader.tryNext()!.frameNumber, 0]);
  await put(depot, 4, 5, 6, 7, 8, 9, 10);
  const last = reader.tryNext()!;
  assertEquals([last.frameNumber, last.lost], [10, 6]);
});

for (const mode of ["lossy", "latest"] as const) {
  depotTest(`frames in mode ${mode} never holds a producer up, and does not consume`, async (name) => {
    await using depot = await make(name, [1, 2, 3, 4], { whenFull: "wait" });
    await using reader = depot.frames({ mode });
    // The slot that it holds is passed over.
    using held = reader.tryNext()!;
    await using lossless = depot.frames();
    for (let n = 1; n <= 3; n++) assertEquals(lossless.tryNext()?.frameNumber, n);
    await put(depot, 5);
    assertEquals([...held.data], [...pixels(mode === "latest" ? 4 : 1)]);
    assertEquals(depot.stats().peers[0].readers.map(({ gating }) => gating), [false, true]);
  });
}

depotTest("frames releases each frame when the next is asked for, or earlier by hand", async (name) => {
  await using depot = await make(name, [1, 2, 3, 4], { whenFull: "wait" });
  await using reader = depot.frames();
  const one = reader.tryNext()!;
  assertEquals([one.released, depot.tryEnqueue({ frameNumber: 5, frame: pixels(5) })], [false, undefined]);
  one.release();
  assertEquals(depot.tryEnqueue({ frameNumber: 5, frame: pixels(5) })?.state, "stored");
  const two = (await reader.next()).value!;
  const { data } = two;
  const three = reader.tryNext()!;
  assertEquals([two.released, data.length, three.data[0]], [true, 0, 3]);
  for (let n = 4; n <= 5; n++) assertEquals(reader.tryNext()?.frameNumber, n);
  assertEquals([reader.tryNext(), three.released, depot.length], [undefined, true, 0]);
});

depotTest("frames goes on after the queue was cleared, without what was cleared", async (name) => {
  await using depot = await make(name, [1, 2, 3], { whenFull: "wait" });
  await using reader = depot.frames();
  const held = reader.tryNext()!;
  await depot.clearQueue();
  assertEquals([[...held.data], reader.tryNext()], [[...pixels(1)], undefined]);
  await put(depot, 4, 5);
  assertEquals([reader.tryNext()?.frameNumber, reader.tryNext()?.frameNumber], [4, 5]);
});
