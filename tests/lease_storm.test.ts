/**
 * Random operations on leases, beside a process of the other runtime: after each step every byte of all that is held is
 * looked at. A short version of `deno task leases`, which says more, and whose `--mutations` proves that it can fail.
 */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import process from "node:process";
import { leaseRun } from "../tools/leases/run.ts";
import { depotTest, HERE } from "./support/harness.ts";

const FRAMES = 1500;
const given = process.env.FRAMES_DEPOT_TEST_SEED;

depotTest("Frame shows its own bytes and no other's whatever is done with leases, buffers and depots", async () => {
  const seed = given === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(given);
  const { counts, wrong } = await leaseRun({ runtime: HERE, frames: FRAMES, seed });
  assertEquals(wrong, [], `seed ${seed}`);
  assertGreaterOrEqual(counts.leased, FRAMES);
}, { watchdogMs: 600_000 }); // it has a watchdog of its own, which looks at what goes on
