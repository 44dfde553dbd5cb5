/**
 * A name that is taken from a depot while it is open: the old one is marked and closed, its readers get what is left,
 * and of several replacers the last one wins, whichever of them dies.
 */
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { existsSync } from "node:fs";
import process from "node:process";
import { DepotError, type DepotOptions, FramesDepot, type ReadMode, type WhenFull } from "../mod.ts";
import { HEADER } from "../ring/layout.ts";
import { Words } from "../ring/words.ts";
import { tracedLibrary } from "../tools/chaos/steps.ts";
import { readAll } from "./support/actor.ts";
import { depotTest, errorOf, HERE, Peer, type Runtime, RUNTIMES, skip } from "./support/harness.ts";
import { withoutTick } from "./support/lanes.ts";
import { Remote } from "./support/remote.ts";
import type { ReplacingReport, ReplacingTask } from "./support/replacing_peer.ts";

const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const WATCHED = { watchdogMs: 30_000 };
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const pixels = (value: number, bytes = 4) => new Uint8Array(bytes).fill(value);
const options = (whenFull: WhenFull = "drop", maxSize = 4): DepotOptions => ({
  frameSize: [2, 2, 1],
  maxSize,
  whenFull,
});
const LARGER: DepotOptions = { frameSize: [4, 4, 3], maxSize: 2, whenFull: "overwrite" };
const replaced = (depot: FramesDepot) => [depot.replaced, depot.ended, depot.linked];
const file = (name: string) => `/dev/shm/frames-depot.${name}`;
/** How a process ends that kills itself; Windows has no signals. */
const KILLED = process.platform === "win32" ? 1 : -2;
const leftover = (name: string) => `/dev/shm/.frames-depot.${name}`;

async function fill(depot: FramesDepot, ...numbers: number[]): Promise<void> {
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: pixels(frameNumber, depot.frameBytes) });
}

for (const whenFull of ["drop", "wait", "overwrite"] as WhenFull[]) {
  for (const geometry of ["same", "another"] as const) {
    depotTest(
      `create with replace makes a depot of ${geometry} geometry, and the old one ends, ${whenFull}`,
      async (name) => {
        await using old = await FramesDepot.create(name, options(whenFull));
        await fill(old, 1, 2, 3);
        const modes: ReadMode[] = ["lossless", "lossy", "latest"];
        const readers = modes.map((mode) => old.frames({ mode }));
        const slept = readAll(old, { from: "next" });
        using held = readers[1].tryNext();
        using _tick = withoutTick();
        await using next = await FramesDepot.create(name, {
          ...geometry === "same" ? options(whenFull) : LARGER,
          replace: true,
        });
        assertEquals([replaced(old), replaced(next)], [[true, true, false], [false, false, true]]);
        assertNotEquals(old.id, next.id);
        assertEquals([FramesDepot.inspect(name)?.id, (await FramesDepot.open(name).then(closed)).id], [
          next.id,
          next.id,
        ]);
        assertEquals(await slept, ", replaced");
        const rest = [];
        for (const reader of readers) {
          const numbers = [];
          for await (const { frameNumber } of reader) numbers.push(frameNumber);
          rest.push(`${numbers.join(" ")}, ${reader.ended}`);
        }
        assertEquals(rest, ["1 2 3, replaced", "2 3, replaced", "3, replaced"]);
        assertEquals([held?.released, await readAll(old, { mode: "lossy" })], [true, "1 2 3, replaced"]);
        await fill(next, 7);
        assertEquals(next.peekFrame(7)?.data[0], 7);
        const { ended, replaced: marked, linked } = old.stats();
        assertEquals([ended, marked, linked], [true, true, false]);
      },
      WATCHED,
    );
  }
}

async function closed(depot: FramesDepot): Promise<{ id: string }> {
  const { id } = depot;
  await depot.close();
  return { id };
}

