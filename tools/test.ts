/**
 * `deno task test`: the same test files in Deno, in Bun and in Node, the examples in the documentation, and a look at
 * what is left behind. Parameters are files or folders to test, each in every runtime; without any, everything is
 * tested, some of it in Deno alone, and with `--all` in every runtime. Prints a table; a skip without a reason, or a
 * runtime where nothing passed, is a failure.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { importFlags } from "./support/import_map.ts";
import { leftovers } from "./support/leftovers.ts";
import { installPackages } from "./support/node_packages.ts";
import { faultsOf, tableOf } from "./support/results.ts";
import { run } from "./support/run.ts";
import { executableOf } from "./support/runtimes.ts";
import { type Job, jobsOf, type Outcome, ranOnce, runHere, runJobs, shortOf, testFiles } from "./support/suite.ts";

const { flags, says } = await importFlags();
const all = Deno.args.includes("--all");
const paths = Deno.args.filter((text) => text !== "--all");
const whole = all || paths.length > 0;
const files = testFiles(paths.length > 0 ? paths : ["tests"]);
const jobs = jobsOf(files, whole);
const before = leftovers();

/** One line for a file that holds; all that was printed for one that does not. */
function tell({ file, runtime }: Job, { output, code, signal, seconds }: Outcome): void {
  const time = `${shortOf(file)} in ${runtime}, ${seconds.toFixed(1)} s`;
  if (code === 0) return console.log(`ok      ${time}`);
  console.log(`\n${output}\nFAILED  ${time}: ${signal === null ? `exit code ${code}` : `ended by ${signal}`}\n`);
}

console.log(`${says}\n\n== tests in Deno, Bun and Node`);
installPackages();
const begin = performance.now();
const rows = await runJobs(`${process.platform} ${process.arch}`, jobs, (job) => runHere(job, flags), tell);
console.log(`\n${tableOf(rows)}`);
for (const line of ranOnce(files, whole)) console.log(line);
console.log(`${((performance.now() - begin) / 60_000).toFixed(1)} minutes`);
if (rows.some((row) => faultsOf(row).length > 0)) Deno.exit(1);

if (paths.length === 0) {
  run({
    title: "examples in the documentation",
    command: [
      ...[executableOf("deno"), "test", "-A", "--quiet", "--doc", ...flags],
      ...["mod.ts", "depot/", "README.md", "docs/guide.md"],
    ],
  });
}

// Depots that other processes work with at this moment are not left behind, nor are those that are gone a moment later.
const there = leftovers().filter((name) => !before.includes(name));
const live = FramesDepot.list().filter(({ usable, stale }) => usable && !stale).map(({ name }) =>
  `frames-depot.${name}`
);
const left = leftovers().filter((name) => there.includes(name) && !live.includes(name));
if (left.length > 0) {
  console.error(`\nleft behind by the tests: ${left.join(", ")}`);
  Deno.exit(1);
}
console.log("\nnothing left behind: shared memory is as it was before");
