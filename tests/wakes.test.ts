/**
 * Which step wakes which sleeper. A missed wake costs a quarter of a second, until the recovery tick: here the tick is
 * off, so a wait that is not woken hangs. Other tests show what the tick is for: a waker that dies half-way.
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { LANE } from "../ffi/constants.ts";
import { type DepotOptions, type Frame, type FrameReader, FramesDepot } from "../mod.ts";
import { Producer } from "../ring/producer.ts";
import { depotTest } from "./support/harness.ts";
import { LaneView, withoutTick } from "./support/lanes.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 1, whenFull: "wait" };
const WATCHED = { watchdogMs: 20_000 };
const pixels = (value: number) => new Uint8Array(4).fill(value);

/** Claims the only slot, and clears the queue: nothing but the claim holds the slot. */
function held(depot: FramesDepot) {
  depot.clearQueue();
  const slot = depot.tryClaim()!;
  depot.clearQueue();
  return slot;
}

/** What may hold the only slot of a depot, and how it ends. Each returns what ends it. */
const HOLDS: Record<string, (depot: FramesDepot, name: string) => (() => unknown) | Promise<() => unknown>> = {
  "a claimed slot is published": (depot) => {
    const slot = held(depot);
    return () => slot.publish();
  },
  "a claimed slot is given back": (depot) => {
    const slot = held(depot);
    return () => slot.release();
  },
  "the depot object that has claimed the slot is closed": async (_, name) => {
    const other = await FramesDepot.open(name);
    held(other);
    return () => other.close();
  },
  "a lease on the slot is released": (depot) => {
    depot.tryEnqueue({ frameNumber: 1, frame: pixels(1) });
    const frame = depot.peekFrame(1)!;
    depot.clearQueue();
    return () => frame.release();
  },
  "a frame is consumed by its number": (depot) => {
    depot.tryEnqueue({ frameNumber: 1, frame: pixels(1) });
    return () => depot.getFrame(1)!.release();
  },
  "a reader passes the frame": (depot) => {
    depot.tryEnqueue({ frameNumber: 1, frame: pixels(1) });
    const reader = depot.frames();
    const frame = reader.tryNext()!;
    return () => frame.release();
  },
  "the last reader of the frame leaves": async (depot) => {
    depot.tryEnqueue({ frameNumber: 1, frame: pixels(1) });
    const [slow, fast] = [depot.frames(), depot.frames()];
    fast.tryNext();
    fast.tryNext();
    await undefined;
    return () => slow.release();
  },
  "the queue is cleared": (depot) => {
    depot.tryEnqueue({ frameNumber: 1, frame: pixels(1) });
    return () => depot.clearQueue();
  },
};

for (const [what, hold] of Object.entries(HOLDS)) {
  for (const waiting of ["park", "adaptive"] as const) {
    depotTest(`enqueue that sleeps for room is woken when ${what}, ${waiting}`, async (name) => {
      await using depot = await FramesDepot.create(name, OPTIONS);
      await using other = await FramesDepot.open(name);
      using lane = new LaneView(name, LANE.CONSUMED);
      using _ = withoutTick();
      const end = await hold(depot, name);
      lane.lower();
      const storing = other.enqueue({ frameNumber: 9, frame: pixels(9) }, { waiting });
      await lane.asleep();
      await end();
      assertEquals((await storing).state, "stored");
    }, WATCHED);
  }
}

/** What ends a reader's wait, and what it then returns. */
const NEWS: Record<string, (depot: FramesDepot, reader: FrameReader) => unknown> = {
  "a frame is enqueued": (depot) => depot.enqueue({ frameNumber: 7, frame: pixels(7) }),
  "a claimed slot is published": (depot) => {
    const slot = depot.tryClaim({ frameNumber: 7 })!;
    slot.data.fill(7);
    slot.publish();
  },
  "a slot is given back, and the next one is published": (depot) => {
    const [first, second] = [depot.tryClaim()!, depot.tryClaim({ frameNumber: 7 })!];
    second.data.fill(7);
    second.publish();
    first.release();
  },
};

for (const [what, act] of Object.entries(NEWS)) {
  for (const waiting of ["park", "adaptive"] as const) {
    depotTest(`frames().next that sleeps is woken when ${what}, ${waiting}`, async (name) => {
      await using depot = await FramesDepot.create(name, { ...OPTIONS, maxSize: 4 });
      await using other = await FramesDepot.open(name);
      using lane = new LaneView(name, LANE.PUBLISHED);
      using _ = withoutTick();
      const reader = other.frames({ waiting });
      for (let round = 0; round < 3; round++) {
        lane.lower();
        const next = reader.next();
        await lane.asleep();
        await act(depot, reader);
        const { frameNumber, data } = (await next).value as Frame;
        assertEquals([frameNumber, ...data], [7, ...pixels(7)]);
      }
    }, WATCHED);
  }
}

