/**
 * The C peer of tests/c_peer/ in depots that end, whose producers go, and whose name is taken, beside TypeScript; and
 * its threads under the thread sanitizer while that happens.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { after } from "node:test";
import { type DepotOptions, FramesDepot, type WhenFull } from "../mod.ts";
import { CPeer, programs, removePrograms, run } from "./c_peer/program.ts";
import { readAll } from "./support/actor.ts";
import { cTest, later } from "./support/c_peer_scene.ts";
import { errorOf, HERE, Peer } from "./support/harness.ts";
import { flaw, stamp } from "./support/stamp.ts";

const options = (whenFull: WhenFull = "wait"): DepotOptions => ({ frameSize: [64, 64, 1], maxSize: 5, whenFull });
const LARGER: DepotOptions = { frameSize: [8, 8, 3], maxSize: 2, replace: true };

type Producing = { stored: number; ended?: string };
type Following = { read: number; lost: number; torn: number; ended?: string };
type Crew = { producers: Producing[]; readers: Following[] };

after(removePrograms);

async function fill(depot: FramesDepot, count: number): Promise<void> {
  const frame = new Uint8Array(depot.frameBytes);
  for (let frameNumber = 0; frameNumber < count; frameNumber++) {
    stamp(frame, 0, frameNumber);
    await depot.enqueue({ frameNumber, frame });
  }
}

for (const mode of ["lossless", "lossy"]) {
  cTest(`a C peer reads what is left of a depot that TypeScript ends or replaces, ${mode}`, async (name) => {
    for (const how of ["ended", "replaced"]) {
      await using depot = await FramesDepot.create(name, options());
      await using follower = await CPeer.start("follow", name, 0, mode);
      assertEquals(await follower.line(), { ready: true });
      await fill(depot, 4);
      using _slot = how === "replaced" ? depot.tryClaim() : undefined; // which no reader waits for
      if (how === "ended") depot.end();
      await using _next = how === "replaced" ? await FramesDepot.create(name, LARGER) : undefined;
      const { read, lost, torn, ended } = await follower.line<Following>();
      assertEquals({ read, lost, torn, ended }, { read: 4, lost: 0, torn: 0, ended: how });
      await follower.leave();
      assertEquals(depot.stats().peers.length, 1);
    }
  });
}

cTest("a C peer that sleeps for room is told why no more comes", async (name) => {
  for (const how of ["ended", "replaced"]) {
    await using depot = await FramesDepot.create(name, options());
    await using producer = await CPeer.start("produce", name, 100);
    while (depot.stats().stored < 5) await later(5);
    await later(50);
    if (how === "ended") depot.end();
    await using _next = how === "replaced" ? await FramesDepot.create(name, LARGER) : undefined;
    const { stored, ended } = await producer.line<Producing>();
    assertEquals({ stored, ended }, { stored: 5, ended: how });
    assertEquals(await readAll(depot, { mode: "lossy" }), `0 1 2 3 4, ${how}`);
    await producer.leave();
  }
});

cTest("TypeScript readers end when a C peer ends the depot, and its producers are told", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  await fill(depot, 5);
  const waiting = errorOf(() => depot.claim()), reading = readAll(depot, { mode: "lossy" });
  await using ending = await CPeer.start("end", name, 0);
  assertEquals(await ending.line(), { ended: true });
  await ending.leave();
  assertEquals([await waiting, await reading], ["ENDED", "0 1 2 3 4, ended"]);
});

cTest("a C peer publishes what it claimed before the end, and not after its depot was replaced", async (name) => {
  for (const how of ["ended", "replaced"]) {
    await using depot = await FramesDepot.create(name, options());
    await using holder = await CPeer.start("hold", name, "publish");
    assertEquals(await holder.line(), { holding: true });
    if (how === "ended") depot.end();
    await using _next = how === "replaced" ? await FramesDepot.create(name, LARGER) : undefined;
    const reading = readAll(depot);
    await later(20);
    await holder.leave();
    assertEquals(await holder.line(), { stored: how === "ended" });
    assertEquals(await reading, how === "ended" ? "0, ended" : ", replaced");
    assertEquals(depot.stats().skipped, how === "ended" ? 0 : 1);
  }
});

cTest("readers of C and TypeScript end when the other's producers are gone", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  const producer = await FramesDepot.open(name);
  await fill(producer, 3);
  await using follower = await CPeer.start("follow", name, 0, "lossless", "gone=1");
  assertEquals(await follower.line(), { ready: true });
  await later(50);
  await producer.close();
  const { read, ended } = await follower.line<Following>();
  assertEquals({ read, ended }, { read: 3, ended: "producers-gone" });
  await follower.leave();

  const reader = depot.frames({ whenProducersGone: "end" });
  await using other = await CPeer.start("produce", name, 2);
  assertEquals((await other.line<Producing>()).stored, 2);
  assertEquals(depot.stats().peers.map(({ producer }) => producer), [false, true]);
  for (let count = 0; count < 2; count++) assert((await reader.next()).value !== undefined);
  assertEquals([await reader.within(50), reader.ended], [undefined, undefined]);
  await other.leave();
  assertEquals([(await reader.next()).done, reader.ended], [true, "producers-gone"]);
});

cTest("a C peer marks a depot whose replacer has died", async (name) => {
  const depot = await FramesDepot.create(name, options());
  await using follower = await CPeer.start("follow", name, 0, "lossless");
  assertEquals(await follower.line(), { ready: true });
  await fill(depot, 2);
  await using victim = new Peer(HERE, "replacing_peer.ts", { name, options: options(), step: "T3" });
  assertEquals(await victim.exit(), -2, victim.errors);
  // Nothing of TypeScript sleeps in it, and what would look for it here is not asked.
  const { read, ended } = await follower.line<Following>();
  assertEquals({ read, ended }, { read: 2, ended: "replaced" });
  assertEquals(depot.ended, true);
  await follower.leave();
  await depot.close();
});

/** Threads of C, beside which TypeScript reads, until it ends the depot or takes its name. */
for (const whenFull of ["wait", "drop", "overwrite"] as const) {
  for (const how of ["ended", "replaced"] as const) {
    cTest(
      `the protocol has no data race while a depot is ${how}: threads of a C peer under ${whenFull}`,
      async (name) => {
        await using depot = await FramesDepot.create(name, options(whenFull));
        const crew = ["producers=3", "lossless=2", "lossy=1", "giveback=5", "keep=7"];
        const running = programs!.threads.then(({ command }) => run([...command, "threads", name, "1000000", ...crew]));
        const reader = depot.frames({ mode: "lossy", timeoutMs: 20_000 });
        let read = 0;
        let next: FramesDepot | undefined;
        for await (const { frameNumber, data } of reader) {
          assertEquals(flaw(data as Uint8Array, frameNumber % 3, frameNumber), undefined);
          if (++read === 300 && how === "ended") depot.end();
          if (read === 300 && how === "replaced") {
            next = await FramesDepot.create(name, { ...options(), replace: true });
          }
        }
        assertEquals(reader.ended, how);
        const { status, stdout, stderr } = await running;
        assertEquals([stderr, status], ["", 0]);
        const { producers, readers } = JSON.parse(stdout) as Crew;
        const stored = producers.reduce((sum, producer) => sum + producer.stored, 0);
        for (const { ended } of [...producers, ...readers]) assertEquals(ended, how);
        for (const [index, { read, lost, torn }] of readers.entries()) {
          assertEquals(torn, 0);
          if (whenFull === "overwrite" || index === 2) continue;
          assertEquals(lost, 0);
          // What was too late to be seen by all may have been seen.
          assertGreaterOrEqual(read, stored);
          assertLessOrEqual(read, stored + (how === "replaced" ? producers.length : 0));
        }
        assertEquals(depot.stats().peers.length, 1);
        await next?.close();
      },
    );
  }
}
