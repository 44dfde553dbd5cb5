/**
 * Workers that end: each is a peer that has died, whatever ended it and whatever it held. Its process goes on.
 * What many of them leave is in `workers_many.test.ts`.
 */
import { assert, assertEquals } from "@std/assert";
import { existsSync, statSync } from "node:fs";
import process from "node:process";
import { type DepotOptions, type FrameReader, FramesDepot } from "../mod.ts";
import { type Order, WAITS } from "./support/actor.ts";
import { depotTest, HERE } from "./support/harness.ts";
import { type Way, WAYS } from "./support/workers.ts";
import { WorkersHost } from "./support/workers_host.ts";

const OPTIONS: DepotOptions = { frameSize: [64, 64, 1], maxSize: 4, whenFull: "wait", maxReaders: 4 };
/** What is promised once a thread has ended, and what a busy machine may add. */
const SOON_MS = 250 + 750;
/** Threads and files can be seen here only. */
const ON_LINUX = process.platform === "linux";

const pixels = (value: number) => new Uint8Array(64 * 64).fill(value);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const pathOf = (name: string) => `/dev/shm/frames-depot.${name}`;
const inodeOf = (name: string) => ON_LINUX ? statSync(pathOf(name)).ino : undefined;
const listed = (name: string) => FramesDepot.list().some((info) => info.name === name);

