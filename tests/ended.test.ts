/**
 * `depot.end()`: no number is claimed any more, readers get what is left and end, and all that sleeps is woken. The
 * tick is off where a wake has to come.
 */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import process from "node:process";
import { DepotError, type DepotOptions, type FrameReader, FramesDepot, type ReadMode, type WhenFull } from "../mod.ts";
import { tracedLibrary } from "../tools/chaos/steps.ts";
import { readAll } from "./support/actor.ts";
import { depotTest, errorOf, HERE, Peer, type Runtime, RUNTIMES, skip } from "./support/harness.ts";
import { withoutTick } from "./support/lanes.ts";
import { Remote } from "./support/remote.ts";

const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const POLICIES: WhenFull[] = ["drop", "wait", "overwrite"];
const MODES: ReadMode[] = ["lossless", "lossy", "latest"];
const WATCHED = { watchdogMs: 20_000 };
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const pixels = (value: number) => new Uint8Array(4).fill(value);
const options = (whenFull: WhenFull = "drop", maxSize = 4): DepotOptions => ({
  frameSize: [2, 2, 1],
  maxSize,
  whenFull,
});

async function fill(depot: FramesDepot, ...numbers: number[]): Promise<void> {
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: pixels(frameNumber) });
}

/** Each way to put a frame in, as the code of its error. */
const ATTEMPTS: Record<string, (depot: FramesDepot) => unknown> = {
  enqueue: (depot) => depot.enqueue({ frame: pixels(9) }),
  tryEnqueue: (depot) => depot.tryEnqueue({ frame: pixels(9) }),
  claim: (depot) => depot.claim(),
  tryClaim: (depot) => depot.tryClaim(),
  writeFrom: (depot) => depot.writeFrom(new Blob([pixels(9)]).stream()),
  writable: (depot) => depot.writable().getWriter().write({ frame: pixels(9) }),
};

for (const whenFull of POLICIES) {
  for (const mode of MODES) {
    depotTest(`FrameReader gets what is left of an ended depot and ends, ${mode}, ${whenFull}`, async (name) => {
      await using depot = await FramesDepot.create(name, options(whenFull));
      await fill(depot, 1, 2, 3);
      const early = readAll(depot, { mode });
      depot.end();
      const left = mode === "latest" ? "3, ended" : "1 2 3, ended";
      assertEquals(await early, left);
      if (mode === "lossless") assertEquals(await readAll(depot, { from: "oldest", mode: "lossy" }), left);
      else assertEquals(await readAll(depot, { mode }), left);
      assertEquals([depot.ended, depot.replaced, depot.linked], [true, false, true]);
      const { ended, replaced, linked, stored, waitsForReader } = depot.stats();
      assertEquals([ended, replaced, linked, stored, waitsForReader], [true, false, true, 3, false]);
    });
  }

  depotTest(`FramesDepot takes no frame after end(), in no way, ${whenFull}`, async (name) => {
    await using depot = await FramesDepot.create(name, options(whenFull, 2));
    await using other = await FramesDepot.open(name);
    await fill(depot, 1, 2);
    depot.end();
    depot.end();
    for (const [way, attempt] of Object.entries(ATTEMPTS)) {
      for (const each of [depot, other]) assertEquals(await errorOf(() => attempt(each)), "ENDED", way);
    }
    assertThrows(() => depot.tryClaim(), DepotError, `cannot put a frame into depot "${name}": end() was called`);
    assertEquals([depot.length, depot.stats().dropped, depot.stats().head], [2, 0, 2]);
    assertEquals(depot.queueIsFull, whenFull !== "overwrite");
    assertEquals(await readAll(other, {}), "1 2, ended");
  });

  depotTest(
    `FrameReader waits for what was claimed before end(), published or given back, ${whenFull}`,
    async (name) => {
      await using depot = await FramesDepot.create(name, options(whenFull));
      await fill(depot, 1);
      const [second, third] = [depot.tryClaim({ frameNumber: 2 })!, depot.tryClaim({ frameNumber: 3 })!];
      const lossless = readAll(depot), lossy = readAll(depot, { mode: "lossy" });
      using _tick = withoutTick();
      depot.end();
      const waiting = depot.frames({ mode: "lossy", from: "next" });
      assertEquals([waiting.tryNext(), waiting.ended], [undefined, "ended"]); // next is beyond the last claim
      await later(20);
      second.data.fill(2);
      second.publish();
      third.release();
      assertEquals([await lossless, await lossy], ["1 2, ended", "1 2, ended"]);
    },
    WATCHED,
  );
}

