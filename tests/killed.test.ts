/**
 * Processes that are killed, and names that several processes want at once: the kernel proves which are alive, so what
 * a dead process held is given back, and of those that race for a name exactly one gets it.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type DepotOptions, FramesDepot, type ReadMode } from "../mod.ts";
import { depotTest, errorOf, RUNTIMES, skip } from "./support/harness.ts";
import type { Order } from "./support/remote_peer.ts";
import { Remote } from "./support/remote.ts";
import { IS_WINDOWS, NO_STALE } from "./support/windows.ts";

const OPTIONS: DepotOptions = { frameSize: [2, 2, 1], maxSize: 4, whenFull: "wait", maxReaders: 4 };
const pixels = (value: number) => new Uint8Array(4).fill(value);
const infoOf = (name: string) => FramesDepot.list().find((info) => info.name === name);

/** Makes a depot whose only process, of `runtime`, is killed with two frames in the queue. */
async function leaveStale(name: string, runtime: Remote["runtime"]): Promise<void> {
  await using remote = new Remote(runtime);
  assertEquals(await remote.tell({ do: "create", name, options: OPTIONS }), "made");
  for (const frameNumber of [1, 2]) assertEquals(await remote.tell({ do: "enqueue", frameNumber }), "stored");
  await remote.kill();
}

