/**
 * Frames between processes, in every pairing of the runtimes and under every policy: none torn, none twice, in order,
 * and every one accounted for.
 */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { FramesDepot, type ReadMode, type WhenFull } from "../mod.ts";
import { depotTest, HERE, Peer, type Runtime, RUNTIMES, STARTED } from "./support/harness.ts";
import type { ProducerReport, ProducerTask } from "./support/producer_peer.ts";
import type { ReaderReport, ReaderTask } from "./support/reader_peer.ts";
import { END } from "./support/stamp.ts";

const POLICIES: WhenFull[] = ["drop", "wait", "overwrite"];
const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";

/** How one run is put together. */
type Run = {
  whenFull: WhenFull;
  producers: Runtime[];
  readers: [runtime: Runtime, mode: ReadMode][];
  frames: number;
  claimEvery?: number;
  pixels?: number;
};

type Outcome = { produced: ProducerReport[]; readers: ReaderReport[]; stats: ReturnType<FramesDepot["stats"]> };

/** Starts the readers, then the producers; when these have ended one last frame tells the readers. */
async function run(name: string, { whenFull, producers, readers, frames, claimEvery = 0, pixels = 64 }: Run) {
  await using depot = await FramesDepot.create(name, { frameSize: [pixels, 4, 1], maxSize: 16, whenFull });
  const peers: Peer[] = [];
  try {
    const reading = readers.map(([runtime, mode]) => {
      const task: ReaderTask = { name, mode, producers: producers.length };
      return new Peer(runtime, "reader_peer.ts", task);
    });
    peers.push(...reading);
    for (const reader of reading) assertEquals(await reader.line(), { ready: true });
    const producing = producers.map((runtime, producer) => {
      const task: ProducerTask = { name, producer, producers: producers.length, frames, claimEvery };
      return new Peer(runtime, "producer_peer.ts", task);
    });
    peers.push(...producing);
    const produced = await Promise.all(producing.map((peer) => peer.line<ProducerReport>()));
    const last = { frameNumber: END, frame: new Uint8Array(depot.frameBytes) };
    while (depot.tryEnqueue(last) === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    const reports = await Promise.all(reading.map((peer) => peer.line<ReaderReport>()));
    for (const peer of peers) assertEquals(await peer.exit(), 0, peer.errors);
    return { produced, readers: reports, stats: depot.stats() } satisfies Outcome;
  } finally {
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  }
}

/** What holds of every run. */
function check({ whenFull, producers, readers, frames }: Run, { produced, readers: reports, stats }: Outcome): void {
  const stored = produced.reduce((sum, report) => sum + report.stored, 0);
  for (const report of produced) assertEquals(report.stored + report.dropped, frames, "stored + dropped");
  assertEquals(stats.stored, stored + 1, "the segment's own count, with the last frame");
  assertEquals(stats.dropped >= 0, true);
  reports.forEach((report, index) => {
    assertEquals(report.flaws, []);
    assertEquals(report.disorder, 0, "out of order or twice");
    assertEquals(report.read + report.lost, stored, `read + lost of reader ${index}, ${readers[index][1]}`);
    if (readers[index][1] === "lossless" && whenFull !== "overwrite") {
      assertEquals(report.by, produced.map((report) => report.stored), "by producer");
      assertEquals(report.lost, 0);
    }
  });
  if (whenFull === "wait") assertEquals(stored, frames * producers.length, "nothing is dropped by a depot that waits");
  if (whenFull === "overwrite") assertEquals(stored, frames * producers.length);
}

for (const whenFull of POLICIES) {
  for (const producer of STARTED) {
    for (const reader of RUNTIMES) {
      // The long run is the one between runtimes that starts here; the other test process has the other one.
      const frames = producer === HERE && reader === OTHER ? 100_000 : 20_000;
      depotTest(`FramesDepot carries ${frames} frames from ${producer} to ${reader}, ${whenFull}`, async (name) => {
        const plan: Run = { whenFull, producers: [producer], readers: [[reader, "lossless"]], frames };
        const outcome = await run(name, plan);
        check(plan, outcome);
        assertGreaterOrEqual(outcome.readers[0].read, 1);
      });
    }
  }
  depotTest(`FramesDepot serves two producers and two readers at once, ${whenFull}`, async (name) => {
    const plan: Run = {
      whenFull,
      producers: [HERE, OTHER],
      readers: [[HERE, "lossless"], [OTHER, "lossless"]],
      frames: 20_000,
    };
    check(plan, await run(name, plan));
  });

  depotTest(`FramesDepot lets a lossy reader account for every frame, ${whenFull}`, async (name) => {
    const plan: Run = { whenFull, producers: [OTHER], readers: [[HERE, "lossy"], [OTHER, "latest"]], frames: 20_000 };
    // While no lossless reader is attached nothing is consumed: one has to be there for a depot that waits.
    if (whenFull !== "overwrite") plan.readers.push([HERE, "lossless"]);
    check(plan, await run(name, plan));
  });
}

depotTest("FramesDepot carries claimed slots and survives claims given back", async (name) => {
  const plan: Run = {
    whenFull: "wait",
    producers: [HERE, OTHER],
    readers: [[HERE, "lossless"], [OTHER, "lossless"]],
    frames: 5_000,
    claimEvery: 3,
  };
  check(plan, await run(name, plan));
});

depotTest("FramesDepot carries large frames untorn while they are overwritten", async (name) => {
  const plan: Run = {
    whenFull: "overwrite",
    producers: [HERE, OTHER],
    readers: [[HERE, "lossy"], [OTHER, "latest"]],
    frames: 500,
    pixels: 50_000,
  };
  check(plan, await run(name, plan));
});