for (const runtime of RUNTIMES) {
  depotTest(
    `FramesDepot.end in a ${runtime} process ends readers and producers that sleep in this one`,
    async (name) => {
      await using depot = await FramesDepot.create(name, options("wait", 1));
      await using other = new Remote(runtime);
      await other.tell({ do: "open", name });
      const reading = readAll(depot, { mode: "lossy", from: "next" });
      await fill(depot, 1);
      using _tick = withoutTick();
      const producing = [...Array(5).keys()].map((n) =>
        errorOf(() => depot.enqueue({ frameNumber: n, frame: pixels(n) }))
      );
      const claiming = errorOf(() => depot.claim());
      await later(50);
      await other.tell({ do: "end" });
      assertEquals(await Promise.all([...producing, claiming]), Array(6).fill("ENDED"));
      assertEquals(await reading, "1, ended");
      assertEquals(await errorOf(() => depot.tryEnqueue({ frame: pixels(0) })), "ENDED");
    },
    WATCHED,
  );

  depotTest(`FrameReader.nextSync, blocked in a ${runtime} process, returns when the depot ends`, async (name) => {
    await using depot = await FramesDepot.create(name, options());
    await using other = new Remote(runtime);
    await other.tell({ do: "open", name });
    await other.tell({ do: "begin", what: "nextSync" });
    await later(50);
    depot.end();
    assertEquals(await other.tell({ do: "id" }), [depot.id, depot.id]);
  }, WATCHED);

  depotTest(
    `FrameReader ends when a ${runtime} process dies with a slot that it claimed before end()`,
    async (name) => {
      await using depot = await FramesDepot.create(name, options());
      await using victim = new Remote(runtime);
      await victim.tell({ do: "open", name });
      await fill(depot, 1);
      await victim.tell({ do: "claim", frameNumber: 2 });
      depot.end();
      const reading = readAll(depot);
      await later(50);
      await victim.kill();
      assertEquals(await reading, "1, ended");
    },
    WATCHED,
  );

  depotTest(`FrameReader of an ended depot waits for a stopped ${runtime} process with a slot`, async (name) => {
    if (process.platform === "win32") return skip("Windows has no such signals");
    await using depot = await FramesDepot.create(name, options());
    await using other = new Remote(runtime);
    await other.tell({ do: "open", name });
    await other.tell({ do: "claim", frameNumber: 7 });
    process.kill(other.child.pid!, "SIGSTOP");
    depot.end();
    const reader = depot.frames();
    assertEquals([await reader.within(400), reader.ended], [undefined, undefined]);
    process.kill(other.child.pid!, "SIGCONT");
    assertEquals(await other.tell({ do: "publish" }), "stored");
    assertEquals((await reader.next()).value?.frameNumber, 7);
    assertEquals([(await reader.next()).done, reader.ended], [true, "ended"]);
  }, WATCHED);
}

depotTest(
  "FramesDepot that a process has ended which died before it woke the others ends within a tick",
  async (name) => {
    if (process.platform !== "linux") return skip("needs Linux");
    await using depot = await FramesDepot.create(name, options("wait", 1));
    const reading = readAll(depot, { mode: "lossy" });
    await later(20);
    const env = { FRAMES_DEPOT_LIB: tracedLibrary(OTHER) };
    await using victim = new Peer(OTHER, "chaos_victim.ts", { name, step: "N1" }, { env });
    while (depot.length < 1) await later(5);
    const producing = errorOf(() => depot.enqueue({ frame: pixels(1) }));
    assertEquals(await victim.exit(), -2, victim.errors);
    assertEquals([await reading, await producing], ["0, ended", "ENDED"]);
    depot.end(); // changes nothing
  },
  WATCHED,
);

depotTest("FramesDepot.writeFrom leaves the source what the ended depot has not stored", async (name, another) => {
  await using depot = await FramesDepot.create(name, options("wait", 2));
  await using next = await FramesDepot.create(another(), options("wait", 4));
  const source = new Blob([new Uint8Array(16).map((_, at) => 1 + (at >> 2))]).stream();
  const writing = errorOf(() => depot.writeFrom(source));
  while (depot.length < 2) await later(1);
  using _tick = withoutTick();
  depot.end();
  assertEquals(await writing, "ENDED");
  assertEquals(await next.writeFrom(source, { frameNumber: 3 }), 2);
  assertEquals([next.peekFrame(3)!.data[0], next.peekFrame(4)!.data[3]], [3, 4]);
});

depotTest("FramesDepot.writeFrom hears of the end while its source is silent", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  let pulled = 0;
  const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => pulled++) });
  const writing = errorOf(() => depot.writeFrom(silent));
  while (pulled === 0) await later(1);
  depot.end();
  assertEquals(await writing, "ENDED");
  assertEquals(silent.locked, false);
}, WATCHED);

