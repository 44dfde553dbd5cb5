/**
 * The end: what each process did, and whether it adds up.
 *
 * @module
 */
import type { DepotStats } from "../../mod.ts";
import type { Child } from "./child.ts";

/** What is known when all is over. */
export type Outcome = {
  children: readonly Child[];
  /** The depot's own counters, as they were when all but the parent had left. */
  stats: DepotStats | undefined;
  frameBytes: number;
  greatestLag: number;
  /** What went wrong on the way. */
  failures: string[];
  /** What of the depot is still there although all processes have left it. */
  leftBehind: string | undefined;
};

/** Everything that should not be. */
function problemsOf({ children, stats, failures, leftBehind }: Outcome): string[] {
  const problems = [...failures];
  const made = children.find(({ role }) => role === "producer")?.counts?.frames ?? 0;
  const expect = (what: string, actual: number | undefined, expected: number) => {
    if (actual !== expected) problems.push(`${what}: ${actual ?? "unknown"}, not ${expected}`);
  };
  if (failures.length === 0) {
    expect("frames stored, as the depot counts", stats?.stored, made);
    expect("frames dropped, as the depot counts", stats?.dropped, 0);
  }
  for (const { role, label, counts } of children) {
    if (counts === undefined) continue;
    if (role === "follower") {
      if (failures.length === 0) expect(`frames read by the ${label}`, counts.frames, made);
      expect(`frames lost by the ${label}`, counts.lost, 0);
      expect(`frames out of order at the ${label}`, counts.disordered, 0);
    }
    expect(`torn frames at the ${label}`, counts.torn, 0);
    expect(`wrong answers to the ${label}`, counts.wrong, 0);
  }
  if (leftBehind !== undefined) problems.push(`left behind: ${leftBehind}`);
  return problems;
}

/** Columns of numbers, with a name before each row. */
function printTable(rows: (string | number)[][]): void {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  const line = (row: (string | number)[]) =>
    row.map((cell, column) => {
      return column === 0 ? String(cell).padEnd(widths[column]) : String(cell).padStart(widths[column]);
    });
  for (const row of rows) console.log(line(row).join("   ").trimEnd());
}

/** Prints the table and the sentences below it. @returns whether all is well */
export function summarize(outcome: Outcome): boolean {
  const { children, stats, frameBytes, greatestLag } = outcome;
  const rows = children.flatMap(({ role, label, counts }) => {
    if (counts === undefined) return [];
    const { frames, seconds, lost, disordered, torn } = counts;
    const fps = seconds > 0 ? frames / seconds : 0;
    const rates = [frames, fps.toFixed(1), (fps * frameBytes / 1e9).toFixed(2)];
    return [[
      label,
      ...rates,
      ...(role === "follower" ? [lost, disordered] : ["", ""]),
      role === "producer" ? "" : torn,
    ]];
  });
  if (rows.length > 0) printTable([["", "frames", "fps", "GB/s", "lost", "disordered", "torn"], ...rows]);
  const asker = children.find(({ role }) => role === "asker")?.counts;
  if (asker !== undefined) {
    const { asked, frames, evicted, pending, wrong } = asker;
    console.log(`asked: ${asked} numbers: ${frames} there, ${evicted} evicted, ${pending} pending, ${wrong} wrong`);
  }
  if (stats !== undefined) {
    const { stored, dropped, skipped, maxSize } = stats;
    console.log(`depot: ${stored} stored, ${dropped} dropped, ${skipped} slots passed over`);
    console.log(`queue: lag at most ${greatestLag} of ${maxSize}`);
  }
  const problems = problemsOf(outcome);
  console.log(problems.length === 0 ? "All well: nothing lost, torn or left behind." : "Not well:");
  for (const problem of problems) console.log(`  - ${problem}`);
  for (const { label, errors } of children) {
    if (errors !== "") console.log(`\nThe ${label} wrote:\n${errors}`);
  }
  return problems.length === 0;
}
