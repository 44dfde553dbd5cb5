/**
 * The table of `deno task platforms`, and which of Linux's libraries a process loads.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import process from "node:process";
import { LIBRARY_VARIABLE, loadShim } from "../ffi/load.ts";
import { addFile, faultsOf, type Row, tableOf } from "../tools/platforms/table.ts";
import { depotTest } from "./support/harness.ts";

const emptyRow = (): Row => {
  return { target: "musl", runtime: "bun", files: 0, passed: 0, failed: 0, skipped: 0, skips: [], broken: [] };
};

depotTest("addFile counts what Bun and Deno print, and takes reasons from what tests say", () => {
  const row = emptyRow();
  addFile(row, "a", "skipped: an older Node: it is v26\n(pass) a\n 12 pass\n 1 skip\n 0 fail\nRan 12 tests", 0);
  addFile(row, "b", "\x1b[0m\x1b[32mok\x1b[0m | 30 passed (4 steps) | 0 failed | 2 ignored (1s)\n", 0);
  assertEquals([row.files, row.passed, row.failed, row.skipped], [2, 42, 0, 3]);
  assertEquals(row.skips, [{ what: "an older Node", reason: "it is v26" }]);
  assertEquals(faultsOf(row), ["2 tests are skipped without a reason"]);
});

depotTest("faultsOf names failed tests, processes that break, and a row where nothing passed", () => {
  const failed = emptyRow();
  addFile(failed, "a", " 3 pass\n 1 fail\n", 1);
  assertEquals(faultsOf(failed), ["1 tests failed", "files that failed: a (exit code 1)"]);
  const killed = emptyRow();
  addFile(killed, "a", "", null);
  assertEquals(faultsOf(killed), ["files that failed: a (not ended in time)", "nothing passed"]);
  const silent = emptyRow();
  addFile(silent, "a", " 1 pass\n", 0);
  silent.skips.push({ what: "b", reason: " " });
  assertEquals(faultsOf(silent), ["b is skipped without a reason"]);
});

depotTest("tableOf has a line a row, and below it what was skipped for each reason", () => {
  const row = emptyRow();
  addFile(row, "a", " 3 pass\n 0 fail\n", 0);
  row.skips.push({ what: "b", reason: "it is slow" }, { what: "c", reason: "it is slow" });
  const text = tableOf([row, emptyRow()]);
  assertStringIncludes(text, "musl    bun      1      3       0       2        ok\n");
  assertStringIncludes(text, "musl, bun: skipped, it is slow: b, c\n");
  assertStringIncludes(text, "musl, bun: failed: nothing passed");
});

depotTest("loadShim takes the library for musl where the process runs on musl, and the one for glibc elsewhere", () => {
  if (process.platform !== "linux") return console.log("skipped: the C library: Linux alone has two");
  if (process.env[LIBRARY_VARIABLE]) return console.log(`skipped: the C library: ${LIBRARY_VARIABLE} names another`);
  const maps = readFileSync("/proc/self/maps", "utf8");
  const isMusl = maps.includes("/ld-musl-");
  assertEquals(isMusl, !/\/libc(?:-[\d.]+)?\.so(?:\.6)?$/m.test(maps), maps);
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const { source } = loadShim();
  assert(source.startsWith(`linux ${machine}${isMusl ? " musl" : ""}`), source);
  assertEquals(source.includes("musl"), isMusl);
});
