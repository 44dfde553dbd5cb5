/**
 * What a run of test files on another system has shown: counted from what the runner printed, and judged.
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
  /** Files whose process ended with an error, or that had no time to end. */
  broken: string[];
};

/** The last number before any of these words, in the output of `bun test` or `deno test`. */
function count(output: string, words: string): number {
  return Number([...output.matchAll(new RegExp(`\\b(\\d+) (?:${words})\\b`, "g"))].at(-1)?.[1] ?? 0);
}

/** Adds what the runner of one file printed, and how its process ended. */
export function addFile(row: Row, file: string, output: string, status: number | null): void {
  // deno-lint-ignore no-control-regex -- colours
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const failed = count(plain, "failed|fail");
  row.files++;
  row.passed += count(plain, "passed|pass");
  row.failed += failed;
  row.skipped += count(plain, "ignored|skip");
  for (const [, what, reason] of plain.matchAll(/^skipped: (.+?): (.+)$/gm)) row.skips.push({ what, reason });
  if (status !== 0) row.broken.push(`${file} (${status === null ? "not ended in time" : `exit code ${status}`})`);
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
  const details = rows.flatMap((row) => {
    const reasons = Map.groupBy(row.skips, ({ reason }) => reason);
    const skipped = [...reasons].map(([reason, all]) =>
      `skipped, ${reason}: ${all.map(({ what }) => what).join(", ")}`
    );
    return [...skipped, ...faultsOf(row).map((fault) => `failed: ${fault}`)].map((line) => {
      return `${row.target}, ${row.runtime}: ${line}`;
    });
  });
  return [...text, ...details].join("\n");
}
