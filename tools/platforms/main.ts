/**
 * `deno task platforms [NAME...] [FILE...]`: the tests on other systems, which are fetched into `.cache/` and run on
 * this one, file by file. Prints a table; a target where nothing passed, or a skip without a reason, is a failure.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { importFlags } from "../support/import_map.ts";
import type { Runtime } from "../support/runtimes.ts";
import { addFile, emptyRow, faultsOf, type Row, tableOf } from "../support/results.ts";
import { shortOf, testFiles, testFlags } from "../support/suite.ts";
import { type Target, TARGETS } from "./targets.ts";

/** A file that takes longer hangs. */
const FILE_MS = 8 * 60_000;

const named = process.argv.slice(2);
const files = named.filter((text) => text.endsWith(".test.ts"));
const targets = named.filter((text) => !files.includes(text));
const unknown = targets.find((name) => !(name in TARGETS));
if (unknown !== undefined) {
  console.error(`unknown: ${unknown}\n\ndeno task platforms [${Object.keys(TARGETS).join("] [")}] [FILE.test.ts ...]`);
  process.exit(2);
}

const all = testFiles(["tests"]);
const { flags } = await importFlags();

/** Runs one runtime of a target. */
function runOn(name: string, target: Target, runtime: Runtime, executables: Partial<Record<Runtime, string>>): Row {
  const row = emptyRow(name, runtime);
  const env = Object.fromEntries(
    Object.entries(executables).map(([runtime, path]) => [`FRAMES_DEPOT_TEST_${runtime.toUpperCase()}`, path]),
  );
  for (const file of files.length > 0 ? files : all) {
    const short = shortOf(file);
    const reason = files.length > 0 ? undefined : target.skips(short, runtime);
    if (reason !== undefined) {
      row.skips.push({ what: short, reason });
      continue;
    }
    const { status, stdout, stderr } = spawnSync(executables[runtime]!, [...testFlags(runtime, flags), `./${file}`], {
      encoding: "utf8",
      env: { ...process.env, FRAMES_DEPOT_TEST_NODE: undefined, ...env },
      maxBuffer: 2 ** 28,
      timeout: FILE_MS,
      killSignal: "SIGKILL",
    });
    addFile(row, short, `${stdout}\n${stderr}`, status);
    console.log(`${name}, ${runtime}: ${short}: ${status === 0 ? "ok" : "FAILED"}`);
    if (status !== 0) console.log(`${stdout}\n${stderr}`);
  }
  return row;
}

const rows: Row[] = [];
for (const name of targets.length > 0 ? targets : Object.keys(TARGETS)) {
  const target = TARGETS[name];
  const executables = target.prepare();
  for (const runtime of target.runtimes) rows.push(runOn(name, target, runtime, executables));
}
console.log(`\n${tableOf(rows)}`);
if (rows.some((row) => faultsOf(row).length > 0)) process.exit(1);
