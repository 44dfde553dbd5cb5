/**
 * Members of a group that die: what they had is given again, marked, and only then. Each process dies by SIGKILL, by
 * itself right after a named step of the protocol or as it is told; workers end in every way there is.
 */
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { type DepotOptions, type FrameReader, FramesDepot } from "../mod.ts";
import { tracedLibrary } from "../tools/chaos/steps.ts";
import { depotTest, HERE, Peer, type Runtime, RUNTIMES, skip } from "./support/harness.ts";
import type { GroupOrder, Taken } from "./support/group_peer.ts";
import { WAYS } from "./support/workers.ts";
import { WorkersHost } from "./support/workers_host.ts";
import { IS_WINDOWS, SLOW_LOCKS } from "./support/windows.ts";

const GROUP = { group: "detectors" };
const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const CAN_TRACE = process.platform === "linux";
const pixels = (value: number) => new Uint8Array(4).fill(value);

/** A process with a member. */
class Remote extends Peer {
  constructor(runtime: Runtime, traced = false) {
    super(runtime, "group_peer.ts", {}, { env: traced ? { FRAMES_DEPOT_LIB: tracedLibrary(runtime) } : {} });
  }

  async tell<T>(order: GroupOrder): Promise<T> {
    this.send(order);
    const { answer, error } = await this.line<{ answer?: T; error?: string }>();
    if (error !== undefined) throw new Error(`${this}, ${JSON.stringify(order)}: ${error}`);
    return answer!;
  }

  /** Opens the depot and joins the group. */
  async join(name: string): Promise<this> {
    await this.tell({ do: "open", name });
    await this.tell({ do: "join", options: GROUP });
    return this;
  }

  /** Does these until it dies. @returns when it has, by SIGKILL */
  async dieDoing(orders: GroupOrder[]): Promise<void> {
    for (const order of orders) this.send(order);
    const { signal } = await this.ending;
    assertEquals(signal, "SIGKILL", `${this}: ${this.errors}`);
  }
}

async function make(name: string, numbers: number[], options: Partial<DepotOptions> = {}): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait", ...options });
  for (const n of numbers) await put(depot, n);
  return depot;
}

async function put(depot: FramesDepot, frameNumber: number): Promise<void> {
  const { state } = await depot.enqueue({ frameNumber, frame: pixels(frameNumber) }, { timeoutMs: 20_000 });
  assertEquals(state, "stored");
}

function drain(reader: FrameReader): Taken[] {
  const taken: Taken[] = [];
  for (let frame = reader.tryNext(); frame !== undefined; frame = reader.tryNext()) {
    assertEquals(frame.data[3], frame.frameNumber);
    taken.push([frame.frameNumber, frame.redelivered]);
  }
  return taken;
}

const groupOf = (depot: FramesDepot) => depot.stats().groups.find(({ name }) => name === GROUP.group)!;
const fresh = (...numbers: number[]): Taken[] => numbers.map((n) => [n, false]);

/** Every slot is in use again, and nothing is held. */
async function assertWhole(depot: FramesDepot, reader: FrameReader): Promise<void> {
  const { skipped } = depot.stats();
  for (let n = 100; n < 100 + 3 * depot.maxSize; n++) {
    await put(depot, n);
    assertEquals(drain(reader), fresh(n));
  }
  const { members, held } = groupOf(depot);
  assertEquals([members, held, depot.stats().skipped - skipped], [1, 0, 0]);
}

for (const runtime of RUNTIMES) {
  depotTest(
    `frames({ group }) gives the frame of a member in ${runtime} that is killed to one that waits`,
    async (name) => {
      await using depot = await make(name, [0]);
      const victim = await new Remote(runtime).join(name);
      assertEquals(await victim.tell({ do: "take" }), [0, false]);
      const reader = depot.frames({ ...GROUP, timeoutMs: 20_000 });
      const waiting = reader.next();
      await victim.kill();
      const { value: frame } = await waiting;
      assertEquals([frame?.frameNumber, frame?.redelivered, frame?.lost, frame?.data[0]], [0, true, 0, 0]);
      assertEquals(frame?.clone().redelivered, true);
      assertEquals([groupOf(depot).redelivered, groupOf(depot).members, groupOf(depot).held], [1, 1, 1]);
    },
  );
}

depotTest("frames({ group }) gives a frame again after each death, and what was done never", async (name) => {
  await using depot = await make(name, [0, 1, 2]);
  const victims = [await new Remote("deno").join(name), await new Remote("bun").join(name)];
  const reader = depot.frames(GROUP);
  assertEquals(await victims[0].tell({ do: "take" }), [0, false]);
  await victims[0].tell({ do: "release" });
  assertEquals(await victims[0].tell({ do: "take" }), [1, false]);
  await victims[0].kill();
  depot.stats(); // gives back what the dead held
  assertEquals(await victims[1].tell({ do: "take" }), [1, true]);
  await victims[1].kill();
  depot.stats();
  assertEquals(drain(reader), [[1, true], [2, false]]);
  assertEquals(groupOf(depot).redelivered, 2);
  await assertWhole(depot, reader);
});

