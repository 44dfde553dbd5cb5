/**
 * Results as Markdown: value, spread, ratio to the baseline, goal.
 *
 * @module
 */
import { goalsOf, isMet, ratio, type Result, type Row } from "./result.ts";

/** Three significant digits, thousands set apart. */
export function figure(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const decimals = rounded === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return rounded.toLocaleString("en-US", { maximumFractionDigits: decimals });
}

function goals(result: Result, row: Row): string {
  return goalsOf(row).map((goal) => {
    const sign = goal.replace("<=", "≤").replace(">=", "≥").replace("x", "×");
    return `${sign}: ${isMet(result, row, goal) ? "met" : "**not met**"}`;
  }).join("; ");
}

function cells(result: Result, row: Row): string[] {
  const times = ratio(result, row);
  return [
    row.what,
    figure(row.value),
    `${figure(Math.min(...row.runs))} – ${figure(Math.max(...row.runs))} (${row.runs.length})`,
    times === undefined ? "" : `${figure(times)}× ${row.baseline}`,
    goals(result, row),
    row.note ?? "",
  ];
}

/** A table; columns that would be empty are left out. */
export function table(result: Result): string {
  const heads = ["", `${result.unit} (${result.better} is better)`, "from – to (runs)", "ratio", "goal", "note"];
  const lines = [heads, ...result.rows.map((row) => cells(result, row))];
  const kept = heads.map((_, column) => column < 3 || lines.slice(1).some((line) => line[column] !== ""));
  const right = (column: number) => column === 1 || column === 2;
  const written = lines.map((line) => `| ${line.filter((_, column) => kept[column]).join(" | ")} |`);
  const rule = heads.map((_, column) => right(column) ? "--:" : "---").filter((_, column) => kept[column]);
  written.splice(1, 0, `| ${rule.join(" | ")} |`);
  return written.join("\n");
}

/** One question as a section: title, plot, table, how to get it again. */
export function section(result: Result): string {
  const { title, question, command, date, machine, missing = [] } = result;
  const runtimes = Object.entries(machine.runtimes).map(([name, version]) => `${name} ${version}`).join(", ");
  return [
    `### ${title}`,
    `![${title}](results/${question}.svg)`,
    table(result),
    ...missing.length === 0 ? [] : [missing.map(({ what, reason }) => `- Not measured: ${what}. ${reason}`).join("\n")],
    `\`${command}\`, ${
      date.slice(0, 10)
    }, ${machine.cores} × ${machine.cpu}, ${machine.memory} GiB, ${machine.kernel}; ` +
    `${runtimes}. [All runs](results/${question}.json).`,
  ].join("\n\n") + "\n";
}
