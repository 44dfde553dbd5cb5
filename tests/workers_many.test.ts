/**
 * Many workers that end, one after the other and at once: what their process has open stays what it was, and it goes
 * on. FRAMES_DEPOT_TEST_RUNS says how many are terminated while they sleep.
 */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import process from "node:process";
import { LIBRARY_VARIABLE, loadShim } from "../ffi/load.ts";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { depotTest, HERE, Peer, skip } from "./support/harness.ts";
import { WAYS } from "./support/workers.ts";
import { WorkersHost } from "./support/workers_host.ts";

const RUNS = Number(process.env.FRAMES_DEPOT_TEST_RUNS ?? 100);
const OPTIONS: DepotOptions = { frameSize: [64, 64, 1], maxSize: 4, whenFull: "overwrite", maxReaders: 31 };
/** Threads and files can be seen here only. */
const ON_LINUX = process.platform === "linux";

const pixels = (value: number) => new Uint8Array(64 * 64).fill(value);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something that cannot be waited for is so. @returns what it is in the end */
async function eventually<T>(look: () => Promise<T>, isIt: (value: T) => boolean): Promise<T> {
  for (let tries = 0;; tries++) {
    const value = await look();
    if (isIt(value) || tries === 100) return value;
    await sleep(20);
  }
}

/** Descriptors that Deno opens once, at some later worker. One lost by one of the ways to end would make seven. */
const OF_RUNTIME = 4;

depotTest("FramesDepot keeps what it has open flat while 35 workers end one after the other", async (name) => {
  if (!ON_LINUX) return skip("needs Linux: it looks into /proc");
  await using host = new WorkersHost();
  await using depot = await FramesDepot.create(name, OPTIONS);
  await host.tell(undefined, { do: "open", name });
  const one = async (at: number) => {
    await host.start(at);
    await host.tell(at, { do: "open", name });
    await depot.enqueue({ frameNumber: at, frame: pixels(at) });
    if (at % 3 === 0) await host.tell(at, { do: "follow", mode: "lossless", frames: 1 });
    if (at % 3 === 1) await host.tell(at, { do: "begin", what: "next" });
    if (at % 3 === 2) assertEquals(await host.tell(at, { do: "peek", frameNumber: at }), at);
    await host.end(WAYS[at % WAYS.length], at);
  };
  const opened = async () => ({ ...await host.counts(), peers: depot.stats().peers.length });
  for (let at = 0; at < 5; at++) await one(at); // the runtime's own threads and files
  const before = await opened();
  for (let at = 5; at < 40; at++) await one(at);
  const after = await eventually(opened, ({ descriptors }) => descriptors <= before.descriptors + OF_RUNTIME);
  assertEquals([after.peers, before.peers], [2, 2]);
  assertEquals(after.mappings, before.mappings);
  assertLessOrEqual(after.descriptors, before.descriptors + OF_RUNTIME, "descriptors");
  assertLessOrEqual(after.threads, before.threads + 3, "threads"); // of the runtime, which has some at its need
});

for (
  const [title, loaded, atOnce] of [
    ["FramesDepot survives workers that are terminated while they sleep", false, 3],
    ["FramesDepot, loaded in main too, survives ten workers at once that are terminated while they sleep", true, 10],
  ] as const
) {
  depotTest(title, async (name) => {
    await using host = new WorkersHost();
    await using depot = await FramesDepot.create(name, OPTIONS);
    if (loaded) {
      await host.tell(undefined, { do: "open", name });
      await host.tell(undefined, { do: "begin", what: "next" });
    }
    let raging = true;
    const storm = host.do({ host: "storm", name, workers: RUNS, atOnce }).finally(() => raging = false);
    const frame = pixels(1);
    while (raging) {
      await depot.enqueue({ frame });
      await sleep(Math.random() * 2);
    }
    assertEquals(await storm, RUNS, `messages that were posted right after new Worker() and arrived; ${host.errors}`);
    assertEquals(depot.stats().peers.length, loaded ? 2 : 1);
  }, { watchdogMs: 60_000 + RUNS * 600 });
}

depotTest("loadShim leaves no descriptor open, but one on musl, and workers share one library", async (name) => {
  if (!ON_LINUX) return skip("needs Linux: it looks into /proc");
  const isMusl = loadShim().source.includes("musl");
  await using host = new WorkersHost({ env: { [LIBRARY_VARIABLE]: undefined } });
  assertEquals((await host.counts()).libraries, 0, "importing loads nothing");
  const workers = [0, 1, 2, 3, 4, 5];
  await host.start(...workers);
  await using _depot = await FramesDepot.create(name, OPTIONS);
  await Promise.all(workers.map((worker) => host.tell(worker, { do: "open", name })));
  await host.tell(undefined, { do: "open", name });
  const { libraries, libraryFiles } = await host.counts();
  assertEquals({ libraries, libraryFiles }, { libraries: 1, libraryFiles: isMusl ? 1 : 0 });
  await host.end("terminate", ...workers);
  assertEquals((await host.counts()).libraries, 1, HERE);
});

// In Node one of ten such workers once crashed its process.
depotTest("A process survives workers that are terminated while they fill a depot", async (name) => {
  const peer = new Peer(HERE, "terminating_peer.ts", { name, workers: 25 });
  assertEquals([await peer.line(), await peer.exit(), peer.errors], [{ terminated: 25 }, 0, ""]);
});
