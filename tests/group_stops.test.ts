/**
 * Members of a group that stand still, with a frame in their hands or between two steps of the protocol: they are
 * alive, keep what they have, and hold up nothing else.
 */
import { assertEquals } from "@std/assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type FrameReader, FramesDepot } from "../mod.ts";
import { tracedLibrary } from "../tools/chaos/steps.ts";
import { depotTest, errorOf, Peer, RUNTIMES, skip } from "./support/harness.ts";
import type { GroupOrder, Taken } from "./support/group_peer.ts";

const GROUP = { group: "detectors" };
const CAN_TRACE = process.platform === "linux";
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function tell(peer: Peer, order: GroupOrder): Promise<unknown> {
  peer.send(order);
  return (await peer.line<{ answer: unknown }>()).answer;
}

function drain(reader: FrameReader): Taken[] {
  const taken: Taken[] = [];
  for (let frame = reader.tryNext(); frame !== undefined; frame = reader.tryNext()) {
    taken.push([frame.frameNumber, frame.redelivered]);
  }
  return taken;
}

async function make(name: string): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait" });
  for (const n of [0, 1]) await put(depot, n);
  return depot;
}

async function put(depot: FramesDepot, frameNumber: number): Promise<void> {
  const { state } = await depot.enqueue({ frameNumber, frame: new Uint8Array(4) }, { timeoutMs: 20_000 });
  assertEquals(state, "stored");
}

/** Three laps that another member gets whole. */
async function goOn(depot: FramesDepot, reader: FrameReader): Promise<void> {
  for (let n = 10; n < 10 + 3 * depot.maxSize; n++) {
    await put(depot, n);
    assertEquals(drain(reader), [[n, false]]);
  }
}

for (const runtime of RUNTIMES) {
  depotTest(
    `frames({ group }) goes on while a member in ${runtime} is stopped, whose frame stays its own`,
    async (name) => {
      if (process.platform === "win32") return skip("Windows has no such signals");
      await using depot = await make(name);
      await using victim = new Peer(runtime, "group_peer.ts", {});
      await tell(victim, { do: "open", name });
      await tell(victim, { do: "join", options: GROUP });
      assertEquals(await tell(victim, { do: "take" }), [0, false]);
      using reader = depot.frames(GROUP);
      victim.signal("SIGSTOP");
      await sleep(600); // longer than any wait sleeps before it looks for the dead
      assertEquals(drain(reader), [[1, false]]);
      await goOn(depot, reader);
      const { groups: [{ held, members, redelivered }], slowest } = depot.stats();
      assertEquals([held, members, redelivered, slowest?.pid], [1, 2, 0, victim.pid]);
      victim.signal("SIGCONT");
      await tell(victim, { do: "release" });
      assertEquals([depot.stats().groups[0].held, drain(reader)], [0, []]);
      await put(depot, 90);
      assertEquals(await tell(victim, { do: "take" }), [90, false]);
    },
  );
}

/** Where a member stands still, what it is told, what another one gets of frames 0 and 1, and after its death. */
const STOPS: [step: string, orders: GroupOrder[], before: Taken[], after: Taken[]][] = [
  ["M1", [{ do: "take" }], [[0, false], [1, false]], []],
  ["M2", [{ do: "take" }], [[1, false]], [[0, true]]],
  ["M4", [{ do: "take" }], [[1, false]], [[0, true]]],
  ["M5", [{ do: "take" }, { do: "release" }], [[1, false]], []],
  ["R5", [{ do: "take" }, { do: "release" }], [[1, false]], []],
];

for (const [step, orders, before, after] of CAN_TRACE ? STOPS : []) {
  depotTest(
    `frames({ group }) goes on while a member stands still at ${step}, and when it is killed there`,
    async (name) => {
      const note = join(tmpdir(), `frames-depot-${name}.note`);
      writeFileSync(note, "");
      try {
        await using depot = await make(name);
        using reader = depot.frames(GROUP);
        const runtime = step < "M4" ? "bun" : "deno";
        const env = { FRAMES_DEPOT_LIB: tracedLibrary(runtime) };
        await using victim = new Peer(runtime, "group_peer.ts", {}, { env });
        await tell(victim, { do: "open", name });
        await tell(victim, { do: "join", options: GROUP });
        await tell(victim, { do: "standAt", step: { step, count: 1 }, note });
        for (const order of orders) victim.send(order);
        while (readFileSync(note).length === 0) await sleep(5);
        assertEquals(drain(reader), before);
        await goOn(depot, reader);
        await victim.kill();
        depot.stats();
        assertEquals(drain(reader), after);
        const { skipped } = depot.stats();
        await goOn(depot, reader);
        const { groups: [{ members, held }], skipped: now } = depot.stats();
        assertEquals([members, held, now - skipped], [1, 0, 0]);
      } finally {
        rmSync(note, { force: true });
      }
    },
  );
}

depotTest(
  "frames({ group }) is joined and left later while a process stands still that changes its membership",
  async (name) => {
    if (!CAN_TRACE) return skip("needs Linux: the library is built with steps to stop at");
    const note = join(tmpdir(), `frames-depot-${name}.note`);
    writeFileSync(note, "");
    try {
      await using depot = await make(name);
      const [stays, leaves] = [depot.frames(GROUP), depot.frames(GROUP)];
      await using victim = new Peer("bun", "group_peer.ts", {}, { env: { FRAMES_DEPOT_LIB: tracedLibrary("bun") } });
      await tell(victim, { do: "open", name });
      await tell(victim, { do: "standAt", step: { step: "B1", count: 1 }, note });
      victim.send({ do: "join", options: GROUP });
      while (readFileSync(note).length === 0) await sleep(5);
      assertEquals(await errorOf(() => depot.frames(GROUP)), "NOT_READY");
      const frame = leaves.tryNext()!;
      leaves.release(); // its frame is done at once, its place comes later
      assertEquals([frame.released, drain(stays)], [true, [[1, false]]]);
      const membersOf = () => depot.stats().groups[0].members;
      assertEquals(membersOf(), 2);
      await victim.kill();
      while (membersOf() !== 1) await sleep(5);
      using _joins = depot.frames(GROUP);
      stays.release();
      assertEquals([membersOf(), depot.stats().groups[0].held], [1, 0]);
    } finally {
      rmSync(note, { force: true });
    }
  },
);
