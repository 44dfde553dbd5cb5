/**
 * `deno task fuzz`: a million broken and hostile segments by default, in both runtimes.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Runtime } from "../support/runtimes.ts";
import { type Result, runCases } from "./run.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});
const [cases, seed, from] = [Number(values.cases), Number(values.seed), Number(values.from)];
const half = from + Math.ceil(cases / 2);

const started = performance.now();
const results = await Promise.all([
  result("deno", from, half),
  result("bun", half, from + cases),
]);

async function result(runtime: Runtime, from: number, to: number): Promise<[Runtime, Result]> {
  return [runtime, await runCases({ runtime, seed, from, to })];
}

const outcomes = [...new Set(results.flatMap(([, { outcomes }]) => Object.keys(outcomes)))].sort();
console.table(
  Object.fromEntries(
    outcomes.map((outcome) => [
      outcome,
      Object.fromEntries(results.map(([runtime, result]) => [runtime, result.outcomes[outcome] ?? 0])),
    ]),
  ),
);
const total = results.reduce((sum, [, result]) => sum + result.cases, 0);
console.log(`${total} cases with seed ${seed} in ${((performance.now() - started) / 1000).toFixed(0)} s`);
for (const [runtime, { fault }] of results) if (fault !== undefined) console.error(`${runtime}: ${fault}`);
process.exit(results.some(([, { fault }]) => fault !== undefined) ? 1 : 0);
