/**
 * A short version of `deno task chaos:sharing`: members of a group in all runtimes die at random moments and at named
 * steps of the protocol, while the others go on.
 */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import process from "node:process";
import { sharingRun } from "../tools/chaos/sharing.ts";
import { depotTest, skip } from "./support/harness.ts";

const FRAMES = 4000;

depotTest(
  `frames({ group }) has ${FRAMES} frames worked on once each, or again and marked, while members die`,
  async () => {
    if (process.platform !== "linux") return skip("needs Linux");
    const seed = Number(process.env.FRAMES_DEPOT_TEST_SEED ?? Math.floor(Math.random() * 0x7fffffff));
    const { wrong, deaths } = await sharingRun({ frames: FRAMES, seed, deaths: 10 });
    assertEquals(wrong, [], `seed ${seed}`);
    assertGreaterOrEqual(deaths, 9);
  },
  { watchdogMs: 240_000 },
);
