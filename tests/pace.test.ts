/**
 * Spinning or sleeping: what the pace of earlier waits says, and that every way of waiting gets its frames.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertRejects, assertThrows } from "@std/assert";
import { FramesDepot, type Waiting } from "../mod.ts";
import { loadShim } from "../ffi/load.ts";
import { FLAG } from "../ffi/constants.ts";
import { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import { HEADER } from "../ring/layout.ts";
import { Wait } from "../ring/lane.ts";
import { Pace, SHORT_WRITE_MS, SLICE_MS } from "../ring/pace.ts";
import { WAKE_WORDS } from "../ring/words.ts";
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

depotTest("Pace is not used where the user has chosen", () => {
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

depotTest("Wait tells the pace once, whatever is done with what came", () => {
  const told: number[] = [];
  class Heard extends Pace {
    override came(waitedMs: number): void {
      told.push(waitedMs);
    }
  }
  const wait = new Wait(new Heard(), {});
  wait.came();
  wait.came();
  assertEquals(told.length, 1);
});

depotTest("Pace sleeps lightly until writing takes too long, and then tries again ever more rarely", () => {
  const pace = new Pace();
  const asks = (times: number) => Array.from({ length: times }, () => pace.sleepsLightly("adaptive")).filter(Boolean);
  assertEquals(asks(100).length, 100);
  assertEquals([pace.sleepsLightly("park"), pace.sleepsLightly("spin")], [false, false]);
  const passed = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => {
    pace.wrote(false);
    let waits = 0;
    while (!pace.sleepsLightly("adaptive")) waits++;
    return waits;
  });
  assertEquals(passed, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
  pace.wrote(true);
  assertEquals(asks(10).length, 10);
  pace.wrote(false);
  assertEquals(asks(2).length, 1);
});

depotTest("Wait stays awake while what it waits for is being written, but not for long", async () => {
  const pace = new Pace();
  const wait = new Wait(pace, {});
  assert(wait.sleepMs(() => {})! > 0);
  const started = performance.now();
  wait.soon(true);
  assert(wait.watchesWriting);
  const sleepMs = wait.sleepMs(() => {})!;
  if (performance.now() - started < SHORT_WRITE_MS) assertEquals(sleepMs, 0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(wait.sleepMs(() => {})! > 0);
  assertEquals([wait.flag, wait.watchesWriting], [FLAG.SLEEPS, false]);
});

depotTest("Wait goes back to sleep, lightly, when what was being written will not come", () => {
  const wait = new Wait(new Pace(), {});
  wait.soon(true);
  wait.soon(false);
  assert(wait.sleepMs(() => {})! > 0);
  assertEquals(wait.flag, FLAG.SLEEPS_LIGHTLY);
});

depotTest(
  "a reader that sees a frame being written ends with close, release and signal, and passes what is given back",
  async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait" });
    const abort = new AbortController();
    const released = depot.frames();
    const aborted = depot.frames({ signal: abort.signal });
    const reading = depot.frames();
    const [gone, thrown, next] = [released.next(), assertRejects(() => aborted.next()), reading.next()];
    const slot = depot.tryClaim({ frameNumber: 1 })!;
    released.release();
    abort.abort();
    assertEquals((await gone).done, true);
    await thrown;
    slot.release();
    await depot.enqueue({ frameNumber: 2, frame: new Uint8Array(4) });
    assertEquals((await next).value?.frameNumber, 2);
    const last = reading.next();
    using unfinished = depot.tryClaim({ frameNumber: 3 });
    await depot.close();
    assertEquals((await last).done, true);
    assertEquals(unfinished?.released, true);
  },
);

/** Counts how often this process gives its processor away, until it is disposed. */
function yields(): { count: number } & Disposable {
  const { yield: original } = Mapping.prototype;
  const counted = { count: 0, [Symbol.dispose]: () => void (Mapping.prototype.yield = original) };
  Mapping.prototype.yield = function () {
    counted.count++;
    original.call(this);
  };
  return counted;
}

for (const [waiting, flag] of [["adaptive", FLAG.SLEEPS_LIGHTLY], ["park", FLAG.SLEEPS]] as const) {
  depotTest(
    `a reader that sleeps, ${waiting}, is ${
      flag === FLAG.SLEEPS ? "not woken" : "woken, and given way to,"
    } by a claim`,
    async (name) => {
      using given = yields();
      await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
      const shim = loadShim();
      const segment = shim.open(name) as Segment;
      const mapping = segment.map(HEADER.size, WAKE_WORDS) as Mapping;
      const words = new Uint32Array(mapping.view(0, HEADER.size));
      const reader = depot.frames({ waiting });
      const next = reader.next();
      const asleep = () => words[HEADER.publishedSleepers >> 2] === flag;
      while (!asleep()) await new Promise((resolve) => setTimeout(resolve, 1));
      const before = words[HEADER.published >> 2];
      const slot = depot.tryClaim({ frameNumber: 7 })!;
      assertEquals(words[HEADER.published >> 2] - before, flag === FLAG.SLEEPS ? 0 : 1);
      // The reader that sleeps and the producer that wakes it may share a processor: the producer gives way when it
      // claims and when it has published, the reader while it watches.
      const claiming = given.count;
      assertEquals(claiming, flag === FLAG.SLEEPS ? 0 : 1);
      // Long enough for the reader to have given up and gone to sleep again.
      while (words[HEADER.publishedSleepers >> 2] !== FLAG.SLEEPS) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const watching = given.count;
      assertEquals(watching > claiming, flag === FLAG.SLEEPS_LIGHTLY);
      slot.publish();
      assertEquals(given.count - watching, flag === FLAG.SLEEPS_LIGHTLY ? 1 : 0);
      assertEquals((await next).value?.frameNumber, 7);
      await reader.return();
      (words.buffer as ArrayBuffer).transfer(0);
      mapping.unmap();
      segment.close();
    },
  );
}

depotTest("frames written slowly and quickly reach readers that sleep lightly, park and spin", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait" });
  const readers = (["adaptive", "park", "spin"] as const).map((waiting) =>
    depot.frames({ waiting, timeoutMs: 20_000 })
  );
  const reading = readers.map(async (reader) => {
    const numbers: number[] = [];
    for await (const { frameNumber } of reader) if (numbers.push(frameNumber) === FRAMES) break;
    return numbers;
  });
  for (let frameNumber = 0; frameNumber < FRAMES; frameNumber++) {
    using slot = await depot.claim({ frameNumber });
    if (frameNumber % 7 === 0) await new Promise((resolve) => setTimeout(resolve, frameNumber % 3));
    slot!.publish();
    if (frameNumber % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
  }
  const wanted = Array.from({ length: FRAMES }, (_, number) => number);
  for (const numbers of await Promise.all(reading)) assertEquals(numbers, wanted);
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
  "nextSync returns undefined after timeoutMs, and the reader goes on; also once it is released",
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
