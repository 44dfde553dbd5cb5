/**
 * Frames by number: getFrame, peekFrame and statusOf, with numbers in any order.
 */
import { assert, assertEquals } from "@std/assert";
import { type DepotOptions, FramesDepot, type FrameStatus } from "../mod.ts";
import { depotTest } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(4).fill(value);

async function make(name: string, numbers: number[], options: Partial<DepotOptions> = {}): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, ...options });
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: pixels(frameNumber) });
  return depot;
}

/** Takes a frame out. @returns its first byte */
function take(depot: FramesDepot, frameNumber: number): number | undefined {
  using frame = depot.getFrame(frameNumber);
  return frame?.data[0];
}

const statuses = (depot: FramesDepot, numbers: number[]): FrameStatus[] => numbers.map((n) => depot.statusOf(n));

depotTest("getFrame returns the frame and consumes every frame numbered up to it", async (name) => {
  await using depot = await make(name, [1, 2, 3, 4]);
  assertEquals([take(depot, 3), depot.length], [3, 1]);
  assertEquals([take(depot, 3), take(depot, 1), take(depot, 4), depot.length], [undefined, undefined, 4, 0]);
  assertEquals(statuses(depot, [1, 3, 4, 5]), ["evicted", "evicted", "evicted", "pending"]);
});

depotTest("getFrame that returns undefined consumes nothing", async (name) => {
  await using depot = await make(name, [1, 2, 6]);
  for (const n of [4, 99, -1]) assertEquals([take(depot, n), depot.length], [undefined, 3]);
  assertEquals([take(depot, 2), depot.length, take(depot, 4), take(depot, 6)], [2, 1, undefined, 6]);
});

depotTest("getFrame leaves frames with larger numbers, in whatever order they came", async (name) => {
  await using depot = await make(name, [5, 1, 7, 2]);
  assertEquals([take(depot, 2), depot.length], [2, 2]);
  assertEquals(statuses(depot, [1, 2, 5, 7]), ["evicted", "evicted", "stored", "stored"]);
  assertEquals([take(depot, 5), depot.length, take(depot, 7), depot.length], [5, 1, 7, 0]);
});

const EDGE = Number.MAX_SAFE_INTEGER;
for (
  const [what, numbers] of Object.entries({
    "grow by one": [5, 6, 7, 8],
    "grow by one, with a leap": [5, 6, 20, 21],
    "begin again": [1, 2, 1, 2],
    "are given twice in a row": [3, 3, 4, 5],
    "fall": [4, 3, 2, 1],
    "lie at the lower edge": [-EDGE, -EDGE, 1 - EDGE, 2 - EDGE],
    "leap from edge to edge": [-EDGE, EDGE, 1 - EDGE, EDGE - 1],
  })
) {
  depotTest(`peekFrame finds the newest frame of every number: they ${what}`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "overwrite" });
    for (let lap = 0; lap < 3; lap++) {
      for (const [at, frameNumber] of numbers.entries()) {
        await depot.enqueue({ frameNumber, frame: pixels(4 * lap + at) });
        // Odd laps are looked at frame by frame, even ones when they are complete.
        if (lap % 2 === 1) depot.statusOf(frameNumber);
      }
      for (const frameNumber of numbers) {
        using frame = depot.peekFrame(frameNumber);
        assertEquals([frame?.frameNumber, frame?.data[0]], [frameNumber, 4 * lap + numbers.lastIndexOf(frameNumber)]);
      }
      for (const stranger of [-1, 9, 22]) assertEquals(depot.peekFrame(stranger), undefined);
    }
  });
}

depotTest("peekFrame finds frames that were published in another order than claimed", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 6, whenFull: "overwrite" });
  const claims = [0, 1, 2, 1, 4].map((frameNumber) => depot.tryClaim({ frameNumber })!);
  for (const [at, slot] of claims.entries()) slot.data.fill(at);
  const found = (frameNumber: number) => {
    using frame = depot.peekFrame(frameNumber);
    return frame?.data[0];
  };
  for (const at of [1, 2, 4]) claims[at].publish();
  assertEquals([0, 1, 2, 3, 4].map(found), [undefined, 1, 2, undefined, 4]);
  claims[3].publish();
  claims[0].release();
  assertEquals([0, 1, 2, 3, 4].map(found), [undefined, 3, 2, undefined, 4]);
  assertEquals(depot.statusOf(3), "missing");
});

depotTest("getFrame no longer counts frames consumed out of order once the queue is cleared", async (name) => {
  await using depot = await make(name, [5, 1, 2]);
  take(depot, 2);
  await depot.clearQueue();
  assertEquals(depot.length, 0);
  await depot.enqueue({ frameNumber: 6, frame: pixels(6) });
  assertEquals(depot.length, 1);
});