depotTest("frames({ group }) gives again what a member kept as a clone after its loop had ended", async (name) => {
  await using depot = await make(name, [0, 1]);
  const reader = depot.frames(GROUP);
  const victim = await new Remote(OTHER).join(name);
  for (const step of ["take", "clone", "leave"] as const) await victim.tell({ do: step });
  assertEquals([groupOf(depot).members, groupOf(depot).held], [1, 1]);
  await victim.kill();
  depot.stats();
  assertEquals(drain(reader), [[0, true], [1, false]]);
  await assertWhole(depot, reader);
});

depotTest(
  "frames({ group }) whose last member is killed gives what it had to one that joins before it is found",
  async (name) => {
    await using depot = await make(name, [0, 1]);
    const victim = await new Remote(OTHER).join(name);
    await victim.tell({ do: "take" });
    await victim.kill();
    const reader = depot.frames(GROUP);
    depot.stats();
    assertEquals(drain(reader), [[0, true], [1, false]]);
  },
);

depotTest("frames({ group }) whose last member is killed drops what it had, and counts it", async (name) => {
  await using depot = await make(name, [0, 1, 2]);
  const victim = await new Remote(OTHER).join(name);
  await victim.tell({ do: "take" });
  await victim.kill();
  const { members, held, dropped, redelivered } = groupOf(depot);
  assertEquals([members, held, dropped, redelivered], [0, 0, 1, 1]);
  const reader = depot.frames(GROUP);
  assertEquals(drain(reader), fresh(1, 2));
  await assertWhole(depot, reader);
});

depotTest("clearQueue keeps what is offered again", async (name) => {
  await using depot = await make(name, [0, 1]);
  const reader = depot.frames(GROUP);
  const victim = await new Remote(OTHER).join(name);
  await victim.tell({ do: "take" });
  await victim.kill();
  depot.stats();
  await depot.clearQueue();
  assertEquals(drain(reader), [[0, true]]);
  await assertWhole(depot, reader);
  assertEquals(groupOf(depot).lost, 1);
});

depotTest("frames({ group }) ends only after what a dead member had was given again", async (name) => {
  await using depot = await make(name, [0]);
  const victim = await new Remote(OTHER).join(name);
  await victim.tell({ do: "take" });
  const reader = depot.frames({ ...GROUP, timeoutMs: 20_000 });
  depot.end();
  const waiting = reader.next();
  await victim.kill();
  assertEquals([(await waiting).value?.frameNumber, (await reader.next()).done, reader.ended], [0, true, "ended"]);
});

for (const how of ["exit", "throw"] as const) {
  depotTest(
    `frames({ group }) gives the frame of a process again that ends by ${how}, without close()`,
    async (name) => {
      await using depot = await make(name, [0, 1]);
      const reader = depot.frames(GROUP);
      const leaver = await new Remote(OTHER).join(name);
      for (const step of ["take", "clone"] as const) await leaver.tell({ do: step });
      leaver.send({ do: "exit", how });
      await leaver.ending;
      assertEquals([depot.stats().peers.length, drain(reader)], [1, [[0, true], [1, false]]]);
      await assertWhole(depot, reader);
    },
  );
}