depotTest("FramesDepot that is replaced says so to each way of putting a frame in", async (name) => {
  await using old = await FramesDepot.create(name, options("wait", 1));
  const source = new Blob([pixels(1), pixels(2), pixels(3)]).stream();
  const writing = errorOf(() => old.writeFrom(source));
  while (old.length === 0) await later(1);
  const sleeping = [errorOf(() => old.claim()), errorOf(() => old.enqueue({ frame: pixels(0) }))];
  await later(30);
  using _tick = withoutTick();
  await using next = await FramesDepot.create(name, { ...options("wait", 3), replace: true });
  assertEquals(await Promise.all([writing, ...sleeping]), ["REPLACED", "REPLACED", "REPLACED"]);
  assertThrows(() => old.tryClaim(), DepotError, "another depot has its name since");
  assertEquals(await errorOf(() => old.tryEnqueue({ frame: pixels(0) })), "REPLACED");
  assertEquals(await errorOf(() => old.end()), undefined);
  assertEquals(await readAll(old, { mode: "lossy" }), "0, replaced");
  assertEquals(await next.writeFrom(source), 2); // what was read and not stored
  assertEquals([next.peekFrame(0)?.data[0], next.peekFrame(1)?.data[0]], [2, 3]);
}, WATCHED);

depotTest("FrameSlot.publish throws REPLACED in every process of a replaced depot, and readers end", async (name) => {
  await using old = await FramesDepot.create(name, options("wait", 8));
  const remotes = [...RUNTIMES, ...RUNTIMES].map((runtime) => new Remote(runtime));
  try {
    for (const [index, remote] of remotes.entries()) {
      await remote.tell({ do: "open", name });
      await remote.tell({ do: "claim", frameNumber: 10 + index });
    }
    const own = old.tryClaim({ frameNumber: 1 })!;
    own.data.fill(1);
    await fill(old, 2);
    const reading = readAll(old), waiting = old.waitFor(1);
    await later(20);
    await using _next = await FramesDepot.create(name, { ...LARGER, replace: true });
    // No reader waits for what is in hand; its number counts as one that carries no frame.
    assertEquals([await reading, await waiting], ["2, replaced", undefined]);
    for (const remote of remotes) assertEquals(await remote.tell({ do: "publish" }), "REPLACED");
    for (const remote of remotes) {
      assertEquals(await remote.tell({ do: "enqueue", frameNumber: 3 }), "REPLACED");
    }
    assertThrows(() => own.publish(), DepotError, "another depot has its name since");
    assertEquals([own.released, old.stats().skipped, old.stats().stored], [true, remotes.length + 1, 1]);
    assertEquals(await readAll(old, { mode: "lossy" }), "2, replaced");
  } finally {
    for (const remote of remotes) await remote[Symbol.asyncDispose]();
  }
}, WATCHED);

depotTest("FrameSlot of a replaced depot whose memory was moved away is not waited for", async (name) => {
  await using old = await FramesDepot.create(name, options("drop", 3));
  const [moved, given] = [old.tryClaim({ frameNumber: 1 })!, old.tryClaim({ frameNumber: 2 })!];
  const away = moved.data.buffer.transfer();
  given.data.fill(2);
  const reading = readAll(old);
  await using _next = await FramesDepot.create(name, { ...options(), replace: true });
  assertEquals(await reading, ", replaced");
  assertThrows(() => moved.publish(), TypeError, "its memory was moved away");
  assertThrows(() => given.publish(), DepotError, "another depot has its name since");
  assertEquals([old.stats().skipped, old.stats().stored, away.byteLength > 0], [2, 0, true]);
}, WATCHED);

for (const runtime of RUNTIMES) {
  depotTest(
    `FrameReader of a replaced depot does not wait for a stopped ${runtime} process with a slot`,
    async (name) => {
      if (process.platform === "win32") return skip("Windows has no such signals");
      await using old = await FramesDepot.create(name, options());
      await using other = new Remote(runtime);
      await other.tell({ do: "open", name });
      await fill(old, 1);
      await other.tell({ do: "claim", frameNumber: 2 });
      await fill(old, 3);
      process.kill(other.child.pid!, "SIGSTOP");
      const reading = readAll(old);
      await later(20);
      using _tick = withoutTick();
      await using _next = await FramesDepot.create(name, { ...options(), replace: true });
      assertEquals(await reading, "1 3, replaced");
      process.kill(other.child.pid!, "SIGCONT");
      assertEquals(await other.tell({ do: "publish" }), "REPLACED");
    },
    WATCHED,
  );
}

