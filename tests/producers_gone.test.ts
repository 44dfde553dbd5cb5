/**
 * Readers that end once every producer has closed or died. A producer is a depot object that has claimed, or tried to.
 */
import { assertEquals, assertThrows } from "@std/assert";
import { type DepotOptions, FramesDepot, type ReadMode, type WhenFull } from "../mod.ts";
import { PEER, PEER_FLAGS } from "../ring/layout.ts";
import { Peers } from "../ring/peers.ts";
import { readAll } from "./support/actor.ts";
import { depotTest, RUNTIMES } from "./support/harness.ts";
import { withoutTick } from "./support/lanes.ts";
import { Remote } from "./support/remote.ts";
import { attach } from "./support/bare_peer.ts";

const WATCHED = { watchdogMs: 20_000 };
const END = { whenProducersGone: "end" } as const;
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const pixels = (value: number) => new Uint8Array(4).fill(value);
const options = (whenFull: WhenFull = "drop"): DepotOptions => ({ frameSize: [2, 2, 1], maxSize: 4, whenFull });

async function fill(depot: FramesDepot, ...numbers: number[]): Promise<void> {
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: pixels(frameNumber) });
}

for (const whenFull of ["drop", "wait", "overwrite"] as WhenFull[]) {
  for (const mode of ["lossless", "lossy", "latest"] as ReadMode[]) {
    depotTest(
      `FrameReader ends when its producers have closed, after the last frame, ${mode}, ${whenFull}`,
      async (name) => {
        const producer = await FramesDepot.create(name, options(whenFull));
        await using depot = await FramesDepot.open(name);
        await fill(producer, 1, 2, 3);
        const asleep = readAll(depot, { mode, ...END });
        await later(20);
        using _tick = withoutTick();
        await producer.close();
        assertEquals(await asleep, mode === "latest" ? "3, producers-gone" : "1 2 3, producers-gone");
        assertEquals(depot.stats().peers.map(({ producer }) => producer), [false]);
        // A reader that comes later finds no producer either.
        assertEquals(await readAll(depot, { mode: "lossy", from: "next", ...END }), ", producers-gone");
      },
      WATCHED,
    );
  }
}

for (const runtime of RUNTIMES) {
  depotTest(
    `FrameReader ends when its producer, a ${runtime} process, is killed with a slot in its hands`,
    async (name) => {
      await using depot = await FramesDepot.create(name, options());
      await using producer = new Remote(runtime);
      await producer.tell({ do: "open", name });
      await producer.tell({ do: "enqueue", frameNumber: 1 });
      await producer.tell({ do: "claim", frameNumber: 2 });
      const readings = [readAll(depot, END), readAll(depot, { mode: "lossy", ...END })];
      const polled = depot.frames({ mode: "lossy", ...END });
      await later(50);
      assertEquals(depot.stats().peers.map(({ producer }) => producer), [false, true]);
      await producer.kill();
      assertEquals(await Promise.all(readings), ["1, producers-gone", "1, producers-gone"]);
      assertEquals([polled.tryNext()?.frameNumber, polled.tryNext(), polled.ended], [1, undefined, "producers-gone"]);
    },
    WATCHED,
  );

  depotTest(`FrameReader.tryNext alone hears that a ${runtime} process was killed`, async (name) => {
    await using depot = await FramesDepot.create(name, options());
    await using producer = new Remote(runtime);
    await producer.tell({ do: "open", name });
    await producer.tell({ do: "enqueue", frameNumber: 1 });
    const reader = depot.frames(END);
    assertEquals(reader.tryNext()?.frameNumber, 1);
    await producer.kill();
    while (reader.ended === undefined) {
      assertEquals(reader.tryNext(), undefined);
      await later(5);
    }
    assertEquals(reader.ended, "producers-gone");
  }, WATCHED);
}

depotTest("FrameReader waits for the first producer, however many readers come and go", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  const reading = readAll(depot, END);
  await (await FramesDepot.open(name)).close();
  const producer = await FramesDepot.open(name);
  await later(300);
  await fill(producer, 1);
  await producer.close();
  assertEquals(await reading, "1, producers-gone");
}, WATCHED);

depotTest("FrameReader ends when the last of several producers is gone, and not before", async (name) => {
  const [first, second] = [await FramesDepot.create(name, options()), await FramesDepot.open(name)];
  await using depot = await FramesDepot.open(name);
  await fill(first, 1);
  await fill(second, 2);
  const reader = depot.frames(END);
  await first.close();
  assertEquals([(await reader.next()).value?.frameNumber, (await reader.next()).value?.frameNumber], [1, 2]);
  assertEquals([await reader.within(300), reader.ended], [undefined, undefined]);
  const third = await FramesDepot.open(name);
  await fill(third, 3);
  await second.close();
  assertEquals((await reader.next()).value?.frameNumber, 3);
  assertEquals([reader.tryNext(), reader.ended], [undefined, undefined]);
  await third.close();
  assertEquals([(await reader.next()).done, reader.ended], [true, "producers-gone"]);
}, WATCHED);

