/**
 * `deno task bench:peers`: what people use instead, installed where that can be done, beside ours. Writes
 * bench/results/ and the tables of bench/README.md.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { writeReadme } from "../readme.ts";
import { askAll, COMPARISONS } from "./ask.ts";

const USAGE = `deno task bench:peers [options] [comparison ...]
  --runs N       runs of each, alternating (7)
  comparisons: ${COMPARISONS.join(", ")}`;

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "7" }, help: { type: "boolean", default: false } },
  allowPositionals: true,
});
const runs = Number(values.runs);
const known = positionals.every((name) => COMPARISONS.includes(name));
if (values.help || !known || !(Number.isInteger(runs) && runs > 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const failed = await askAll(runs, positionals);
writeReadme();
if (failed.length > 0) {
  console.error(`failed while they were measured: ${failed.join(", ")}`);
  process.exit(1);
}