depotTest("FramesDepot that is replaced goes on answering look-ups", async (name) => {
  await using old = await FramesDepot.create(name, options());
  await fill(old, 1, 2);
  await using _next = await FramesDepot.create(name, { ...options(), replace: true });
  using one = old.peekFrame(1), newest = old.latest(), two = old.getFrame(2);
  assertEquals([one?.data[0], newest?.frameNumber, two?.data[3]], [1, 2, 2]);
  assertEquals([old.statusOf(2), old.statusOf(3), await old.waitFor(3)], ["evicted", "missing", undefined]);
});

depotTest(
  "create with replace beside others: each depot but the last is replaced, the last has the name",
  async (name) => {
    const [rounds, at] = [40, Date.now() + 1500];
    await using first = await FramesDepot.create(name, options());
    const task: ReplacingTask = { name, options: options(), rounds, at };
    const peers = [...RUNTIMES, ...RUNTIMES].map((runtime) => new Peer(runtime, "replacing_peer.ts", task));
    try {
      for (const peer of peers) assertEquals(await peer.line(), { made: rounds }, peer.errors);
      const last = FramesDepot.inspect(name)!.id!;
      for (const peer of peers) peer.hangUp();
      const reports = await Promise.all(peers.map((peer) => peer.line<ReplacingReport>()));
      const made = reports.flatMap(({ made }) => made), lost = reports.flatMap(({ replaced }) => replaced);
      const count = peers.length * rounds;
      assertEquals([made.length, new Set(made).size], [count, count]);
      assertEquals(lost.toSorted(), made.filter((id) => id !== last).toSorted());
      assertEquals(replaced(first), [true, true, false]);
      for (const peer of peers) assertEquals(await peer.exit(), 0, peer.errors);
      assertEquals([FramesDepot.inspect(name), existsSync(leftover(name))], [undefined, false]);
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    }
  },
  { watchdogMs: 60_000 },
);

const tracedEnv = (runtime: Runtime) => ({ FRAMES_DEPOT_LIB: tracedLibrary(runtime) });

for (const step of ["T2", "T3a", "T3", "T4", "T5"]) {
  for (const runtime of RUNTIMES) {
    const taken = step !== "T2" && step !== "T3a";
    depotTest(
      `FramesDepot ${taken ? "is marked" : "goes on"} when a ${runtime} process dies after ${step} of taking its name`,
      async (name) => {
        if (process.platform !== "linux") return skip("needs Linux");
        await using old = await FramesDepot.create(name, options());
        await fill(old, 1);
        const reading = readAll(old);
        await later(20);
        const task: ReplacingTask = { name, options: LARGER, step };
        await using victim = new Peer(runtime, "replacing_peer.ts", task, {
          env: step === "T3a" ? tracedEnv(runtime) : {},
        });
        assertEquals(await victim.exit(), -2, victim.errors);
        if (taken) {
          assertEquals(await reading, "1, replaced");
          assertEquals(replaced(old), [true, true, false]);
          assertEquals(FramesDepot.inspect(name)?.stale, true);
          await using _next = await FramesDepot.create(name, options());
          return;
        }
        assertEquals(existsSync(leftover(name)), step === "T3a");
        await later(300); // a tick
        assertEquals(replaced(old), [false, false, true]);
        await fill(old, 2);
        assert(FramesDepot.unlink(name));
        assertEquals(existsSync(leftover(name)), false);
        await using _next = await FramesDepot.create(name, options());
        await later(300);
        // Removed on purpose: it goes on, also when the name is another's.
        assertEquals(replaced(old), [false, false, false]);
        await fill(old, 3);
        old.end();
        assertEquals(await reading, "1 2 3, ended");
      },
      WATCHED,
    );
  }
}

