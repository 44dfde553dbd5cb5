/**
 * Processes and workers of all runtimes that end at every step of the protocol and at random moments, while others go
 * on: nothing torn, lost, doubled or left behind, and nothing hangs. A short version of `deno task chaos`, which says
 * more.
 */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import process from "node:process";
import { FramesDepot, type WhenFull } from "../mod.ts";
import type { Entry } from "../tools/chaos/ledger.ts";
import { chaosRun } from "../tools/chaos/run.ts";
import { takingRun } from "../tools/chaos/taking.ts";
import { depotTest, RUNTIMES } from "./support/harness.ts";

/** Steps that processes reach in every run; the others (D2, W1, skip, ...) depend on what other processes do. */
const SURE_STEPS = "C3 C6 C7 C8 C9 C10 C11 R1 R4 R5 R6 J1 J2 J3 J4 L1 P1 P2 join.lock join.id".split(" ");

/** Steps at which workers end in every run, in one runtime or the other. */
const SURE_STEPS_OF_WORKERS = "C8 R4 J1 J2 J3 J4 L1 P1 P2 join.lock join.id".split(" ");

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

depotTest("FramesDepot.list shows nothing of runs that are over", () => {
  const own = FramesDepot.list().filter(({ name }) => name.startsWith(`chaos-${process.pid}-`));
  assertEquals(own, []);
});
