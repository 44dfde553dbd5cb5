/**
 * The format, tables and pictures that all benchmarks share.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { goalsOf, isMet, load, machine, ratio, type Result, row, save } from "../bench/report/result.ts";
import { figure, section, table } from "../bench/report/table.ts";
import { median } from "../tools/support/statistics.ts";
import { executableOf, HERE } from "./support/harness.ts";

const PLOT = fileURLToPath(new URL("../bench/report/plot.ts", import.meta.url));
const MAP = fileURLToPath(new URL("./support/import_map.json", import.meta.url));
/** The first run in Bun fetches the plotting library; Bun's own limit is five seconds. */
const FETCHES = { timeout: 120_000 };

const result: Result = {
  question: "how_fast",
  title: "How fast it is",
  unit: "frames/s",
  better: "higher",
  command: "deno task bench",
  date: "2026-01-02T03:04:05.000Z",
  machine: machine({ redis: "7" }),
  rows: [
    row("ours", [900, 1000, 1200], { series: "depot" }),
    row("pipe", [90, 110, 100], { series: "others", baseline: "ours", goal: "<= 1x" }),
    row("memcpy", [3000], { series: "others", baseline: "ours", goal: "<= 2x", note: "one copy" }),
  ],
};

/** Saves a result in a folder of its own, has it drawn by a process (`bun test` fetches no packages), and cleans up. */
function drawn(result: Result): { loaded: Result; picture: string } {
  const folder = mkdtempSync(`${tmpdir()}/frames-depot-bench-`);
  try {
    const path = save(result, folder);
    assertMatch(path, /how_fast\.json$/);
    // Node fetches no packages either: Deno draws for it.
    const runtime = HERE === "node" ? "deno" : HERE;
    const flags = runtime === "deno" ? ["run", "-A", "--quiet", `--import-map=${MAP}`] : ["run"];
    const { status, stderr } = spawnSync(executableOf(runtime), [...flags, PLOT, path], { encoding: "utf8" });
    assertEquals(status, 0, stderr);
    return { loaded: load("how_fast", folder), picture: readFileSync(`${folder}/how_fast.svg`, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("save writes what load reads and plot draws: title, unit, every row and its value on white", FETCHES, () => {
  const { loaded, picture } = drawn(result);
  assertEquals(loaded, result);
  for (
    const text of ["How fast it is", "frames/s (higher is better), logarithmic", "pipe", "memcpy", "1,000", "3,000"]
  ) {
    assertStringIncludes(picture, text);
  }
  assertMatch(picture, /fill="(#ffffff|#fff|rgb\(255,255,255\))"/);
});

test("save refuses a result with a name twice, without runs, or compared with nothing", () => {
  const rows = (...rows: Result["rows"]) => () => save({ ...result, rows }, "/nonexistent");
  assertThrows(rows(result.rows[0], result.rows[0]), RangeError, "names of their own");
  assertThrows(rows({ what: "a", value: 1, runs: [] }), RangeError, "runs are missing");
  assertThrows(rows({ what: "a", value: 1, runs: [NaN] }), RangeError, "runs are missing");
  assertThrows(rows(row("a", [1], { baseline: "b" })), RangeError, 'no row "b"');
  assertThrows(rows(row("a", [1], { goal: "fast" })), RangeError, "cannot read goal");
});

test("isMet compares with the baseline, or with a figure in the unit", () => {
  assertEquals(result.rows.map((row) => goalsOf(row).map((goal) => isMet(result, row, goal))), [[], [true], [false]]);
  const met = (goal: string) => isMet(result, row("a", [100], { baseline: "ours" }), goal);
  assertEquals(["< 100", "<= 100", ">= 100", "> 100", "< 0.1x", ">= 0.1x"].map(met), [
    false,
    true,
    true,
    false,
    false,
    true,
  ]);
});

test("ratio is the median of what the runs say one by one, so that a machine that changes between them does not count", () => {
  const rows = [row("ours", [100, 10, 100], {}), row("theirs", [200, 20, 210], { baseline: "ours" })];
  assertEquals(ratio({ ...result, rows }, rows[1]), 2);
  assertEquals(ratio({ ...result, rows }, { ...rows[1], runs: [300], value: 300 }), 3);
});

test("table says of each of several goals whether it is met", () => {
  const rows = [row("ours", [100]), row("theirs", [300], { baseline: "ours", goal: "<= 2x, <= 400" })];
  assertStringIncludes(table({ ...result, rows }), "| 3× ours | ≤ 2×: **not met**; ≤ 400: met |");
});

test("median is the value in the middle, whatever the order", () => {
  assertEquals([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5]);
  assertEquals(median([]), NaN);
});

test("figure keeps three digits", () => {
  assertEquals([0, 0.012345, 1.5, 12.345, 999.9, 1234567].map(figure), [
    "0",
    "0.0123",
    "1.5",
    "12.3",
    "1,000",
    "1,230,000",
  ]);
});

test("table has value, spread, ratio and goal of every row", () => {
  const lines = table(result).split("\n");
  assertEquals(lines.length, 5);
  assertEquals(lines[3], "| pipe | 100 | 90 – 110 (3) | 0.1× ours | ≤ 1×: met |  |");
  assertStringIncludes(lines[4], "≤ 2×: **not met** | one copy");
  assertStringIncludes(section(result), "redis 7");
});

test("plot draws a line for each series where rows have an x", FETCHES, () => {
  const sweep = ["a", "b"].flatMap((series) => [1, 2, 3].map((x) => row(`${series} ${x}`, [x, x + 1], { series, x })));
  const { picture } = drawn({ ...result, rows: sweep, xTitle: "readers" });
  assertStringIncludes(picture, "readers");
  assert(new Set(picture.match(/stroke="#[0-9a-f]{6}"/g)).size >= 3, "two lines and their spread have colours");
});