for (const runtime of RUNTIMES) {
  depotTest(
    `FramesDepot is stale once ${runtime}, its only holder, is killed: list says so, open refuses`,
    async (name) => {
      if (IS_WINDOWS) return skip(NO_STALE);
      await leaveStale(name, runtime);
      const info = infoOf(name)!;
      assertEquals([info.stale, info.usable, info.peers, info.length, info.maxSize], [true, true, 0, 2, 4]);
      assertMatch(info.reason, /its only owner \(pid \d+\) is dead/);
      assertEquals(await errorOf(() => FramesDepot.open(name)), "NOT_FOUND");
      assertEquals(await errorOf(() => FramesDepot.open(name, { timeoutMs: 20 })), "NOT_FOUND");
      await using depot = await FramesDepot.open(name, { stale: true });
      const values: number[] = [];
      for await (const frame of depot.frames({ timeoutMs: 0 })) values.push(frame.data[3]);
      assertEquals([values, depot.stats().peers.length, infoOf(name)?.stale], [[1, 2], 1, false]);
      assertEquals((await depot.enqueue({ frame: pixels(3) })).state, "stored");
    },
  );

  depotTest(`create takes over a name that ${runtime} held when it was killed, with another geometry`, async (name) => {
    await leaveStale(name, runtime);
    await using depot = await FramesDepot.create(name, { frameSize: [1, 1, 1], maxSize: 2 });
    assertEquals([depot.length, depot.frameBytes, infoOf(name)?.stale], [0, 1, false]);
  });

  depotTest(`createOrOpen makes a new depot of a name that ${runtime} held when it was killed`, async (name) => {
    await leaveStale(name, runtime);
    await using depot = await FramesDepot.createOrOpen(name, { frameSize: [1, 1, 1] });
    assertEquals([depot.length, depot.stats().stored], [0, 0]);
  });

  depotTest(`open that waits takes the depot that comes after one that ${runtime} left`, async (name) => {
    await leaveStale(name, runtime);
    const opening = FramesDepot.open(name, { timeoutMs: 60_000 });
    await using depot = await FramesDepot.create(name, { frameSize: [1, 1, 1] });
    await using other = await opening;
    assertEquals([other.frameBytes, depot.stats().peers.length], [1, 2]);
  });

  depotTest(`FramesDepot goes on when ${runtime} is killed with a slot in its hands`, async (name) => {
    await using depot = await FramesDepot.create(name, OPTIONS);
    await using reader = depot.frames({ timeoutMs: 60_000 });
    const remote = new Remote(runtime);
    assertEquals(await remote.tell({ do: "open", name }), 0);
    await remote.tell({ do: "enqueue", frameNumber: 1 });
    assertEquals(await remote.tell({ do: "claim", frameNumber: 2 }), 1);
    await depot.enqueue({ frameNumber: 3, frame: pixels(3) });
    assertEquals((await reader.next()).value?.frameNumber, 1);
    const waiting = reader.next();
    await remote.kill();
    const frame = (await waiting).value!;
    assertEquals([frame.frameNumber, frame.lost, [...frame.data]], [3, 0, [...pixels(3)]]);
    assertEquals(depot.stats().peers.length, 1);
    // The slot is in use again.
    for (let n = 4; n < 20; n++) {
      assertEquals((await depot.enqueue({ frameNumber: n, frame: pixels(n) })).state, "stored");
      assertEquals((await reader.next()).value?.frameNumber, n);
    }
  });

  for (const mode of ["lossless", "lossy"] satisfies ReadMode[]) {
    depotTest(
      `enqueue that waits goes on when ${runtime} is killed, a ${mode} reader with a frame in its hands`,
      async (name) => {
        await using depot = await FramesDepot.create(name, { ...OPTIONS, maxSize: 1 });
        await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
        const remote = new Remote(runtime);
        await remote.tell({ do: "open", name });
        assertEquals(await remote.tell({ do: "follow", mode, frames: 1 }), [1]);
        await using ahead = depot.frames({ from: "next" });
        const storing = depot.enqueue({ frameNumber: 2, frame: pixels(2) });
        assertEquals(depot.tryClaim(), undefined);
        await remote.kill();
        assertEquals([(await storing).state, ahead.tryNext()?.frameNumber], ["stored", 2]);
        assertEquals(depot.stats().peers.length, 1);
      },
    );
  }

  depotTest(
    `frames after the only lossless reader, ${runtime}, is killed begins with the frame it had`,
    async (name) => {
      await using depot = await FramesDepot.create(name, { ...OPTIONS, maxSize: 4, whenFull: "wait" });
      const remote = new Remote(runtime);
      await remote.tell({ do: "open", name });
      for (const n of [1, 2, 3]) await depot.enqueue({ frameNumber: n, frame: pixels(n) });
      assertEquals(await remote.tell({ do: "follow", mode: "lossless", frames: 2 }), [1, 2]);
      await remote.kill();
      for (const n of [4, 5]) assertEquals((await depot.enqueue({ frameNumber: n, frame: pixels(n) })).state, "stored");
      const numbers: number[] = [];
      for await (const { frameNumber } of depot.frames({ timeoutMs: 0 })) numbers.push(frameNumber);
      assertEquals(numbers, [2, 3, 4, 5]);
    },
  );

  depotTest(`enqueue that drops finds room again once ${runtime}, the slowest reader, is killed`, async (name) => {
    await using depot = await FramesDepot.create(name, { ...OPTIONS, maxSize: 1, whenFull: "drop" });
    await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
    const remote = new Remote(runtime);
    await remote.tell({ do: "open", name });
    await remote.tell({ do: "follow", mode: "lossless", frames: 1 });
    await using _ahead = depot.frames({ from: "next" });
    assertEquals((await depot.enqueue({ frame: pixels(2) })).state, "dropped");
    assertEquals(depot.stats().slowest?.pid, remote.child.pid);
    await remote.kill();
    // A producer that finds no room looks for dead peers, but not at every frame.
    let tries = 0;
    while ((await depot.enqueue({ frame: pixels(2) })).state === "dropped") {
      assert(tries++ < 1000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
}

depotTest("open finds a free entry again once the processes that held them were killed", async (name) => {
  await using first = await FramesDepot.create(name, { ...OPTIONS, maxReaders: 1 });
  await using remote = new Remote();
  for (let i = 0; i < 32; i++) await remote.tell({ do: "open", name });
  assertEquals(await errorOf(() => FramesDepot.open(name)), "TOO_MANY_PEERS");
  await remote.kill();
  await using other = await FramesDepot.open(name);
  assertEquals([other.stats().peers.length, first.length], [2, 0]);
});

/** Has processes of all runtimes do one thing at the same moment. */
async function race(remotes: Remote[], order: (at: number) => Order): Promise<unknown[]> {
  const at = Date.now() + 20;
  return await Promise.all(remotes.map((remote) => remote.tell(order(at))));
}

depotTest(
  "create raced by processes of all runtimes succeeds for exactly one, also on a stale name",
  async (_, another) => {
    const remotes = [...RUNTIMES, ...RUNTIMES].map((runtime) => new Remote(runtime));
    try {
      for (let round = 0; round < 10; round++) {
        const name = another();
        if (round % 5 === 4) await leaveStale(name, RUNTIMES[round % RUNTIMES.length]);
        const answers = await race(remotes, (at) => ({ do: "create", name, options: OPTIONS, at }));
        assertEquals(answers.toSorted(), [...remotes.slice(1).map(() => "EXISTS"), "made"]);
        assertEquals([infoOf(name)?.peers, infoOf(name)?.length], [1, 0]);
        await remotes[answers.indexOf("made")].tell({ do: "close" });
        assertEquals(infoOf(name), undefined);
      }
    } finally {
      for (const remote of remotes) await remote.kill();
    }
  },
);

depotTest("createOrOpen gives one depot to all processes that call it at the same moment", async (_, another) => {
  const remotes = [...RUNTIMES, ...RUNTIMES].map((runtime) => new Remote(runtime));
  const options = { ...OPTIONS, maxSize: remotes.length };
  try {
    for (let round = 0; round < 10; round++) {
      const name = another();
      if (round % 5 === 4) await leaveStale(name, RUNTIMES[round % RUNTIMES.length]);
      const answers = await race(remotes, (at) => ({ do: "createOrOpen", name, options, at }));
      assertEquals(answers, remotes.map(() => "made"));
      for (const [frameNumber, remote] of remotes.entries()) await remote.tell({ do: "enqueue", frameNumber });
      await using depot = await FramesDepot.open(name);
      // Had two of them made one, the frames of one would be elsewhere.
      const { peers, stored } = depot.stats();
      assertEquals([peers.length, stored, depot.length], [remotes.length + 1, remotes.length, remotes.length]);
      for (const remote of remotes) await remote.tell({ do: "close" });
      assertEquals(infoOf(name)?.peers, 1);
    }
  } finally {
    for (const remote of remotes) await remote.kill();
  }
});

depotTest("readable that is cancelled while it is read keeps its process no longer", async (name) => {
  await using depot = await FramesDepot.create(name, OPTIONS);
  await using remote = new Remote();
  await remote.tell({ do: "open", name });
  assertEquals(await remote.tell({ do: "cancelledRead" }), true);
  remote.child.stdin!.end();
  const watchdog = setTimeout(() => remote.child.kill("SIGKILL"), 5000);
  assertEquals([await remote.exit(), remote.errors], [0, ""]);
  clearTimeout(watchdog);
  assertEquals(depot.stats().peers.length, 1);
});
