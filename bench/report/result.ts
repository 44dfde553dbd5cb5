/**
 * What every benchmark writes: one question, and a row for each answer to it with all its runs.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, machine as architecture, release, totalmem, type } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { median } from "../../tools/support/statistics.ts";

/** One thing that was measured. */
export type Row = {
  /** What was measured; no two rows of a result have the same. */
  what: string;
  /** The median of the runs, in the result's unit. */
  value: number;
  /** Every run, in the order they were made. */
  runs: number[];
  /** The `what` of the row that this one is compared with. */
  baseline?: string;
  /**
   * What is wanted: `"<= 3x"` of the baseline, `">= 60"` in the result's unit, or several such, `", "` between them.
   */
  goal?: string;
  /** What has to be known to understand the figure. */
  note?: string;
  /** Rows of one series have one colour, or are one line. */
  series?: string;
  /** Place on the horizontal axis: a result whose rows all have one is drawn as lines. */
  x?: number;
};

/** Where it was measured. */
export type Machine = {
  cpu: string;
  cores: number;
  /** GiB. */
  memory: number;
  kernel: string;
  /** Name and version of every runtime and program that took part. */
  runtimes: Record<string, string>;
};

/** The answer to one question. */
export type Result = {
  /** Also the name of its files: lower-case letters, digits and underscores. */
  question: string;
  title: string;
  unit: string;
  better: "lower" | "higher";
  /** What to run to get it again. */
  command: string;
  /** ISO 8601. */
  date: string;
  machine: Machine;
  rows: Row[];
  /** What should have had a row and has none, and why. */
  missing?: { what: string; reason: string }[];
  /** What `x` is, with its unit. */
  xTitle?: string;
};

/** The folder of results. */
export const RESULTS = fileURLToPath(new URL("../results/", import.meta.url));

/** A row whose value is the median of its runs. */
export function row(what: string, runs: number[], more: Omit<Row, "what" | "runs" | "value"> = {}): Row {
  return { what, value: median(runs), runs, ...more };
}

/**
 * How many times the baseline a row is, in the median of the runs: what a machine does in a run meets both alike.
 *
 * @returns undefined for a row without a baseline @throws {RangeError} when there is no such row
 */
export function ratio(result: Result, { baseline, value, runs }: Row): number | undefined {
  if (baseline === undefined) return undefined;
  const other = result.rows.find(({ what }) => what === baseline);
  if (other === undefined) throw new RangeError(`${result.question}: there is no row "${baseline}" to compare with`);
  if (other.runs.length !== runs.length) return value / other.value;
  return median(runs.map((run, index) => run / other.runs[index]));
}

/** The goals of a row, one by one. */
export function goalsOf(row: Row): string[] {
  return row.goal?.split(", ") ?? [];
}

/** Whether one of a row's goals is met. @throws {RangeError} for a goal that cannot be read */
export function isMet(result: Result, row: Row, goal: string): boolean {
  const [, compare, limit, times] = /^(<=|>=|<|>) ?(\d+(?:\.\d+)?)(x?)$/.exec(goal) ?? [];
  const found = times === "x" ? ratio(result, row) : row.value;
  if (compare === undefined || found === undefined) throw new RangeError(`${row.what}: cannot read goal "${goal}"`);
  const difference = found - Number(limit);
  return compare === "<"
    ? difference < 0
    : compare === ">"
    ? difference > 0
    : difference * (compare[0] === "<" ? -1 : 1) >= 0;
}

/** This machine. `runtimes` are those that take part beside the one that runs this. */
export function machine(runtimes: Record<string, string> = {}): Machine {
  const { deno, bun, node } = process.versions as Record<string, string | undefined>;
  const here: Record<string, string> = deno !== undefined ? { deno } : bun !== undefined ? { bun } : { node: node! };
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()} ${architecture()}`,
    runtimes: { ...here, ...runtimes },
  };
}

/**
 * Writes bench/results/QUESTION.json.
 *
 * @returns its path
 * @throws {RangeError} for a result that says nothing sensible
 */
export function save(result: Result, folder: string = RESULTS): string {
  if (!/^[a-z0-9_]+$/.test(result.question)) throw new RangeError(`question must be a file name: ${result.question}`);
  const names = new Set(result.rows.map(({ what }) => what));
  if (names.size === 0 || names.size < result.rows.length) throw new RangeError("rows must have names of their own");
  for (const row of result.rows) {
    if (row.runs.length === 0 || !row.runs.every(Number.isFinite)) {
      throw new RangeError(`${row.what}: runs are missing`);
    }
    ratio(result, row);
    for (const goal of goalsOf(row)) isMet(result, row, goal);
  }
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${result.question}.json`.replace("//", "/");
  writeFileSync(path, JSON.stringify(result, undefined, 2) + "\n");
  return path;
}

/** Reads what {@linkcode save} wrote. */
export function load(question: string, folder: string = RESULTS): Result {
  return JSON.parse(readFileSync(`${folder}/${question}.json`, "utf8"));
}
