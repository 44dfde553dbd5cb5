/**
 * The harness that compares peers: what it refuses, what it names, what it leaves behind, and that our peers and those
 * of the runtimes deliver. Nothing is installed.
 *
 * @module
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { blockingDepot, blockingNameOf, broughtBy, depot, FLOOR, nameOf, OURS } from "../bench/peers/built_in.ts";
import { WrongChecksum } from "../bench/peers/child.ts";
import { alternate, compare, rowsOf } from "../bench/peers/compare.ts";
import { type Comparison, HANDOFF, LATENCY, THROUGHPUT } from "../bench/peers/comparisons.ts";
import { orFromDebian } from "../bench/peers/debian.ts";
import { gist } from "../bench/peers/gist.ts";
import { betweenProcesses, C, RUST } from "../bench/peers/handoffs.ts";
import { output } from "../bench/peers/install.ts";
import { install } from "../bench/peers/installed.ts";
import { module } from "../bench/peers/programs.ts";
import { type Measured, type Peer, runOnce } from "../bench/peers/run.ts";
import type { Outcome } from "../bench/peers/task.ts";
import { goalsOf, isMet, type Result } from "../bench/report/result.ts";
import { section } from "../bench/report/table.ts";
import { depotTest, HERE } from "./support/harness.ts";

const RUNTIME = ({ deno: "Deno", bun: "Bun", node: "Node" } as const)[HERE];
const FEW: Measured = { kind: "latency", seconds: 0, frames: 6, warmup: 2 };
const FAULTY = "../../tests/support/bench_peer.ts";

function faulty(fault: string, more: Partial<Peer> = {}): Peer {
  return { what: `one that is ${fault}`, series: "faulty", note: "", receive: module(RUNTIME, FAULTY, fault), ...more };
}

const outcome = (seconds: number): Outcome => ({ frames: 1, seconds, arrivedNs: [], readNs: [] });

for (const peer of [depot(RUNTIME), blockingDepot(RUNTIME), ...broughtBy(RUNTIME)]) {
  depotTest(`runOnce: ${peer.what} delivers every frame as it was written`, async () => {
    const { frames, seconds, arrivedNs, readNs } = await runOnce(peer, FEW);
    assert(frames > 0 && seconds > 0);
    assertEquals([arrivedNs.length, readNs.length], [FEW.frames, FEW.frames]);
    for (const [at, arrived] of arrivedNs.entries()) assert(0 < arrived && arrived < readNs[at]);
  });
}

depotTest("runOnce: ours hands a frame to and fro, as many times in a batch as asked for", async () => {
  const ours = betweenProcesses().peers.find(({ what }) => what === nameOf(RUNTIME))!;
  const { frames, seconds } = await runOnce(ours, { kind: "handoff", seconds: 0, frames: 200, warmup: 20 });
  assertEquals(frames, 2 * 20);
  assert(seconds > 0);
});

depotTest("runOnce refuses a frame of which one byte is wrong, and one that is too short", async () => {
  await runOnce(faulty("nothing"), FEW);
  for (const fault of ["torn", "short"]) {
    const error = await assertRejects(() => runOnce(faulty(fault), FEW), WrongChecksum);
    assertMatch(error.message, new RegExp(`^one that is ${fault}: .*wrong checksum: frame`, "s"));
  }
});

depotTest("runOnce names the checksum when the other side has failed first", async () => {
  const peer = faulty("both", {
    receive: module(RUNTIME, FAULTY, "both", "receive"),
    send: module(RUNTIME, FAULTY, "both", "send"),
  });
  await assertRejects(() => runOnce(peer, FEW), WrongChecksum, "frame 2 instead of 1");
});

/** Gives processes that wait for ever a folder, in which each leaves its process id. */
async function withHanging(use: (env: Record<string, string>, pids: () => number[]) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
  try {
    await use({ FRAMES_DEPOT_TEST_MARKS: folder }, () => readdirSync(folder).map(Number));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function assertGone(pid: number): Promise<void> {
  // The messages of Deno and Bun differ; both say that there is no such process.
  const error = await assertRejects(async () => await Promise.resolve(process.kill(pid, 0)), Error);
  assertStringIncludes(`${(error as { code?: string }).code} ${error.message}`, "ESRCH");
}

depotTest(
  "runOnce names a peer that dies, with its error message, and ends the other side",
  () =>
    withHanging(async (env, pids) => {
      const dies = faulty("dies", { send: module(RUNTIME, FAULTY, "hangs", "send"), env });
      const error = await assertRejects(() => runOnce(dies, FEW), Error, "one that is dies: ended with 1");
      assertStringIncludes(error.message, "out of frames");
      for (const pid of pids()) await assertGone(pid);
    }),
);

depotTest("runOnce names a peer that says nothing, and one that is not there", async () => {
  await assertRejects(() => runOnce(faulty("silent"), FEW), Error, "one that is silent: ended without an answer");
  const absent = faulty("absent", { receive: ["./no-such-program"] });
  await assertRejects(() => runOnce(absent, FEW), Error, "no-such-program");
});

depotTest(
  "runOnce ends a peer that hangs, and leaves neither its processes nor its folder",
  () =>
    withHanging(async (env, pids) => {
      let folder = "";
      const [receive, send] = ["receive", "send"].map((role) => module(RUNTIME, FAULTY, "hangs", role));
      const hangs = faulty("hangs", { env, receive, send, prepare: (task) => void (folder = task.folder) });
      // Long enough for two runtimes to start; the awaited frame never comes.
      await assertRejects(() => runOnce(hangs, FEW, 8000), Error, "one that is hangs: hung");
      assertEquals(pids().length, 2);
      for (const pid of pids()) await assertGone(pid);
      assert(folder !== "" && !existsSync(folder));
    }),
);

depotTest("alternate leaves out a peer that fails; a wrong checksum or a failure of ours ends it", async () => {
  const good = faulty("nothing");
  const turns: string[] = [];
  const { outcomes, failed } = await alternate([faulty("silent"), good], FEW, {
    runs: 2,
    tell: (turn) => turns.push(turn),
  });
  assertEquals([...outcomes.keys()], [good]);
  assertEquals(outcomes.get(good)!.length, 2);
  assertEquals(failed, [{ what: "one that is silent", reason: "ended without an answer" }]);
  assertEquals(turns.filter((turn) => turn.includes("silent")).length, 1);
  await assertRejects(() => alternate([good, faulty("torn")], FEW, { runs: 1 }), WrongChecksum);
  await assertRejects(
    () => alternate([faulty("silent", { series: OURS }), good], FEW, { runs: 1 }),
    Error,
    "without an answer",
  );
});

test("install names the peers that cannot be installed, says why, and goes on", () => {
  const { peers, missing } = install([
    { what: "absent", install: () => ({ series: "", note: output("asking it", ["no-such-program"]), receive: [] }) },
    {
      what: "failing",
      install: () => ({ series: "", note: output("asking it", ["sh", "-c", "echo no disk >&2; exit 3"]), receive: [] }),
    },
    { what: "present", install: () => ({ series: "", note: output("asking it", ["echo", "here"]), receive: [] }) },
  ]);
  assertEquals(peers.map(({ what, note }) => [what, note]), [["present", "here"]]);
  assertEquals(missing, [
    { what: "absent", reason: "asking it: no-such-program is not installed" },
    { what: "failing", reason: "asking it: sh failed: no disk" },
  ]);
});

test("orFromDebian finds what is there, and says why where nothing can be installed", () => {
  assertEquals(orFromDebian(() => "here", ["nothing"]), "here");
  const path = process.env.PATH;
  process.env.PATH = "/nonexistent";
  try {
    const find = () => output("looking for it", ["no-such-program"]);
    const reason = "looking for it: no-such-program is not installed; a-package: there is no apt-get here";
    assertThrows(() => orFromDebian(find, ["a-package"]), Error, reason);
  } finally {
    process.env.PATH = path;
  }
});

test("gist is the line that says what went wrong, without folders of this machine", () => {
  const file = fileURLToPath(new URL("../bench/peers/seed.py", import.meta.url));
  assertEquals(
    gist(`ended with 1: Traceback:\n  File "x"\nValueError: no ${file}\n`),
    "ValueError: no bench/peers/seed.py",
  );
  assertEquals(gist("ended with 1: 77 | const a\n\nerror: gone\n      at a.ts:3\n"), "error: gone");
  assertEquals(gist("E: no such package\n"), "E: no such package");
  assertEquals(gist("\n"), "no reason given");
});

depotTest("compare puts peers that are missing, and those that failed, into the report", async () => {
  const comparison: Comparison = { ...LATENCY, measured: FEW, against: () => ({}) };
  const missing = [{ what: "absent", reason: "no package has it" }];
  const session = { command: "deno task bench:peers", versions: { redis: "7" }, prefix: "test_" };
  const peers = [faulty("nothing"), faulty("silent")];
  const results = await compare(comparison, { peers, missing }, session, { runs: 1 });
  assertEquals(results.map(({ question }) => question), comparison.shown.map(({ question }) => `test_${question}`));
  for (const result of results) {
    assertEquals(result.rows.map(({ what }) => what), ["one that is nothing"]);
    const text = section(result);
    assertStringIncludes(text, "- Not measured: absent. no package has it\n- Not measured: one that is silent. ended");
    assertStringIncludes(text, "redis 7");
  }
});

const peer = (what: string, series: string, more: Partial<Peer> = {}): Peer => ({
  what,
  series,
  note: "",
  receive: [],
  ...more,
});
const rows = (comparison: Comparison, found: [Peer, number[]][]) =>
  rowsOf(
    new Map(found.map(([peer, seconds]) => [peer, seconds.map(outcome)])),
    comparison.shown[0],
    comparison.against,
  );

test("rowsOf puts a peer beside ours in the same runtime, one of another language beside the slower of ours", () => {
  const found = rows(THROUGHPUT, [
    [peer(nameOf("Deno"), OURS), [1 / 200]],
    [peer(nameOf("Bun"), OURS), [1 / 100]],
    [peer(blockingNameOf("Deno"), OURS), [1 / 180]],
    [peer(blockingNameOf("Bun"), OURS), [1 / 170]],
    [peer("socket, Deno", "socket", { against: nameOf("Deno") }), [1 / 150, 1 / 140, 1 / 190]],
    [peer("a library", "GStreamer"), [1 / 175]],
    [peer("no runtime", FLOOR), [1 / 400]],
    [peer("Redis list, Deno", "Redis"), [1 / 150]],
  ]);
  assertEquals(found.map(({ value, baseline }) => [Math.round(value), baseline]), [
    [200, nameOf("Bun")],
    [100, undefined],
    [180, nameOf("Bun")],
    [170, nameOf("Bun")],
    [150, nameOf("Deno")],
    [175, blockingNameOf("Bun")],
    [400, blockingNameOf("Bun")],
    [150, nameOf("Bun")],
  ]);
  const result: Result = { ...THROUGHPUT.shown[0], command: "", date: "", machine: undefined!, rows: found };
  const met = found.map((row) => goalsOf(row).map((goal) => isMet(result, row, goal)));
  assertEquals(met, [[], [], [], [], [true], [false], [], [false]]);
});

test("rowsOf puts the hand-off beside iceoryx2 in Rust, beside C where that is missing, and then has no goal", () => {
  const [rust, c, ours] = [peer(RUST, "iceoryx2"), peer(C, "C"), peer(nameOf("Deno"), OURS)];
  const wanted = (found: [Peer, number[]][]) => rows(HANDOFF, found).map(({ baseline, goal }) => [baseline, goal]);
  assertEquals(wanted([[rust, [1]], [c, [1]], [ours, [2]]]), [[undefined, undefined], [RUST, undefined], [
    RUST,
    "<= 3x",
  ]]);
  assertEquals(wanted([[c, [1]], [ours, [2]]]), [[undefined, undefined], [C, undefined]]);
  assertEquals(wanted([[ours, [2]]]), [[undefined, undefined]]);
});
