/**
 * A follower leaves every depot that it has opened: one that is released, closed or asked twice while it changes
 * depots, refused by one, forgotten, or whose frames were moved away. And it tells in the next depot what it lost in
 * the one before.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DepotError, FramesDepot } from "../mod.ts";
import { depotTest, HERE, Peer } from "./support/harness.ts";

const SMALL = { frameSize: [2, 2, 1] as [number, number, number], maxSize: 4 };

const put = (depot: FramesDepot, ...numbers: number[]) =>
  Promise.all(numbers.map((n) => depot.enqueue({ frameNumber: n, frame: new Uint8Array(4).fill(n) })));

const peersOf = (depot: FramesDepot) => depot.stats().peers.length;

depotTest("follow().release() leaves every depot, whichever turn of next() it meets", async (_, another) => {
  for (let turns = 0; turns < 40; turns++) {
    const name = another();
    await using first = await FramesDepot.create(name, SMALL);
    await put(first, 1);
    const follower = FramesDepot.follow(name, { waiting: "spin" });
    await follower.next();
    await using second = await FramesDepot.create(name, { ...SMALL, replace: true });
    const next = follower.next();
    for (let turn = 0; turn < turns; turn++) await undefined;
    follower.release();
    assertEquals(await next, { done: true, value: undefined }, `after ${turns} turns`);
    await follower.return();
    assertEquals([peersOf(first), peersOf(second)], [1, 1], `after ${turns} turns`);
  }
});

depotTest("follow() ends as closed when its depot is closed while it waits for the next one", async (name) => {
  await using depot = await FramesDepot.create(name, SMALL);
  await put(depot, 1);
  depot.end();
  const follower = FramesDepot.follow(name);
  await follower.next();
  const next = follower.next();
  assertEquals(await follower.within(20), undefined);
  await follower.depot!.close();
  assertEquals([await next, follower.ended], [{ done: true, value: undefined }, "closed"]);
});

depotTest("follow() leaves a depot that has no reader left for it", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SMALL, maxReaders: 1 });
  using reader = depot.frames();
  const error = await assertRejects(() => FramesDepot.follow(name).next(), DepotError);
  assertEquals([error.code, peersOf(depot), reader.released], ["TOO_MANY_PEERS", 1, false]);
});

depotTest("follow() that is asked twice at once joins once", async (name) => {
  await using depot = await FramesDepot.create(name, SMALL);
  await put(depot, 1, 2);
  const follower = FramesDepot.follow(name);
  const both = await Promise.all([follower.next(), follower.next()]);
  assertEquals(both.map(({ value }) => value?.frameNumber).sort(), [1, 2]);
  await follower.return();
  assertEquals(peersOf(depot), 1);
});

depotTest("follow() keeps what was moved away until it ends, and no longer", async (name) => {
  await using first = await FramesDepot.create(name, SMALL);
  await put(first, 1);
  const follower = FramesDepot.follow(name);
  const { data } = (await follower.next()).value!;
  const moved = structuredClone(data, { transfer: [data.buffer] });
  await using second = await FramesDepot.create(name, { ...SMALL, replace: true });
  await put(second, 2);
  assertEquals([(await follower.next()).value?.frameNumber, moved[0], peersOf(first)], [2, 1, 2]);
  await follower.return();
  assertEquals([peersOf(first), peersOf(second)], [1, 1]);
});

for (const mode of ["lossless", "lossy", "latest"] as const) {
  depotTest(
    `follow() tells with the next depot's first frame what was lost at the end of one: ${mode}`,
    async (name) => {
      await using follower = FramesDepot.follow(name, { mode });
      await using first = await FramesDepot.create(name, SMALL);
      await put(first, 1);
      await follower.next();
      await put(first, 2, 3);
      await first.clearQueue();
      await using second = await FramesDepot.create(name, { ...SMALL, replace: true });
      await put(second, 4);
      const four = (await follower.next()).value!;
      assertEquals([four.frameNumber, four.lost], [4, 2]);
      await using third = await FramesDepot.create(name, { ...SMALL, replace: true });
      await put(third, 5);
      const five = (await follower.next()).value!;
      assertEquals([five.frameNumber, five.lost], [5, 0]);
    },
  );
}

for (const ends of [false, true]) {
  depotTest(`follow() that is forgotten ${ends ? "between two depots" : "between two frames"} leaves`, async (name) => {
    await using peer = new Peer(HERE, "follow_forgotten_peer.ts", { name, ends }, { collects: true });
    const held = ends ? [] : [[false, 7]];
    assertEquals(await peer.line(), { before: 4 + held.length, after: 1 + held.length, held });
    assertEquals(await peer.exit(), 0, peer.errors);
    assert(!peer.errors.includes("TypeError"), peer.errors);
  });
}