/** What comes within the time that is promised. */
async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not ${SOON_MS} ms after the thread has ended`)), SOON_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Nothing is left of a worker, and every slot is in use again. */
async function assertGivenBack(how: Way, depot: FramesDepot, reader: FrameReader, host: WorkersHost): Promise<void> {
  reader.tryNext()?.release(); // with the frame before
  assertEquals(depot.stats().peers.map(({ self }) => self), [true], how);
  if (ON_LINUX) assertEquals((await host.counts(inodeOf(depot.name))).ofFile, 0, `${how}: its memory is given back`);
  for (let n = 100; n < 100 + 2 * depot.maxSize; n++) {
    assertEquals((await depot.enqueue({ frameNumber: n, frame: pixels(n) })).state, "stored", how);
    const { value } = await reader.next();
    assertEquals([value?.frameNumber, value?.data[0], value?.data.at(-1)], [n, n, n], how);
    value?.release();
  }
}

/** A test for each way to end, with a worker that has a depot of this process open. */
function endingTest(
  title: string,
  options: DepotOptions,
  ways: readonly Way[],
  body: (depot: FramesDepot, host: WorkersHost, how: Way) => Promise<void>,
): void {
  depotTest(title, async (_, anotherName) => {
    await using host = new WorkersHost();
    for (const how of ways) {
      await using depot = await FramesDepot.create(anotherName(), options);
      await host.start(0);
      assertEquals(await host.tell(0, { do: "open", name: depot.name }), 0);
      assertEquals(depot.stats().peers.length, 2);
      await body(depot, host, how);
    }
  });
}

endingTest(
  "FramesDepot goes on when a worker ends, in every way, with a slot in its hands",
  OPTIONS,
  WAYS,
  async (depot, host, how) => {
    await using reader = depot.frames({ timeoutMs: 60_000 });
    assertEquals(await host.tell(0, { do: "claim", frameNumber: 1 }), 0);
    await depot.enqueue({ frameNumber: 2, frame: pixels(2) });
    assertEquals(reader.tryNext(), undefined);
    const waiting = reader.next();
    await host.end(how, 0);
    const { value } = await soon(waiting, `${how}: the frame after the one that it claimed`);
    assertEquals([value?.frameNumber, value?.lost, value?.data[0]], [2, 0, 2], how);
    await assertGivenBack(how, depot, reader, host);
  },
);

for (const mode of ["lossless", "lossy"] as const) {
  endingTest(
    `enqueue that waits goes on when a worker ends, in every way, a ${mode} reader with a frame in its hands`,
    { ...OPTIONS, maxSize: 1 },
    WAYS,
    async (depot, host, how) => {
      await depot.enqueue({ frameNumber: 1, frame: pixels(1) });
      assertEquals(await host.tell(0, { do: "follow", mode, frames: 1 }), [1]);
      await using reader = depot.frames({ from: "next", timeoutMs: 60_000 });
      const storing = depot.enqueue({ frameNumber: 2, frame: pixels(2) });
      assertEquals(depot.tryClaim(), undefined);
      await host.end(how, 0);
      assertEquals((await soon(storing, `${how}: room where it had a frame`)).state, "stored");
      assertEquals(reader.tryNext()?.frameNumber, 2, how);
      await assertGivenBack(how, depot, reader, host);
    },
  );
}

endingTest(
  "enqueue that waits goes on when a worker ends, in every way, the slowest reader",
  OPTIONS,
  WAYS,
  async (depot, host, how) => {
    await host.tell(0, { do: "follow", mode: "lossless", frames: 0 });
    await using reader = depot.frames({ timeoutMs: 60_000 });
    for (let n = 1; n <= 4; n++) {
      await depot.enqueue({ frameNumber: n, frame: pixels(n) });
      assertEquals(reader.tryNext()?.frameNumber, n);
    }
    const storing = depot.enqueue({ frameNumber: 5, frame: pixels(5) });
    assertEquals([depot.tryClaim(), depot.stats().slowest?.pid], [undefined, host.child.pid]);
    await host.end(how, 0);
    assertEquals((await soon(storing, `${how}: room that it held up`)).state, "stored");
    assertEquals(reader.tryNext()?.frameNumber, 5, how);
    await assertGivenBack(how, depot, reader, host);
  },
);

endingTest(
  "enqueue that waits goes on when a worker of its own process ends, in every way, the slowest reader",
  { ...OPTIONS, maxSize: 1 },
  WAYS,
  async (depot, host, how) => {
    await host.tell(0, { do: "follow", mode: "lossless", frames: 0 });
    await using reader = depot.frames({ timeoutMs: 60_000 });
    await depot.enqueue({ frame: pixels(1) });
    assertEquals(reader.tryNext()?.data[0], 1);
    await host.tell(undefined, { do: "open", name: depot.name });
    await host.tell(undefined, { do: "begin", what: "enqueue" });
    const waiting = reader.next();
    assertEquals(depot.tryClaim(), undefined);
    await host.end(how, 0);
    assertEquals((await soon(waiting, `${how}: the frame that main stores`)).value?.data[0], 0, how);
    await host.tell(undefined, { do: "close" });
    await assertGivenBack(how, depot, reader, host);
  },
);

for (const wait of WAITS) {
  // A thread that is blocked is told nothing.
  const ways = wait === "nextSync" ? ["terminate" as const] : WAYS;
  endingTest(`${wait} of a worker that ends, in every way, keeps nothing`, OPTIONS, ways, async (depot, host, how) => {
    const full = wait === "enqueue";
    if (full) { for (let n = 0; n < 4; n++) await depot.enqueue({ frame: pixels(n) }); }
    await host.tell(0, { do: "begin", what: wait });
    await sleep(30);
    if (!full) assertEquals(depot.stats().peers.flatMap(({ readers }) => readers).length, 1, how);
    const ending = host.end(how, 0);
    // Deno terminates a worker between two turns of its event loop, and not before.
    if (wait === "nextSync" && HERE === "deno") await depot.enqueue({ frame: pixels(0) });
    await ending;
    await using reader = depot.frames({ timeoutMs: 60_000 });
    if (full) { for (let n = 0; n < 4; n++) assertEquals((await reader.next()).value?.data[0], n, how); }
    while (reader.tryNext() !== undefined);
    await assertGivenBack(how, depot, reader, host);
  });
}

depotTest(
  "FramesDepot is gone when a worker ends, in every way, that was the last to have it",
  async (_, anotherName) => {
    await using host = new WorkersHost();
    for (const how of WAYS) {
      for (const holds of ["nothing", "a frame", "a slot", "a wait"]) {
        const name = anotherName();
        await host.start(0);
        assertEquals(
          await host.tell(0, { do: "create", name, options: { ...OPTIONS, frameSize: [1024, 1024, 1] } }),
          "made",
        );
        const inode = inodeOf(name);
        if (ON_LINUX) assert((await host.counts(inode)).ofFile > 1);
        if (holds === "a frame") {
          await host.tell(0, { do: "enqueue", frameNumber: 1 });
          assertEquals(await host.tell(0, { do: "peek", frameNumber: 1 }), 1);
        }
        if (holds === "a slot") assertEquals(await host.tell(0, { do: "claim", frameNumber: 1 }), 0);
        if (holds === "a wait") await host.tell(0, { do: "begin", what: "next" });
        await host.end(how, 0);
        assertEquals([listed(name), existsSync(pathOf(name))], [false, false], `${how} with ${holds}`);
        if (ON_LINUX) assertEquals((await host.counts(inode)).ofFile, 0, `${how} with ${holds}`);
      }
    }
  },
);

depotTest("FramesDepot is gone when all workers that have it end at once", async (_, anotherName) => {
  await using host = new WorkersHost();
  const workers = [0, 1, 2];
  for (let round = 0; round < 5; round++) {
    const name = anotherName();
    await host.start(...workers);
    await host.tell(0, { do: "create", name, options: OPTIONS });
    for (const worker of workers.slice(1)) await host.tell(worker, { do: "open", name });
    for (const worker of workers) await host.tell(worker, { do: "begin", what: "next" });
    await host.end(WAYS[round % WAYS.length], ...workers);
    assertEquals([listed(name), existsSync(pathOf(name))], [false, false], `round ${round}`);
  }
});

depotTest("frames finds a place when several at once look for what a dead worker had", async (name) => {
  await using _depot = await FramesDepot.create(name, { ...OPTIONS, maxReaders: 4 });
  await using host = new WorkersHost();
  const crowd = [1, 2, 3, 4];
  for (let round = 0; round < 5; round++) {
    await host.start(0, ...crowd);
    await host.tell(0, { do: "open", name });
    for (let reader = 0; reader < 4; reader++) await host.tell(0, { do: "follow", mode: "lossy", frames: 0 });
    await host.do({ host: "tellAll", workers: crowd, order: { do: "open", name } });
    await host.end("terminate", 0);
    const order: Order = { do: "follow", mode: "lossy", frames: 0 };
    const followed = await host.do({ host: "tellAll", workers: crowd, order });
    assertEquals(followed, crowd.map(() => ({ answer: [] })), `round ${round}`);
    await host.end("terminate", ...crowd);
  }
});

/** How the process ends, and its exit code. */
const EXITS = { exit: 7, throw: 1, reject: 1 } as const;

for (const [how, code] of Object.entries(EXITS)) {
  for (const meanwhile of ["wait", "end at that moment"]) {
    depotTest(
      `A process that ends by ${how} while its workers ${meanwhile} keeps its exit code and leaves no name`,
      async (_, anotherName) => {
        for (let run = 0; run < 2; run++) {
          await using host = new WorkersHost();
          const names = [anotherName(), anotherName(), anotherName()];
          await host.start(0, 1, 2);
          await host.tell(undefined, { do: "create", name: names[0], options: OPTIONS });
          await host.tell(0, { do: "open", name: names[0] });
          await host.tell(1, { do: "create", name: names[1], options: OPTIONS });
          await host.tell(2, { do: "create", name: names[2], options: OPTIONS });
          for (const thread of [undefined, 0, 1, 2]) await host.tell(thread, { do: "begin", what: "next" });
          await sleep(run * 7);
          host.send({ host: "exit", how, ending: meanwhile === "wait" ? [] : [0, 1, 2] });
          assertEquals(await host.exit(), code, host.errors);
          assertEquals(names.map((name) => [listed(name), existsSync(pathOf(name))]).flat(), Array(6).fill(false));
        }
      },
    );
  }
}

for (const how of WAYS) {
  depotTest(`A buffer that a worker moved to main is zeros once the worker has ended by ${how}`, async (name) => {
    await using host = new WorkersHost();
    await using depot = await FramesDepot.create(name, OPTIONS);
    await depot.enqueue({ frameNumber: 9, frame: pixels(9) });
    await host.start(0);
    await host.tell(0, { do: "open", name });
    assertEquals(await host.do({ host: "lend", worker: 0, frameNumber: 9 }), 64 * 64);
    assertEquals(await host.do({ host: "look" }), [9, 9, 9]);
    await host.end(how, 0);
    assertEquals(await host.do({ host: "look" }), [0, 0, 0]);
    await using reader = depot.frames({ timeoutMs: 60_000 });
    assertEquals((await reader.next()).value?.frameNumber, 9);
    await assertGivenBack(how, depot, reader, host);
    assertEquals(await host.do({ host: "look" }), [0, 0, 0], "what is written later does not show");
  });
}
