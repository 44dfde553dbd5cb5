/**
 * `deno task platforms [--short] [NAME...] [FILE...]`: the tests on other systems, which are fetched into `.cache/` and
 * run on this one, file by file. Prints a table; a target where nothing passed, or a skip without a reason, is a
 * failure. `--short` is for CI: of most systems a few files, and one that cannot be fetched is a skip.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { compile } from "../../shim/build.ts";
import { findZig } from "../../shim/zig.ts";
import { importFlags } from "../support/import_map.ts";
import { installPackages } from "../support/node_packages.ts";
import type { Runtime } from "../support/runtimes.ts";
import { emptyRow, faultsOf, type Row, skipLine, tableOf } from "../support/results.ts";
import { type Job, type Outcome, runFile, runJobs, shortOf, testFiles } from "../support/suite.ts";
import { type Executables, type Target, TARGETS } from "./targets.ts";

/** A file that takes longer hangs. */
const FILE_MS = 8 * 60_000;

const isShort = process.argv.includes("--short");
const named = process.argv.slice(2).filter((text) => text !== "--short");
const files = named.filter((text) => text.endsWith(".test.ts"));
const targets = named.filter((text) => !files.includes(text));
const unknown = targets.find((name) => !(name in TARGETS));
if (unknown !== undefined) {
  console.error(
    `unknown: ${unknown}\n\ndeno task platforms [--short] [${Object.keys(TARGETS).join("] [")}] [FILE.test.ts ...]`,
  );
  process.exit(2);
}

const all = testFiles(["tests"]);
const { flags } = await importFlags();

/** A compiler for a target. It builds the target's C library the first time, for longer than a test may take. */
function compilerFor(target: string): string {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-compiler-"));
  const source = join(folder, "empty.c"), command = [...findZig(), "cc", "-target", target];
  try {
    writeFileSync(source, "");
    compile([...command, "-shared", "-o", join(folder, "empty.so"), source, "-lpthread"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return command.join(" ");
}

/** What tests know a target's runtimes by, and the compilers for what these load. */
function envOf({ builtFor = {} }: Target, executables: Executables): Record<string, string> {
  const upper = (prefix: string, [runtime, value]: [string, string]) => [`${prefix}_${runtime.toUpperCase()}`, value];
  const paths = Object.entries(executables).map((entry) => upper("FRAMES_DEPOT_TEST", entry));
  const compilers = Object.entries(builtFor).map(([runtime, target]) => {
    return upper("FRAMES_DEPOT_TEST_CC", [runtime, compilerFor(target)]);
  });
  return Object.fromEntries([...paths, ...compilers]);
}

/** Why a file is not run; undefined where it is. */
function reasonToSkip(target: Target, file: string, runtime: Runtime): string | undefined {
  if (files.length > 0) return undefined;
  const isLeftOut = isShort && target.short !== "all" && !target.short.includes(file);
  return isLeftOut ? "it is not among the few that CI runs" : target.skips(file, runtime);
}

/** Runs one target. @returns a row for each runtime; none where CI could not fetch it */
async function runOn(name: string): Promise<Row[]> {
  const target = TARGETS[name];
  let executables: Executables, env: Record<string, string>;
  try {
    executables = target.prepare();
    env = envOf(target, executables);
    if (target.runtimes.includes("node")) installPackages();
  } catch (error) {
    if (!isShort) throw error;
    unfetched.push(skipLine(name, `it cannot be had here: ${(error as Error).message.split("\n")[0]}`));
    return [];
  }
  const candidates = target.runtimes.flatMap((runtime) => {
    return (files.length > 0 ? files : all).map((file) => {
      return { job: { file, runtime }, reason: reasonToSkip(target, shortOf(file), runtime) };
    });
  });
  const jobs = candidates.filter(({ reason }) => reason === undefined).map(({ job }) => job);
  const run = (job: Job) => {
    const settings = { ...env, FRAMES_DEPOT_TEST_NODE: env.FRAMES_DEPOT_TEST_NODE };
    const leavesProcesses = name === "windows"; // Wine's own are started by the first of its programs
    return runFile(job, {
      executable: executables[job.runtime]!,
      env: settings,
      flags,
      limitMs: FILE_MS,
      leavesProcesses,
    });
  };
  const tell = ({ file, runtime }: Job, { output, code, seconds }: Outcome) => {
    const title = `${name}, ${runtime}: ${shortOf(file)}, ${seconds.toFixed(1)} s`;
    console.log(code === 0 ? `${title}: ok` : `${title}: FAILED\n${output}`);
  };
  const rows = await runJobs(name, jobs, run, tell);
  for (const { job: { file, runtime }, reason } of candidates) {
    let row = rows.find((row) => row.runtime === runtime);
    if (row === undefined) rows.push(row = emptyRow(name, runtime)); // all of its files are skipped
    if (reason !== undefined) row.skips.push({ what: shortOf(file), reason });
  }
  return rows;
}

const unfetched: string[] = [];
const rows: Row[] = [];
for (const name of targets.length > 0 ? targets : Object.keys(TARGETS)) rows.push(...await runOn(name));
console.log(`\n${[tableOf(rows), ...unfetched].join("\n")}`);
if (unfetched.length > 0) console.log(`${unfetched.length} systems were skipped`);
if (rows.some((row) => faultsOf(row).length > 0)) process.exit(1);
