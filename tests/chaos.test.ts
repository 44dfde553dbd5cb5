/**
 * Processes and workers of both runtimes that end at every step of the protocol and at random moments, while others go
 * on: nothing torn, lost, doubled or left behind, and nothing hangs. A short version of `deno task chaos`, which says
 * more.
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import process from "node:process";
import { FramesDepot, type WhenFull } from "../mod.ts";
import type { Entry } from "../tools/chaos/ledger.ts";
import { chaosRun } from "../tools/chaos/run.ts";
import { takingRun } from "../tools/chaos/taking.ts";
import { tracedLibrary } from "../tools/chaos/steps.ts";
import { depotTest, HERE, Peer, type Runtime, RUNTIMES } from "./support/harness.ts";

/** Steps that processes reach in every run; the others (D2, W1, skip, ...) depend on what other processes do. */
const SURE_STEPS = "C3 C6 C7 C8 C9 C10 C11 R1 R4 R5 R6 J1 J2 J3 J4 L1 P1 P2 join.lock join.id".split(" ");

/** Steps at which workers end in every run, in one runtime or the other. */
const SURE_STEPS_OF_WORKERS = "C8 R4 J1 J2 J3 J4 L1 P1 P2 join.lock join.id".split(" ");

const env = { FRAMES_DEPOT_LIB: tracedLibrary() };
const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function chaos(whenFull: WhenFull, kills: number, eachStep: boolean) {
  const seed = Math.floor(Math.random() * 0x7fffffff);
  return chaosRun({ whenFull, maxSize: 8, kills, seconds: 60, seed, eachStep }).then((ledger) => {
    assertEquals(ledger.wrong, [], `seed ${seed}`);
    return ledger;
  });
}

depotTest("FramesDepot survives a kill of a process or a worker at every step, and many at random, wait", async () => {
  const ledger = await chaos("wait", 300, true);
  assertGreaterOrEqual(ledger.kills, 100);
  const stepsOf = (deaths: Entry[]) => new Set(deaths.map(({ at }) => at));
  const steps = stepsOf(ledger.deaths.filter(({ kind }) => kind !== "worker"));
  for (const step of SURE_STEPS) assert(steps.has(step), `no process died at ${step}`);
  const stepsOfWorkers = stepsOf(ledger.workers);
  for (const step of SURE_STEPS_OF_WORKERS) assert(stepsOfWorkers.has(step), `no worker ended at ${step}`);
  for (const runtime of RUNTIMES) {
    assert(ledger.workers.some((worker) => worker.runtime === runtime && worker.way !== "with its process"), runtime);
  }
  assert([...stepsOfWorkers].some((step) => step.startsWith("end.")), "no process died while its worker ended");
  assert(ledger.deaths.some(({ role, at }) => role === "recoverer" && (at === "P1" || at === "P2")));
});

for (const whenFull of ["drop", "overwrite"] as const) {
  depotTest(`FramesDepot survives many kills at random, ${whenFull}`, async () => {
    assertGreaterOrEqual((await chaos(whenFull, 60, false)).kills, 60);
  });
}

depotTest("FramesDepot survives kills at every step of ending a depot and of taking its name", async () => {
  const seed = Math.floor(Math.random() * 0x7fffffff);
  const ledger = await takingRun({ kills: 150, seconds: 60, seed, eachStep: true });
  assertEquals(ledger.wrong, [], `seed ${seed}`);
  const steps = new Set(ledger.deaths.map(({ at }) => at));
  for (const step of ["N1", "T2", "T3a", "T3", "T4", "T5"]) assert(steps.has(step), `no process died at ${step}`);
  assertGreaterOrEqual(ledger.read, 100);
});

// A queue with enough room that no producer ever looks for dead peers: the reader has to.
const ROOMY = { frameSize: [16, 4, 1], maxSize: 1000 } as const;

for (const whenFull of ["drop", "wait", "overwrite"] as const) {
  for (const step of ["C8", "C10"]) {
    for (const how of ["next", "tryNext"] as const) {
      depotTest(
        `FrameReader.${how} passes a producer that died after ${step} while another goes on, ${whenFull}`,
        async (name) => {
          await using depot = await FramesDepot.create(name, { ...ROOMY, whenFull });
          await using producer = await FramesDepot.open(name);
          const reader = depot.frames({ timeoutMs: 5000 });
          await using victim = new Peer(OTHER, "chaos_victim.ts", { name, step }, { env });
          assertEquals(await victim.exit(), -2, victim.errors);
          let last = -1;
          let done = false;
          const reading = (async () => {
            while (last < 2) {
              const frame = how === "next" ? (await reader.next()).value : reader.tryNext();
              if (frame !== undefined) last = frame.frameNumber;
              else if (done || reader.released) break;
              else await sleep(5);
            }
          })();
          const frame = new Uint8Array(depot.frameBytes);
          let stored = 2;
          for (; last < 2 && stored < ROOMY.maxSize / 2; stored++) {
            await producer.enqueue({ frameNumber: stored, frame });
            await sleep(10);
          }
          done = true;
          await reading;
          assertEquals(last, 2, `${stored - 2} frames were stored meanwhile`);
        },
      );
    }
  }
}

for (const mode of ["lossy", "latest", "lossless"] as const) {
  depotTest(`FrameReader goes on past a claim that stands still in an overwriting depot, ${mode}`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [4, 4, 1], maxSize: 4, whenFull: "overwrite" });
    await using producer = await FramesDepot.open(name);
    const reader = depot.frames({ mode });
    const frame = new Uint8Array(depot.frameBytes);
    await producer.enqueue({ frameNumber: 0, frame });
    assertEquals(reader.tryNext()?.frameNumber, 0);
    using _claim = depot.tryClaim({ frameNumber: 1 });
    for (let frameNumber = 2; frameNumber < 50; frameNumber++) await producer.enqueue({ frameNumber, frame });
    assertGreaterOrEqual(reader.tryNext()?.frameNumber ?? -1, 45);
  });
}

depotTest("FramesDepot.list shows nothing of runs that are over", () => {
  const own = FramesDepot.list().filter(({ name }) => name.startsWith(`chaos-${process.pid}-`));
  assertEquals(own, []);
});