depotTest("FramesDepot.waitFor of an ended depot returns what comes, and undefined for what cannot", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  await fill(depot, 1);
  const slot = depot.tryClaim({ frameNumber: 2 })!;
  using _tick = withoutTick();
  const [claimed, never] = [depot.waitFor(2), depot.waitFor(9)];
  await later(20);
  depot.end();
  await later(20);
  slot.publish();
  assertEquals([(await claimed)?.frameNumber, await never], [2, undefined]);
  assertEquals([(await depot.waitFor(1))?.frameNumber, await depot.waitFor(3)], [1, undefined]);
  assertEquals([depot.statusOf(2), depot.statusOf(3)], ["stored", "missing"]);
}, WATCHED);

depotTest("FramesDepot.statusOf of an ended depot says pending while a claimed frame may still come", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  await fill(depot, 1);
  const slot = depot.tryClaim({ frameNumber: 2 })!;
  depot.end();
  assertEquals([depot.statusOf(1), depot.statusOf(2), depot.statusOf(9)], ["stored", "pending", "pending"]);
  slot.release();
  assertEquals([depot.statusOf(1), depot.statusOf(2), depot.statusOf(9)], ["stored", "missing", "missing"]);
});

/** Each way to ask a reader, after its last frame. */
const WAYS: Record<string, (reader: FrameReader) => unknown> = {
  next: async (reader) => (await reader.next()).value,
  within: (reader) => reader.within(10_000),
  tryNext: (reader) => reader.tryNext(),
  nextSync: (reader) => reader.nextSync(),
};

for (const [way, ask] of Object.entries(WAYS)) {
  depotTest(`FrameReader.${way} says that an ended depot has no more, and why`, async (name) => {
    await using depot = await FramesDepot.create(name, options());
    await fill(depot, 1);
    const reader = depot.frames({ timeoutMs: 10_000 });
    assertEquals([reader.ended, reader.tryNext()?.frameNumber], [undefined, 1]);
    depot.end();
    assertEquals(await ask(reader), undefined);
    assertEquals([reader.ended, reader.released, depot.stats().peers[0].readers.length], ["ended", true, 0]);
    assertEquals(await ask(reader), undefined);
  }, WATCHED);
}

depotTest("FrameReader.ended says why: timeout, released, closed, an aborted signal", async (name) => {
  const depot = await FramesDepot.create(name, options());
  const [slow, left, aborted, open] = [
    depot.frames({ timeoutMs: 1 }),
    depot.frames(),
    depot.frames({ signal: AbortSignal.timeout(1) }),
    depot.frames(),
  ];
  assertEquals([(await slow.next()).done, slow.ended], [true, "timeout"]);
  await fill(depot, 1);
  for await (const _ of left) break;
  aborted.tryNext();
  await assertRejects(() => aborted.next());
  assertEquals([left.ended, aborted.ended, open.ended], ["released", "released", undefined]);
  const closing = depot.frames({ from: "next" });
  const waiting = closing.next();
  await depot.close();
  assertEquals([(await waiting).done, closing.ended, open.ended, slow.ended], [true, "closed", "closed", "timeout"]);
  assertEquals([depot.ended, depot.replaced, depot.linked], [false, false, false]);
});

depotTest("FramesDepot.readable closes after the last frame of an ended depot", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  await fill(depot, 1, 2);
  depot.end();
  const numbers: number[] = [];
  for await (const frame of depot.readable()) {
    numbers.push(frame.frameNumber);
    frame.release();
  }
  assertEquals(numbers, [1, 2]);
});

depotTest("FramesDepot that has ended gives up no frame for a producer that tries", async (name) => {
  await using depot = await FramesDepot.create(name, options("drop", 2));
  const follower = depot.frames({ mode: "lossy" });
  await fill(depot, 1, 2);
  depot.end();
  for (let tries = 0; tries < 3; tries++) {
    assertEquals(await errorOf(() => depot.tryEnqueue({ frame: pixels(3) })), "ENDED");
  }
  assertEquals([depot.length, depot.queueIsFull], [2, false]); // a depot that drops, with a lossy reader alone
  assertEquals(await readAll(depot), "1 2, ended");
  assert(follower.ended === undefined);
});

depotTest("FramesDepot.end of a depot without frames ends its readers at once", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  const reading = readAll(depot);
  depot.end();
  assertEquals([await reading, await readAll(depot, { mode: "latest" })], [", ended", ", ended"]);
});

depotTest("FramesDepot.clearQueue of an ended depot leaves its readers nothing but the end", async (name) => {
  await using depot = await FramesDepot.create(name, options());
  await fill(depot, 1, 2);
  const reader = depot.frames();
  depot.end();
  await depot.clearQueue();
  assertEquals([reader.tryNext(), reader.ended, await readAll(depot)], [undefined, "ended", ", ended"]);
});
