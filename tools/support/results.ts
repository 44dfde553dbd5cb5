/**
 * What a run of test files has shown: counted from what the runners printed, and judged.
 *
 * @module
 */

/** What a file was not run for, or a test inside it. */
export type Skip = { what: string; reason: string };
/** What one runtime did on one target. */
export type Row = {
  target: string;
  runtime: string;
  files: number;
  passed: number;
  failed: number;
  /** As the runner counts them. */
  skipped: number;
  skips: Skip[];
  /** Parts of tests that were not tried, while the rest of the test was. */
  parts: Skip[];
  /** Files whose process ended with an error, or that had no time to end. */
  broken: string[];
};

/** A row without a file. */
export function emptyRow(target: string, runtime: string): Row {
  return { target, runtime, files: 0, passed: 0, failed: 0, skipped: 0, skips: [], parts: [], broken: [] };
}

/** What a test prints that is not tried, whatever its runner knows of that. */
export const skipLine = (what: string, reason: string): string => `skipped: ${what} # ${reason}`;
/** What a test prints of which a part is not tried. */
export const partLine = (what: string, reason: string): string => `not tried: ${what} # ${reason}`;

const SKIPS = /^skipped: (.+?) # (.*)$/gm;
const PARTS = /^not tried: (.+?) # (.*)$/gm;
const found = (output: string, lines: RegExp): Skip[] => {
  return [...output.matchAll(lines)].map(([, what, reason]) => ({ what, reason }));
};

/** The last number beside any of these words: before it in Bun and Deno, behind it in Node. */
function count(output: string, words: string): number {
  const numbers = new RegExp(`\\b(\\d+) (?:${words})\\b|^\u2139 (?:${words}) (\\d+)$`, "gm");
  const [, before, behind] = [...output.matchAll(numbers)].at(-1) ?? [];
  return Number(before ?? behind ?? 0);
}

/** How a process ended: its exit code, the signal that ended it, or null when it had no time to end. */
type Status = number | string | null;

const ending = (status: Status): string =>
  status === null ? "not ended in time" : typeof status === "number" ? `exit code ${status}` : `ended by ${status}`;

/** Adds what the runner of one file printed, and how its process ended. */
export function addFile(row: Row, file: string, output: string, status: Status): void {
  // deno-lint-ignore no-control-regex -- colours
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const skips = found(plain, SKIPS);
  const skipped = count(plain, "ignored|skip|skipped");
  row.files++;
  // A test that says in its body that it is skipped has passed, for its runner.
  row.passed += count(plain, "passed|pass") - Math.max(0, skips.length - skipped);
  row.failed += count(plain, "failed|fail") + count(plain, "cancelled");
  row.skipped += skipped;
  row.skips.push(...skips);
  row.parts.push(...found(plain, PARTS));
  if (status !== 0) row.broken.push(`${file} (${ending(status)})`);
}

/** Why a row is a failure; empty where it is none. */
export function faultsOf(row: Row): string[] {
  const { failed, passed, broken, skipped, skips } = row;
  return [
    ...failed > 0 ? [`${failed} tests failed`] : [],
    ...broken.length > 0 ? [`files that failed: ${broken.join(", ")}`] : [],
    ...passed === 0 ? ["nothing passed"] : [],
    ...skips.filter(({ reason }) => reason.trim() === "").map(({ what }) => `${what} is skipped without a reason`),
    ...skipped > skips.length ? [`${skipped - skips.length} tests are skipped without a reason`] : [],
  ];
}

/** A line for each reason, with all that it is the reason for. */
function byReason(word: string, all: readonly Skip[]): string[] {
  const reasons = Map.groupBy(all, ({ reason }) => reason);
  return [...reasons].map(([reason, some]) => `${word}, ${reason}: ${some.map(({ what }) => what).join("; ")}`);
}

/** The rows as a table of text, and below it each reason once, with all that was skipped for it. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const { target, runtime, files, passed, failed, skips } = row;
    const numbers = [files, passed, failed, skips.length].map(String);
    return [target, runtime, ...numbers, faultsOf(row).length === 0 ? "ok" : "FAILED"];
  });
  const lines = [["target", "runtime", "files", "passed", "failed", "skipped", "result"], ...cells];
  const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  const text = lines.map((line) => line.map((cell, at) => cell.padEnd(widths[at])).join("  ").trimEnd());
  const details = rows.flatMap(({ target, runtime, ...row }) => {
    const faults = faultsOf({ target, runtime, ...row }).map((fault) => `failed: ${fault}`);
    return [...byReason("skipped", row.skips), ...byReason("not tried", row.parts), ...faults].map((line) => {
      return { line, where: `${target}, ${runtime}` };
    });
  });
  const same = Map.groupBy(details, ({ line }) => line);
  return [...text, ...[...same].map(([line, all]) => `${all.map(({ where }) => where).join("; ")}: ${line}`)].join(
    "\n",
  );
}
