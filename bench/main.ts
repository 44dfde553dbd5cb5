/**
 * `deno task bench`: every question, in several runs that alternate between C, Deno, Bun and Node, so that what the
 * machine does meanwhile meets all of them alike. Writes bench/results/ and the tables of bench/README.md.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { C_FLAGS, compile, SYSTEMS } from "../shim/build.ts";
import { executableOf, RUN } from "../tools/support/runtimes.ts";
import { BUN_VERSION, NODE_VERSION } from "../tools/support/versions.ts";
import { askBuiltIn, BUILT_IN_QUESTIONS } from "./peers/ask.ts";
import { type Question, QUESTIONS } from "./questions.ts";
import { writeReadme } from "./readme.ts";
import { plot } from "./report/plot.ts";
import { machine, type Result, row, save } from "./report/result.ts";
import { table } from "./report/table.ts";

const USAGE = `deno task bench [options] [question ...]
  --runs N       runs of each, alternating (7)
  questions: ${QUESTIONS.map(({ question }) => question).join(", ")}, import, ${BUILT_IN_QUESTIONS.join(", ")}`;

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "7" }, help: { type: "boolean", default: false } },
  allowPositionals: true,
});
const runs = Number(values.runs);
if (values.help || !(Number.isInteger(runs) && runs > 0)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const SUBJECTS = fileURLToPath(new URL("./subjects/main.ts", import.meta.url));
const RUNTIMES = {
  Deno: [executableOf("deno"), ...RUN.deno],
  Bun: [executableOf("bun"), ...RUN.bun],
  Node: [executableOf("node"), ...RUN.node],
} as const;

function run(command: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}\n${error?.message ?? stderr}`);
  return stdout;
}

const folder = mkdtempSync(join(tmpdir(), "frames-depot-bench-"));

function buildFloor(): string {
  const path = join(folder, "floor");
  const compiler = (process.env.CC || "cc").split(" ");
  const { sources, libraries } = SYSTEMS.linux;
  compile([...compiler, ...C_FLAGS, "-o", path, "../bench/floor/floor.c", ...sources, ...libraries]);
  return path;
}

type Figures = Map<string, number[]>;

function note(figures: Figures, what: string, value: number): void {
  figures.set(what, [...figures.get(what) ?? [], value]);
}

function finish(result: Omit<Result, "date" | "machine" | "command">): void {
  const command = `deno task bench ${result.question}`;
  const whole: Result = {
    ...result,
    command,
    date: new Date().toISOString(),
    machine: machine({ bun: BUN_VERSION, node: NODE_VERSION }),
  };
  save(whole);
  plot(whole);
  console.log(`\n${whole.title}\n${table(whole)}`);
}

function ask(question: Question, floor: string): void {
  const figures: Figures = new Map();
  for (let index = 0; index < runs; index++) {
    if (question.floor !== undefined) {
      note(
        figures,
        question.floor.what,
        Number(run([floor, ...question.floor.parameters])) * (question.floor.times ?? 1),
      );
    }
    for (const [runtime, command] of Object.entries(RUNTIMES)) {
      const found: Record<string, number> = JSON.parse(run([...command, SUBJECTS, question.measurement]));
      for (const [what, value] of Object.entries(found)) note(figures, `${runtime}, ${what}`, value);
    }
  }
  const rows = [...figures].map(([what, values]) => {
    const [runtime, ...rest] = what.split(", ");
    const figure = rest.join(", ");
    if (figure === "" || question.floor?.what === what) return row(what, values, { series: "C" });
    const baseline = question.floor?.what ?? (question.baseline && `${runtime}, ${question.baseline(figure)}`);
    if (baseline === what) return row(what, values, { series: runtime });
    return row(what, values, { series: runtime, baseline, goal: question.goals[figure] ?? question.goals["*"] });
  });
  const { title, unit, better } = question;
  finish({ question: question.question, title, unit, better, rows });
}

/** Milliseconds that `import` of mod.ts adds to an empty script. */
function askImport(): void {
  const figures: Figures = new Map();
  const script = (name: string) => fileURLToPath(new URL(`./subjects/${name}.ts`, import.meta.url));
  const timed = (command: readonly string[], name: string): number => {
    const started = performance.now();
    run([...command, script(name)]);
    return performance.now() - started;
  };
  for (const command of Object.values(RUNTIMES)) timed(command, "import"); // into their caches
  for (let index = 0; index < runs; index++) {
    for (const [runtime, command] of Object.entries(RUNTIMES)) {
      const empty = timed(command, "empty");
      note(figures, runtime, timed(command, "import") - empty);
    }
  }
  const rows = [...figures].map(([what, values]) => row(what, values, { series: what, goal: "<= 15" }));
  finish({ question: "import", title: "Importing mod.ts, over an empty script", unit: "ms", better: "lower", rows });
}

try {
  const floor = buildFloor();
  for (const question of QUESTIONS) {
    if (positionals.length === 0 || positionals.includes(question.question)) ask(question, floor);
  }
  if (positionals.length === 0 || positionals.includes("import")) askImport();
  await askBuiltIn(runs, positionals);
  writeReadme();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