for (const how of WAYS) {
  depotTest(`frames({ group }) gives the frame of a worker again that ends by ${how}`, async (name) => {
    await using depot = await make(name, [0, 1]);
    const reader = depot.frames(GROUP);
    await using host = new WorkersHost();
    await host.start(0);
    await host.tell(0, { do: "open", name });
    assertEquals(await host.tell(0, { do: "share", group: GROUP.group }), 0);
    await host.end(how, 0);
    for (let tries = 0; groupOf(depot).redelivered === 0 && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(drain(reader), [[0, true], [1, false]]);
  });
}

/** Where a member dies, what it is told before, and what the others get of frames 0 to 3. */
const STEPS: [steps: string[], orders: GroupOrder[], expected: Taken[]][] = [
  [["J1", "B1", "B2", "J2", "J3", "J4", "B3", "B4", "B5"], [], fresh(0, 1, 2, 3)],
  [["R1", "R4", "M1"], [{ do: "take" }], fresh(0, 1, 2, 3)],
  [["M2", "M4"], [{ do: "take" }], [[0, true], ...fresh(1, 2, 3)]],
  [["M5", "R5"], [{ do: "take" }, { do: "release" }], fresh(1, 2, 3)],
  [["V0", "V1", "V2", "L1", "V3", "V4"], [{ do: "take" }, { do: "leave" }], fresh(1, 2, 3)],
];

/** The first member forms the group, the last one dissolves it. */
const ALONE = ["B2", "J2", "J3", "J4", "B3", "B4", "V1", "V2", "L1", "V3", "V4"];

for (const [steps, orders, expected] of CAN_TRACE ? STEPS : []) {
  for (const step of steps) {
    for (const isLast of [true, false]) {
      if (!isLast && ALONE.includes(step)) continue;
      const title = `${step}, ${isLast ? "the only one" : "not the only one"}`;
      depotTest(`frames({ group }) survives a member that dies at ${title}`, async (name) => {
        await using depot = await make(name, [0, 1, 2, 3]);
        const victim = new Remote(step < "M" ? "bun" : OTHER, true);
        const before = isLast ? undefined : depot.frames(GROUP);
        // The first member has pinned a frame already, to learn where its account of losses begins.
        const count = step === "R5" && isLast ? 2 : 1;
        const arm: GroupOrder = { do: "dieAt", step: { step, count } };
        await victim.dieDoing([{ do: "open", name }, arm, { do: "join", options: GROUP }, ...orders]);
        const reader = before ?? depot.frames(GROUP); // also one that was formed or dissolved half-way
        depot.stats();
        assertEquals(drain(reader), expected);
        await assertWhole(depot, reader);
        reader.release();
        assertEquals([groupOf(depot).members, depot.stats().peers.length], [0, 1]);
      });
    }
  }
}

const RECOVERY: [step: string, count: number][] = [
  ["P0", 1],
  ["P0", 2],
  ["P0", 3],
  ["P0", 4],
  ["P1", 1],
  ["P0a", 1],
  ["P2", 1],
];

for (const [step, count] of CAN_TRACE ? RECOVERY : []) {
  depotTest(`frames({ group }) survives a recoverer that dies at ${step}, time ${count}`, async (name) => {
    await using depot = await make(name, [0, 1, 2, 3]);
    const reader = depot.frames(GROUP);
    const [victim, recoverer] = [await new Remote(HERE).join(name), new Remote(OTHER, true)];
    await recoverer.tell({ do: "open", name });
    for (const step of ["take", "clone", "take"] as const) await victim.tell({ do: step });
    await victim.kill();
    await recoverer.dieDoing([{ do: "dieAt", step: { step, count } }, { do: "stats" }]);
    depot.stats();
    assertEquals(drain(reader), [[0, true], [1, true], [2, false], [3, false]]);
    assert(groupOf(depot).redelivered <= 2);
    await assertWhole(depot, reader);
  });
}

for (const step of CAN_TRACE ? ["V1", "V2", "L1", "V3", "V4"] : []) {
  depotTest(`frames({ group }) survives a recoverer that dies at ${step} of the last member's group`, async (name) => {
    await using depot = await make(name, [0, 1, 2, 3]);
    const [victim, recoverer] = [await new Remote(HERE).join(name), new Remote(OTHER, true)];
    await recoverer.tell({ do: "open", name });
    await victim.tell({ do: "take" });
    await victim.kill();
    await recoverer.dieDoing([{ do: "dieAt", step: { step, count: 1 } }, { do: "stats" }]);
    const reader = depot.frames(GROUP);
    depot.stats();
    const [first, ...rest] = drain(reader);
    // Until the group is dissolved a new member is one of it.
    const expected = step === "V1" ? [0, true] as const : [1, false] as const;
    assertEquals([first, rest.at(-1)], [[...expected], [3, false]]);
    await assertWhole(depot, reader);
  });
}

depotTest("frames({ group }) survives M3: a member that dies with a frame which had been another's", async (name) => {
  if (!CAN_TRACE) return skip("needs Linux: the library is built with steps to stop at");
  await using depot = await make(name, [0, 1]);
  const reader = depot.frames(GROUP);
  const victims = [await new Remote(HERE).join(name), await new Remote(OTHER, true).join(name)];
  await victims[0].tell({ do: "take" });
  await victims[0].kill();
  depot.stats();
  await victims[1].dieDoing([{ do: "dieAt", step: { step: "M3", count: 1 } }, { do: "take" }]);
  depot.stats();
  assertEquals(drain(reader), [[0, true], [1, false]]);
  await assertWhole(depot, reader);
});

depotTest(
  "frames({ group }) joined and left by processes of both runtimes at once loses and doubles nothing",
  async (name) => {
    if (IS_WINDOWS) return skip(SLOW_LOCKS);
    await using depot = await make(name, [], { maxSize: 8 });
    const remotes = [...RUNTIMES, ...RUNTIMES].map((runtime) => new Remote(runtime));
    try {
      for (const remote of remotes) await remote.tell({ do: "open", name });
      const visits = remotes.map((remote) => remote.tell<Taken[]>({ do: "visit", options: GROUP, times: 300 }));
      let over = false;
      const all = Promise.all(visits).finally(() => over = true);
      let stored = 0;
      while (!over) {
        if (depot.tryEnqueue({ frameNumber: stored, frame: pixels(stored % 256) }) !== undefined) stored++;
        else await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const taken = (await all).flat() as [number, boolean][];
      // A member that met another's change of the membership leaves a moment later.
      while (groupOf(depot).members > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const left = depot.frames(GROUP);
      for (let frame = left.tryNext(); frame !== undefined; frame = left.tryNext()) {
        taken.push([frame.frameNumber, false]);
      }
      assertEquals(taken.map(([n]) => n).sort((a, b) => a - b), Array.from({ length: stored }, (_, n) => n));
      assert(stored > 100 && taken.every(([, redelivered]) => !redelivered));
      await assertWhole(depot, left);
    } finally {
      for (const remote of remotes) await remote.kill();
    }
  },
);
