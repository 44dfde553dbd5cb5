/**
 * What `deno task test` and `deno task platforms` make of what their runners print: counts, faults, a table. And which
 * files they run where.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { addFile, emptyRow, faultsOf, partLine, skipLine, tableOf } from "../tools/support/results.ts";
import { AT_ONCE, type Job, jobsOf, type Outcome, ranOnce, runJobs, testFiles } from "../tools/support/suite.ts";

const newRow = () => emptyRow("musl", "bun");

test("addFile counts what Bun, Deno and Node print, and takes reasons from what tests say", () => {
  const row = newRow();
  addFile(row, "a", `${skipLine("a: b", "it is v26")}\n(skip) a: b\n 12 pass\n 1 skip\n 0 fail\nRan 12 tests`, 0);
  addFile(row, "b", "\x1b[0m\x1b[32mok\x1b[0m | 30 passed (4 steps) | 0 failed | 2 ignored (1s)\n", 0);
  addFile(row, "c", "ℹ tests 9\nℹ pass 5\nℹ fail 1\nℹ cancelled 2\nℹ skipped 1\nℹ todo 0\n", 1);
  assertEquals([row.files, row.passed, row.failed, row.skipped], [3, 47, 3, 4]);
  assertEquals(row.skips, [{ what: "a: b", reason: "it is v26" }]);
  assertEquals(faultsOf(row), [
    "3 tests failed",
    "files that failed: c (exit code 1)",
    "3 tests are skipped without a reason",
  ]);
});

test("addFile counts a test as skipped, not as passed, that says so while it runs, and one that leaves out a part", () => {
  const row = newRow();
  addFile(row, "a", `${skipLine("a", "no root")}\n${partLine("b: a fork", "no cc")}\n 3 pass\n 0 fail\n`, 0);
  assertEquals([row.passed, row.skips, row.parts], [
    2,
    [{ what: "a", reason: "no root" }],
    [{ what: "b: a fork", reason: "no cc" }],
  ]);
  assertEquals(faultsOf(row), []);
});

test("faultsOf names failed tests, processes that break, and a row where nothing passed", () => {
  const failed = newRow();
  addFile(failed, "a", " 3 pass\n 1 fail\n", 1);
  assertEquals(faultsOf(failed), ["1 tests failed", "files that failed: a (exit code 1)"]);
  const killed = newRow();
  addFile(killed, "a", "", null);
  addFile(killed, "b", "", "SIGSEGV");
  assertEquals(faultsOf(killed), ["files that failed: a (not ended in time), b (ended by SIGSEGV)", "nothing passed"]);
  const silent = newRow();
  addFile(silent, "a", " 1 pass\n", 0);
  silent.skips.push({ what: "b", reason: " " });
  assertEquals(faultsOf(silent), ["b is skipped without a reason"]);
});

test("tableOf has a line a row, and below it what was skipped for each reason", () => {
  const row = newRow();
  addFile(row, "a", ` 3 pass\n 0 fail\n${partLine("d", "it is old")}\n`, 0);
  row.skips.push({ what: "b", reason: "it is slow" }, { what: "c", reason: "it is slow" });
  const text = tableOf([row, newRow()]);
  const twice = tableOf([row, { ...row, runtime: "node" }]);
  assertEquals(twice.match(/^musl, bun; musl, node: skipped, it is slow: b; c$/gm)?.length, 1);
  assertStringIncludes(text, "musl    bun      1      3       0       2        ok\n");
  assertStringIncludes(text, "musl, bun: skipped, it is slow: b; c\n");
  assertStringIncludes(text, "musl, bun: not tried, it is old: d\n");
  assertStringIncludes(text, "musl, bun: failed: nothing passed");
});

test("jobsOf has every file for every runtime, apart from what is run in Deno alone, of which ranOnce tells", () => {
  const all = testFiles(["tests"]);
  assert(all.length > 100 && all.includes("tests/results.test.ts"));
  const jobs = jobsOf(["tests/queue.test.ts", "tests/words.test.ts"], true);
  assertEquals(jobs.map(({ file, runtime }) => `${file} ${runtime}`), [
    "tests/queue.test.ts deno",
    "tests/queue.test.ts bun",
    "tests/queue.test.ts node",
    "tests/words.test.ts deno",
  ]);
  for (const whole of [true, false]) {
    const once = ranOnce(all, whole).flatMap((line) => /: (.*)$/.exec(line)![1].split(", "));
    assertEquals(once.includes("words"), true);
    assertEquals(once.includes("cli_video_versions"), !whole);
    assertEquals(jobsOf(all, whole).length, 3 * all.length - 2 * once.length);
  }
});

test("runJobs runs as many files beside each other as it should, and gives each result to the row of its runtime", async () => {
  const jobs: Job[] = [];
  for (const file of ["a", "b", "c"]) for (const runtime of ["bun", "node"] as const) jobs.push({ file, runtime });
  let beside = 0;
  const most: number[] = [];
  const run = async ({ file, runtime }: Job): Promise<Outcome> => {
    most.push(++beside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    beside--;
    if (file === "b" && runtime === "node") return { output: "", code: null, signal: "SIGSEGV", seconds: 1 };
    return { output: "ℹ pass 2\n", code: 0, signal: null, seconds: 1 };
  };
  const told: string[] = [];
  const rows = await runJobs("here", jobs, run, ({ file, runtime }) => told.push(`${file} ${runtime}`));
  assertEquals([Math.max(...most), told.length], [Math.min(AT_ONCE, 6), 6]);
  assertEquals(rows.map(({ runtime, files, passed }) => [runtime, files, passed]), [["bun", 3, 6], ["node", 3, 4]]);
  assertEquals(rows.map(faultsOf), [[], ["files that failed: b (ended by SIGSEGV)"]]);
});