for (const changed of [false, true]) {
  const when = changed ? "before its system call" : "before it has changed the word";

  depotTest(`frames().next gets its frame at the next tick when a waker died ${when}`, async (name) => {
    await using depot = await FramesDepot.create(name, OPTIONS);
    using lane = new LaneView(name, LANE.PUBLISHED);
    const reader = depot.frames({ waiting: "park" });
    for (let round = 0; round < 3; round++) {
      lane.lower();
      const next = reader.next();
      await lane.asleep();
      lane.dieHalfWay(changed);
      const { wakes } = lane;
      assertEquals(depot.tryEnqueue({ frameNumber: round, frame: pixels(round) })?.state, "stored");
      assertEquals(lane.wakes, wakes, "nothing is left that would wake");
      assertEquals((await next).value?.frameNumber, round);
    }
  }, WATCHED);

  for (
    const [what, makeRoom] of [
      ["took the frame", (depot: FramesDepot, frameNumber: number) => depot.getFrame(frameNumber)!.release()],
      ["cleared the queue", (depot: FramesDepot) => void depot.clearQueue()],
    ] as const
  ) {
    depotTest(`enqueue gets its room at the next tick when a waker that ${what} died ${when}`, async (name) => {
      await using depot = await FramesDepot.create(name, OPTIONS);
      using lane = new LaneView(name, LANE.CONSUMED);
      await depot.enqueue({ frameNumber: 0, frame: pixels(0) });
      for (let round = 1; round < 4; round++) {
        lane.lower();
        const storing = depot.enqueue({ frameNumber: round, frame: pixels(round) }, { waiting: "park" });
        await lane.asleep();
        lane.dieHalfWay(changed);
        const { wakes } = lane;
        makeRoom(depot, round - 1);
        assertEquals(lane.wakes, wakes, "nothing is left that would wake");
        assertEquals((await storing).state, "stored");
      }
    }, WATCHED);
  }
}

depotTest("frames().next that sleeps announces itself at each tick, even if its flag was taken away", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  using lane = new LaneView(name, LANE.PUBLISHED);
  lane.lower();
  const next = depot.frames({ waiting: "park" }).next();
  await lane.asleep();
  for (let round = 0; round < 3; round++) {
    lane.dieHalfWay(round % 2 === 1);
    await lane.asleep();
  }
  using _ = withoutTick();
  await depot.enqueue({ frameNumber: 5, frame: pixels(5) });
  assertEquals((await next).value?.frameNumber, 5);
}, WATCHED);

depotTest("frames().next of many readers in one depot object is woken for each, without a tick", async (name) => {
  await using depot = await FramesDepot.create(name, { ...OPTIONS, maxSize: 4 });
  using lane = new LaneView(name, LANE.PUBLISHED);
  using _ = withoutTick();
  const readers = Array.from({ length: 20 }, () => depot.frames({ waiting: "park" }));
  for (let round = 0; round < 5; round++) {
    lane.lower();
    const waiting = readers.map((reader) => reader.next());
    await lane.asleep();
    await depot.enqueue({ frameNumber: round, frame: pixels(round) });
    for (const { value } of await Promise.all(waiting)) assertEquals((value as Frame).frameNumber, round);
  }
}, WATCHED);

/** Counts tries to claim, until it is disposed. */
function claims(): { count: number } & Disposable {
  const { claim } = Producer.prototype;
  const counted = { count: 0, [Symbol.dispose]: () => void (Producer.prototype.claim = claim) };
  Producer.prototype.claim = function () {
    counted.count++;
    return claim.call(this);
  };
  return counted;
}

depotTest(
  "enqueue costs the same number of looks with hundreds of others waiting as with thousands",
  async (_, another) => {
    for (const frames of [250, 1000, 4000]) {
      using counted = claims();
      await using depot = await FramesDepot.create(another(), { ...OPTIONS, maxSize: 10 });
      const reader = depot.frames();
      const storing = Array.from(
        { length: frames },
        (_, frameNumber) => depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { waiting: "park" }),
      );
      const read: number[] = [];
      for await (const frame of reader) if (read.push(frame.frameNumber) === frames) break;
      const states = new Set((await Promise.all(storing)).map(({ state }) => state));
      assertEquals([read, [...states]], [Array.from({ length: frames }, (_, number) => number), ["stored"]]);
      // At most four: when it comes, when it becomes the first, before it sleeps, and when it is woken.
      assert(counted.count >= frames);
      assertLessOrEqual(counted.count, 4 * frames);
    }
  },
  WATCHED,
);
