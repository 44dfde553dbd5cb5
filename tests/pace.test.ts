/**
 * Spinning or sleeping: what the pace of earlier waits says, and that every way of waiting gets its frames.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertRejects, assertThrows } from "@std/assert";
import { FramesDepot, type Waiting } from "../mod.ts";
import { Wait } from "../ring/lane.ts";
import { Pace, SLICE_MS } from "../ring/pace.ts";
import { depotTest, HERE, Peer } from "./support/harness.ts";
import type { ProducerTask } from "./support/producer_peer.ts";
import { flaw, numberOf } from "./support/stamp.ts";

const FRAMES = 200;
const OTHER = HERE === "deno" ? "bun" : "deno";

function paceOf(waitedMs: number, waits = 40): Pace {
  const pace = new Pace();
  for (let wait = 0; wait < waits; wait++) pace.came(waitedMs);
  return pace;
}

depotTest("Pace sleeps through a wait of which it knows nothing, and through waits that are usually long", () => {
  assertEquals(new Pace().sleepMs(0, "adaptive"), SLICE_MS);
  assertEquals(paceOf(16).sleepMs(0, "adaptive"), SLICE_MS);
  assertEquals(paceOf(4).sleepMs(3.9, "adaptive"), SLICE_MS);
});

depotTest("Pace sleeps for most of a usual wait, spins around its end, and sleeps again when nothing comes", () => {
  const pace = paceOf(1);
  const early = pace.sleepMs(0, "adaptive");
  assert(early > 0.5 && early < 1, `${early}`);
  for (const waited of [0.95, 1, 1.05]) assertEquals(pace.sleepMs(waited, "adaptive"), 0);
  assertEquals(pace.sleepMs(2, "adaptive"), SLICE_MS);
  assertEquals(paceOf(0.01).sleepMs(0, "adaptive"), 0);
});

depotTest("Pace forgets a pause within a few frames", () => {
  const pace = paceOf(1);
  pace.came(60_000);
  assertEquals(pace.sleepMs(0, "adaptive"), SLICE_MS);
  for (let frame = 0; frame < 8; frame++) pace.came(1);
  assert(pace.sleepMs(0, "adaptive") < 2);
});

depotTest("Pace is not asked where the user has chosen", () => {
  for (const pace of [new Pace(), paceOf(0.01), paceOf(1), paceOf(100)]) {
    assertEquals([pace.sleepMs(0, "spin"), pace.sleepMs(0, "park")], [0, SLICE_MS]);
  }
});

depotTest("Wait looks after the dead when a slice has passed since it began, however often it was woken", async () => {
  const wait = new Wait(new Pace(), { waiting: "park" });
  let idle = 0;
  const started = performance.now();
  for (let previous = Infinity; idle === 0;) {
    const sleepMs = wait.sleepMs(() => idle++)!;
    if (idle > 0) break;
    assert(sleepMs > 0 && sleepMs < previous, `${sleepMs} after ${previous}`);
    previous = sleepMs;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertGreaterOrEqual(performance.now() - started, SLICE_MS);
});

depotTest("Wait tells the pace once, and before what is done with what came", async () => {
  const pace = paceOf(0.01);
  const wait = new Wait(pace, {});
  wait.came();
  await new Promise((resolve) => setTimeout(resolve, 30));
  wait.came();
  assertEquals(pace.sleepMs(0, "adaptive"), 0);
});

for (const waiting of ["adaptive", "park", "spin"] as Waiting[]) {
  depotTest(`frames({ waiting: "${waiting}" }) and enqueue hand every frame over, and timers go on`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 2, whenFull: "wait" });
    const reader = depot.frames({ waiting, timeoutMs: 20_000 });
    let ticks = 0;
    const clock = setInterval(() => ticks++, 1);
    const producing = (async () => {
      for (let frameNumber = 0; frameNumber < FRAMES; frameNumber++) {
        if (frameNumber % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
        await depot.enqueue({ frameNumber, frame: new Uint8Array(4).fill(frameNumber) }, { waiting });
      }
    })();
    const read: number[] = [];
    for await (const frame of reader) {
      assertEquals([...frame.data], new Array(4).fill(frame.frameNumber & 255));
      if (read.push(frame.frameNumber) === FRAMES) break;
    }
    await producing;
    clearInterval(clock);
    assertEquals(read, Array.from({ length: FRAMES }, (_, number) => number));
    assert(ticks > 0);
  });

  depotTest(`frames({ waiting: "${waiting}" }) ends after timeoutMs and with its signal`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
    assertEquals((await depot.frames({ waiting, timeoutMs: 20 }).next()).done, true);
    const signal = AbortSignal.timeout(20);
    const { name: kind } = await assertRejects(() => depot.frames({ waiting, signal }).next());
    assertEquals(kind, "TimeoutError");
  });
}

for (const waiting of ["adaptive", "park", "spin"] as Waiting[]) {
  depotTest(
    `nextSync gets every frame of another process while its own thread is blocked, ${waiting}`,
    async (name) => {
      await using depot = await FramesDepot.create(name, { frameSize: [16, 16, 1], maxSize: 4, whenFull: "wait" });
      const reader = depot.frames({ waiting, timeoutMs: 20_000 });
      const task: ProducerTask = { name, producer: 0, producers: 1, frames: FRAMES, claimEvery: 7 };
      await using producer = new Peer(OTHER, "producer_peer.ts", task);
      for (let index = 0; index < FRAMES; index++) {
        const frame = reader.nextSync();
        assertEquals(frame?.frameNumber, numberOf(0, 1, index));
        assertEquals(flaw(frame!.data as Uint8Array, 0, index), undefined);
      }
      assertEquals(await producer.exit(), 0, producer.errors);
    },
  );
}

depotTest(
  "nextSync answers undefined after timeoutMs, and the reader goes on; also once it is released",
  async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
    const reader = depot.frames({ timeoutMs: 30 });
    const started = performance.now();
    assertEquals(reader.nextSync(), undefined);
    assertGreaterOrEqual(performance.now() - started, 28);
    depot.tryEnqueue({ frameNumber: 7, frame: new Uint8Array(4).fill(7) });
    assertEquals(reader.nextSync()?.data[3], 7);
    reader.release();
    assertEquals(reader.nextSync(), undefined);
  },
);

depotTest("waiting is one of three words", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
  const waiting = "sleep" as Waiting;
  const message = 'waiting must be one of "adaptive", "park", "spin": "sleep"';
  assertThrows(() => depot.frames({ waiting }), RangeError, message);
  await assertRejects(() => depot.enqueue({ frame: new Uint8Array(4) }, { waiting }), RangeError, message);
  assertEquals(depot.length, 0);
});
