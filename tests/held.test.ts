/**
 * Slots that are in hand or leased for long, by living and by dead processes: what is passed over, and what is not.
 */
import { assert, assertEquals } from "@std/assert";
import { FramesDepot, type WhenFull } from "../mod.ts";
import { depotTest, HERE, Peer } from "./support/harness.ts";

const pixels = (value: number) => new Uint8Array(8).fill(value);
const POLICIES: WhenFull[] = ["drop", "wait", "overwrite"];

for (const whenFull of POLICIES) {
  for (const maxSize of [1, 2, 3]) {
    depotTest(
      `tryEnqueue while every one of ${maxSize} slots is in hand burns nothing, and all are published, ${whenFull}`,
      async (name) => {
        await using depot = await FramesDepot.create(name, { frameSize: [8, 1, 1], maxSize, whenFull });
        const reader = depot.frames();
        const slots = Array.from({ length: maxSize }, (_, n) => depot.tryClaim({ frameNumber: n })!);
        const { head, skipped } = depot.stats();
        for (let tries = 0; tries < 5; tries++) assertEquals(depot.tryEnqueue({ frame: pixels(9) }), undefined);
        assertEquals([depot.stats().head, depot.stats().skipped, depot.queueIsFull], [head, skipped, true]);
        assertEquals(reader.tryNext(), undefined);
        for (const slot of slots) slot.publish();
        const seen: number[] = [];
        for (let frame; (frame = reader.tryNext()) !== undefined;) seen.push(frame.frameNumber);
        assertEquals(seen, slots.map((_, n) => n));
      },
    );
  }

  depotTest(`leases of a killed process are given back while frames go on, ${whenFull}`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [8, 1, 1], maxSize: 6, whenFull });
    const reader = depot.frames();
    for (let n = 0; n < 3; n++) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
    await using holder = new Peer(HERE, "scenario_peer.ts", { scenario: "holdTwo", name });
    assertEquals(await holder.line(), { holding: 2 });
    await holder.kill();
    const peers = () => FramesDepot.inspect(name)!.stats!.peers.length;
    assertEquals(peers(), 2);
    for (let n = 0; n < 200 && peers() > 1; n++) {
      assertEquals((await depot.enqueue({ frameNumber: n, frame: pixels(n) })).state, "stored");
      while (reader.tryNext() !== undefined);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals(peers(), 1);
  });
}

depotTest("queueIsFull is true where leases hold every slot", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [8, 1, 1], maxSize: 2 });
  const reader = depot.frames();
  const kept = [1, 2].map((n) => {
    depot.tryEnqueue({ frameNumber: n, frame: pixels(n) });
    return reader.tryNext()!.clone();
  });
  reader.tryNext();
  assertEquals([depot.length, depot.queueIsFull, depot.tryEnqueue({ frame: pixels(3) })], [0, true, undefined]);
  kept[0].release();
  assertEquals([depot.queueIsFull, kept[1].data[0]], [false, 2]);
  kept[1].release();
});

for (const act of ["release", "enqueue", "publish", "look"] as const) {
  depotTest(
    `${act} in an exit handler that runs late finds the depot closed, and touches no other process's frames`,
    async (name) => {
      await using depot = await FramesDepot.create(name, { frameSize: [8, 1, 1], maxSize: 2, whenFull: "overwrite" });
      await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
      await using peer = new Peer(HERE, "scenario_peer.ts", { scenario: `lateHandler.${act}`, name });
      assertEquals(await peer.line(), { exiting: true });
      assertEquals(
        await peer.line(),
        act === "look" ? { length: 0, released: true } : { outcome: act === "enqueue" ? "CLOSED" : "done" },
      );
      await peer.exit();
      assert(!peer.errors.includes("panic"), peer.errors);
      const { stored, skipped, head } = depot.stats();
      assertEquals([stored + skipped, stored], [head, 1]);
      using frame = depot.peekFrame(1);
      assertEquals([...frame!.data], [...pixels(1)]);
    },
  );
}

depotTest("close does not wait for another depot's wait", async (name, another) => {
  const [one, other] = [
    await FramesDepot.create(name, { frameSize: [8, 1, 1] }),
    await FramesDepot.create(another(), { frameSize: [8, 1, 1] }),
  ];
  for (let turns = 0; turns < 8; turns++) {
    const mine = await FramesDepot.open(one.name);
    const reader = mine.frames({ waiting: "park" });
    const pending = reader.next();
    await new Promise((resolve) => setTimeout(resolve, 2));
    const closing = mine.close();
    for (let turn = 0; turn < turns; turn++) await undefined;
    const waiting = other.frames({ waiting: "park", timeoutMs: 20_000 });
    const next = waiting.next();
    await closing;
    await pending;
    waiting.release();
    await next;
  }
  await one.close();
  await other.close();
}, { watchdogMs: 15_000 });

depotTest("enqueue with a time limit beyond what a timer counts waits, as the second in line too", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [8, 1, 1], maxSize: 1, whenFull: "wait" });
  await depot.enqueue({ frame: pixels(0) });
  const waits = [1, 2].map((n) => depot.enqueue({ frameNumber: n, frame: pixels(n) }, { timeoutMs: 2 ** 31 }));
  await new Promise((resolve) => setTimeout(resolve, 30));
  await depot.clearQueue();
  await waits[0];
  await depot.clearQueue();
  assertEquals((await waits[1]).state, "stored");
});

depotTest("onBackpressure is told of each stall, also by enqueues that overlap", async (name) => {
  let told = 0;
  await using depot: FramesDepot = await FramesDepot.create(name, {
    frameSize: [8, 1, 1],
    maxSize: 1,
    whenFull: "wait",
    onBackpressure: () => {
      told++;
      return depot.clearQueue();
    },
  });
  await depot.enqueue({ frame: pixels(0) });
  const states = await Promise.all([1, 2, 3].map((n) => depot.enqueue({ frameNumber: n, frame: pixels(n) })));
  assertEquals([states.map(({ state }) => state), told], [["stored", "stored", "stored"], 3]);
}, { watchdogMs: 15_000 });