depotTest("getFrame no longer counts frames consumed out of order once they are overwritten", async (name) => {
  await using depot = await make(name, [9, 1, 2], { whenFull: "overwrite" });
  take(depot, 2);
  const lengths: number[] = [];
  for (let n = 10; n < 15; n++) {
    await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    lengths.push(depot.length);
  }
  // 9 10 | 10 without 9, which went first | 10 11 12 | and so on: 1 and 2 leave the slots of the queue one by one.
  assertEquals(lengths, [2, 2, 3, 4, 4]);
});

depotTest("getFrame consumes a frame also while an earlier slot is still being written", async (name) => {
  await using depot = await make(name, []);
  using slot = depot.tryClaim({ frameNumber: 1 });
  await depot.enqueue({ frameNumber: 2, frame: pixels(2) });
  assertEquals([take(depot, 2), take(depot, 2)], [2, undefined]);
  slot!.publish();
  assertEquals([depot.statusOf(1), depot.statusOf(2)], ["stored", "evicted"]);
  assertEquals(take(depot, 1), 0);
});

depotTest("getFrame returns the newest of several frames with one number", async (name) => {
  await using depot = await make(name, []);
  for (const value of [10, 11, 12]) await depot.enqueue({ frameNumber: 5, frame: pixels(value) });
  assertEquals([take(depot, 5), depot.length, take(depot, 5)], [12, 0, undefined]);
});

depotTest("peekFrame consumes nothing, and makes no reader that producers wait for", async (name) => {
  await using depot = await make(name, [1, 2]);
  for (let i = 0; i < 3; i++) {
    using frame = depot.peekFrame(1);
    assertEquals(frame?.data[0], 1);
  }
  assertEquals([depot.length, depot.peekFrame(3), depot.peekFrame(-1)], [2, undefined, undefined]);
  assert(depot.stats().peers[0].readers.every(({ gating }) => !gating));
});

depotTest("statusOf tells a gap from what has gone and what is to come", async (name) => {
  await using depot = await make(name, [10, 11, 13]);
  take(depot, 10);
  assertEquals(statuses(depot, [9, 10, 11, 12, 13, 14]), [
    "missing",
    "evicted",
    "stored",
    "missing",
    "stored",
    "pending",
  ]);
  await depot.clearQueue();
  assertEquals(statuses(depot, [10, 12, 13, 14]), ["evicted", "missing", "evicted", "pending"]);
});

depotTest("statusOf of a frame that was overwritten is evicted, also in a process that opens later", async (name) => {
  await using depot = await make(name, [], { whenFull: "overwrite" });
  for (let n = 0; n < 10; n++) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
  await using late = await FramesDepot.open(name);
  for (const one of [depot, late]) {
    assertEquals(statuses(one, [0, 5, 6, 9, 10]), ["evicted", "evicted", "stored", "stored", "pending"]);
  }
});

depotTest("getFrame takes numbers below zero and beyond 32 bits", async (name) => {
  const numbers = [Number.MIN_SAFE_INTEGER, -1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  for (const [i, frameNumber] of numbers.entries()) await depot.enqueue({ frameNumber, frame: pixels(i) });
  for (const [i, frameNumber] of numbers.entries()) {
    using frame = depot.getFrame(frameNumber);
    assertEquals([frame?.frameNumber, frame?.data[0]], [frameNumber, i]);
  }
});

depotTest("getFrame of two depot objects consumes for each of them alone", async (name) => {
  await using depot = await make(name, [1, 2]);
  await using other = await FramesDepot.open(name);
  assertEquals(take(depot, 1), 1);
  assertEquals([take(other, 1), take(other, 2), take(depot, 2)], [undefined, 2, 2]);
});

depotTest(
  "statusOf says evicted of a frame that came and went between two looks, burned numbers or not",
  async (name) => {
    await using depot = await make(name, [0], { maxSize: 2, whenFull: "overwrite" });
    await using other = await FramesDepot.open(name);
    assertEquals(other.statusOf(0), "stored");
    for (const n of [1, 2]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    depot.tryClaim()!.release();
    await depot.enqueue({ frameNumber: 3, frame: pixels(3) });
    assertEquals([other.statusOf(1), other.statusOf(2), other.statusOf(3)], ["evicted", "evicted", "stored"]);
  },
);

depotTest(
  "statusOf says evicted of a frame that was being written at one look and overwritten by the next",
  async (name) => {
    await using depot = await make(name, [0], { maxSize: 2, whenFull: "overwrite" });
    await using other = await FramesDepot.open(name);
    const slot = depot.tryClaim({ frameNumber: 1 })!;
    assertEquals(other.statusOf(1), "pending");
    slot.publish();
    for (const n of [2, 3]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    assertEquals(other.statusOf(1), "evicted");
  },
);