depotTest("FrameReader does not wait for what has a producer's old entry and only reads", async (name) => {
  await using _maker = await FramesDepot.create(name, options());
  const producer = await FramesDepot.open(name);
  await fill(producer, 1);
  await producer.close();
  await using onlooker = await FramesDepot.open(name);
  assertEquals(onlooker.stats().peers.map(({ producer }) => producer), [false, false]);
  assertEquals(await readAll(onlooker, END), "1, producers-gone");
});

depotTest("FrameReader waits for a depot object that has only tried to claim", async (name) => {
  await using depot = await FramesDepot.create(name, { ...options(), maxSize: 1 });
  const [first, second] = [await FramesDepot.open(name), await FramesDepot.open(name)];
  await fill(first, 1);
  assertEquals(second.tryClaim(), undefined);
  await first.close();
  const reader = depot.frames(END);
  assertEquals((await reader.next()).value?.frameNumber, 1);
  assertEquals([await reader.within(50), reader.ended], [undefined, undefined]);
  await second.close();
  assertEquals([(await reader.next()).done, reader.ended], [true, "producers-gone"]);
});

depotTest("FrameReader goes on with the next producer unless it was told to end", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  const reader = depot.frames(), told = depot.frames({ whenProducersGone: "wait" });
  for (const frameNumber of [1, 2]) {
    await using producer = await FramesDepot.open(name);
    await fill(producer, frameNumber);
    for (const each of [reader, told]) assertEquals((await each.next()).value?.frameNumber, frameNumber);
  }
  assertEquals([await reader.within(300), reader.ended, told.ended], [undefined, undefined, undefined]);
});

depotTest("FrameReader of a depot that has ended says ended, producers or not", async (name) => {
  const producer = await FramesDepot.create(name, options());
  await using depot = await FramesDepot.open(name);
  await fill(producer, 1);
  producer.end();
  await producer.close();
  assertEquals(await readAll(depot, END), "1, ended");
});

/** Calls back once, after a reader has found nothing (D0) and before it looks for producers (F3). */
function beforeProducersAreLookedFor(call: () => void): Disposable {
  const { get } = Object.getOwnPropertyDescriptor(Peers.prototype, "hasProducers")!;
  const set = (now: () => unknown) => Object.defineProperty(Peers.prototype, "hasProducers", { get: now });
  set(function (this: Peers) {
    set(get!);
    call();
    return get!.call(this);
  });
  return { [Symbol.dispose]: () => void set(get!) };
}

for (const group of [undefined, "detectors"]) {
  depotTest(
    `FrameReader ${group ? "of a group " : ""}says ended also where it is closed while it looks`,
    async (name) => {
      await using depot = await FramesDepot.create(name, options());
      const other = await FramesDepot.open(name);
      await fill(other, 1);
      const { words, peers, room, [Symbol.dispose]: leave } = attach(name);
      Atomics.or(words.u32, (words.peer(peers.index) + PEER.flags) >> 2, PEER_FLAGS.produces);
      await other.close();
      const reader = depot.frames({ group, ...END });
      reader.tryNext()!.release();
      using _ = beforeProducersAreLookedFor(() => {
        room.close();
        leave();
      });
      assertEquals([reader.tryNext(), reader.ended], [undefined, "ended"]);
      assertEquals(depot.stats().peers.length, 1); // gone it is, too
    },
  );
}

depotTest("frames refuses another word for whenProducersGone", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  const wrong = { whenProducersGone: "stop" } as unknown as typeof END;
  assertThrows(() => depot.frames(wrong), RangeError, 'whenProducersGone must be one of "wait", "end"');
});

for (const runtime of RUNTIMES) {
  depotTest(`FramesDepot.stats says producersGone once a ${runtime} producer was killed`, async (name) => {
    await using depot = await FramesDepot.create(name, options());
    const gone = () => [depot.stats().producersGone, FramesDepot.inspect(name)!.stats!.producersGone];
    assertEquals(gone(), [false, false]); // the first one is still to come
    await using producer = new Remote(runtime);
    await producer.tell({ do: "open", name });
    await producer.tell({ do: "enqueue", frameNumber: 1 });
    assertEquals(gone(), [false, false]);
    await producer.kill();
    assertEquals(gone(), [true, true]);
    using last = depot.latest();
    assertEquals([last?.frameNumber, depot.ended, depot.replaced, depot.linked], [1, false, false, true]);
    await fill(depot, 2); // another one takes its place
    assertEquals(gone(), [false, false]);
    depot.end();
    assertEquals(gone(), [false, false]); // it has not closed
  }, WATCHED);
}