for (const remover of ["replace", "close", "stale"] as const) {
  depotTest(
    `FramesDepot removes what a process left that died between naming and renaming, on ${remover}`,
    async (name) => {
      if (process.platform !== "linux") return skip("needs Linux");
      await using owner = new Remote();
      await owner.tell({ do: "create", name, options: options() });
      await using victim = new Peer(OTHER, "replacing_peer.ts", { name, options: LARGER, step: "T3a" }, {
        env: tracedEnv(OTHER),
      });
      assertEquals(await victim.exit(), -2, victim.errors);
      assertEquals(existsSync(leftover(name)), true);
      assertEquals(FramesDepot.list().filter((info) => info.name.includes(name)).length, 1);
      if (remover === "close") await owner.tell({ do: "close" });
      if (remover === "stale") {
        await owner.kill();
        FramesDepot.unlink(name, { onlyStale: true });
      }
      if (remover === "replace") await (await FramesDepot.create(name, { ...options(), replace: true })).close();
      assertEquals([existsSync(leftover(name)), existsSync(file(name))], [false, false]);
    },
    WATCHED,
  );
}

depotTest("unlink removes a name whose membership lock a stopped process has, and create says so", async (name) => {
  if (process.platform === "win32") return skip("Windows has no such signals");
  await using old = await FramesDepot.create(name, options());
  const task: ReplacingTask = { name, options: LARGER, step: "T2", stops: true };
  await using stopped = new Peer(OTHER, "replacing_peer.ts", task);
  assertEquals(await stopped.line(), { stopped: true });
  await later(50);
  await fill(old, 1);
  const error = await assertRejects(() => FramesDepot.create(name, { ...options(), replace: true }), DepotError);
  assertEquals([error.code, replaced(old)], ["NOT_READY", [false, false, true]]);
  assertEquals([FramesDepot.unlink(name), FramesDepot.inspect(name), old.linked], [true, undefined, false]);
}, WATCHED);

depotTest("FrameReader that only polls hears of a replacement whose process has died", async (name) => {
  await using old = await FramesDepot.create(name, options());
  await using victim = new Peer(OTHER, "replacing_peer.ts", { name, options: LARGER, step: "T3" });
  assertEquals(await victim.exit(), KILLED, victim.errors);
  const reader = old.frames();
  while (reader.ended === undefined) {
    assertEquals(reader.tryNext(), undefined);
    await later(10);
  }
  assertEquals(reader.ended, "replaced");
}, WATCHED);

depotTest("FramesDepot.stats finishes such a replacement, and does not contradict itself", async (name) => {
  await using old = await FramesDepot.create(name, options());
  await using victim = new Peer(OTHER, "replacing_peer.ts", { name, options: LARGER, step: "T3" });
  assertEquals(await victim.exit(), KILLED, victim.errors);
  const { ended, replaced, linked } = old.stats();
  assertEquals([ended, replaced, linked], [true, true, false]);
});

depotTest("FrameReader ends as ended where the name is taken while it looks why it ends", async (name) => {
  const old = await FramesDepot.create(name, options());
  const reader = old.frames();
  old.end();
  const { load32 } = Words.prototype;
  let making: Promise<FramesDepot> | undefined;
  Words.prototype.load32 = function (offset) {
    const value = load32.call(this, offset);
    if (making === undefined && (offset === HEADER.replaced || offset === HEADER.endedBefore)) {
      making = FramesDepot.create(name, { ...options(), replace: true }); // which takes it before it waits for anything
    }
    return value;
  };
  try {
    reader.tryNext();
  } finally {
    Words.prototype.load32 = load32;
  }
  assertEquals([reader.ended, old.replaced], ["ended", true]);
  await (await making)?.close();
  await old.close();
});

depotTest("FramesDepot whose name is removed is neither ended nor replaced", async (name) => {
  await using old = await FramesDepot.create(name, options());
  assert(FramesDepot.unlink(name));
  assertEquals(replaced(old), [false, false, false]);
  await using next = await FramesDepot.create(name, { ...options(), replace: true });
  await later(300);
  assertEquals([replaced(old), replaced(next)], [[false, false, false], [false, false, true]]);
  await fill(old, 1);
  assertEquals(await errorOf(() => fill(old, 2)), undefined);
  await old.close();
  assertEquals(FramesDepot.inspect(name)?.id, next.id);
});
