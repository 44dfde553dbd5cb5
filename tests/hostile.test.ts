/**
 * Broken and hostile segments: whatever has a depot's name, opening and using it works or throws a
 * DepotError. 20,000 cases of a fixed seed; `deno task fuzz` runs a million.
 */
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { runCases } from "../tools/fuzz/run.ts";
import { depotTest, HERE, Peer, type Runtime, RUNTIMES, skip } from "./support/harness.ts";
import { NO_FILES } from "./support/windows.ts";

const CASES = 20_000;

depotTest("FramesDepot.open of 20,000 broken segments works or throws a DepotError", async () => {
  if (process.platform !== "linux") return skip("needs Linux, where segments are files that can be broken by hand");
  const seed = Number(process.env.FRAMES_DEPOT_TEST_SEED ?? 20_000);
  const { cases, outcomes, fault } = await runCases({
    runtime: HERE,
    seed,
    from: 0,
    to: CASES,
  });
  assertEquals(fault, undefined);
  assertEquals(cases, CASES);
  // Cases that all end alike would test nothing.
  for (const outcome of ["worked", "CORRUPT", "INCOMPATIBLE", "NOT_READY"]) assert(outcomes[outcome] > 0, outcome);
}, { watchdogMs: 600_000 });

const WHEN_FULL = ["drop", "wait", "overwrite"] as const;

for (const whenFull of WHEN_FULL) {
  const scribbler = RUNTIMES[WHEN_FULL.indexOf(whenFull) % RUNTIMES.length];
  depotTest(
    `FramesDepot survives a peer that scribbles over the hot words of a depot that ${whenFull}s`,
    async (name) => {
      if (process.platform !== "linux") return skip(NO_FILES);
      const peer = (role: string, runtime: Runtime = HERE) =>
        new Peer(runtime, "scribble_peer.ts", { role, name, seconds: 2, whenFull });
      await using maker = peer("produce");
      assertEquals(await maker.line(), { ready: true });
      const readers = RUNTIMES.map((runtime) => peer("read", runtime));
      for (const reader of readers) assertEquals(await reader.line(), { ready: true });
      await using vandal = peer("scribble", scribbler);
      assertEquals(await vandal.line(), { ready: true });
      const peers = [maker, ...readers, vandal];
      for (const peer of peers) peer.send("go");
      for (const peer of peers) {
        assertEquals(await peer.exit(), 0, `${peer.runtime}: ${peer.errors}`);
      }
    },
  );
}
