/**
 * `bench`: three figures beside their floors, and nothing left behind.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { Cli, runCli } from "./support/cli.ts";
import { depotTest } from "./support/harness.ts";

type Line = {
  what: string;
  depot: { p50: number; count: number };
  floor: { p50: number; count: number };
  ratio: number;
};

const benches = () => FramesDepot.list().filter(({ name }) => name.startsWith("bench-")).map(({ name }) => name);

depotTest("bench measures copy, hand-off and wake, each beside its floor", async () => {
  const { code, out, errors } = await runCli(["bench", "--seconds", "1", "--json"]);
  assertEquals(code, 0, errors);
  const lines: Line[] = JSON.parse(out).lines;
  assertEquals(lines.map(({ what }) => what), ["copy", "hand-off", "wake"]);
  for (const { what, depot, floor, ratio } of lines) {
    assert(depot.p50 > 0 && depot.count > 0 && floor.p50 > 0 && floor.count > 0, out);
    assertEquals(ratio, what === "copy" ? floor.p50 / depot.p50 : depot.p50 / floor.p50);
  }
});

depotTest("bench ends its processes and removes its depots when it is interrupted", async () => {
  await using bench = new Cli(["bench", "--seconds", "60"]);
  const own = `bench-${bench.child.pid}`;
  while (!benches().some((name) => name.startsWith(own))) await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(bench.child.pid!, "SIGINT");
  const { code, out } = await bench.answer();
  assertEquals([code, out], [130, ""]);
  assertEquals(benches().filter((name) => name.startsWith(own)), []);
});

depotTest("bench ends, and so does its other process, when either is killed while both poll", async () => {
  for (const victim of ["other", "bench"]) {
    await using bench = new Cli(["bench", "--seconds", "6"]);
    const name = `bench-${bench.child.pid}-spin-there`;
    await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
    const others = () => depot.stats().peers.filter(({ pid, self }) => !self && pid !== bench.child.pid);
    while (others().length === 0 || depot.stats().head < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const other = others()[0].pid;
    process.kill(victim === "other" ? other : bench.child.pid!, "SIGKILL");
    const { code, errors } = await bench.answer();
    if (victim === "other") assertEquals([code, errors.includes("the other process of bench ended early")], [1, true]);
    while (depot.stats().peers.some(({ self, alive }) => !self && alive)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});

depotTest("bench prints a table that says what the floors are", async () => {
  const { out } = await runCli(["bench", "--seconds", "0"]);
  assertMatch(out, /^copy +\S+ GB\/s +\S+ GB\/s +[\d.]+ +TypedArray.set/m);
  assertMatch(out, /^wake .*Atomics\.wait$/m);
});
