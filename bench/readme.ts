/**
 * bench/README.md: the method, and a section for each result that there is.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { QUESTIONS_TO_PEERS } from "./peers/ask.ts";
import { QUESTIONS } from "./questions.ts";
import { load, RESULTS } from "./report/result.ts";
import { section } from "./report/table.ts";

const file = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url));

/** Results in the order of the report; those of which nothing is known here come last. */
function questions(): string[] {
  if (!existsSync(RESULTS)) return [];
  const there = readdirSync(RESULTS).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5)).sort();
  const known = [...QUESTIONS.map(({ question }) => question), "import", ...QUESTIONS_TO_PEERS];
  return [...known.filter((name) => there.includes(name)), ...there.filter((name) => !known.includes(name))];
}

/** Writes it. Tables come from bench/results/ alone. */
export function writeReadme(): void {
  const methods = ["method.md", "peers/method.md", "ideas/method.md"].filter((name) => existsSync(file(name)));
  writeFileSync(
    file("README.md"),
    [
      "# Benchmarks",
      "Made by `deno task bench` and `deno task bench:peers`; do not edit.",
      ...methods.map((name) => readFileSync(file(name), "utf8").trim()),
      ...questions().map((question) => section(load(question)).trim()),
    ].join("\n\n") + "\n",
  );
  spawnSync(process.execPath, ["fmt", "--quiet", file("README.md")]); // the gate wants tables aligned
}

if (import.meta.main) writeReadme();
