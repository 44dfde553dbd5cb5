/**
 * Tables that fit the terminal: columns that matter least go first, then long texts are cut.
 *
 * @module
 */
import Table from "cli-table3";
import { paintOutput, terminalWidth } from "./output.ts";

/** One column of a table. */
export type Column<Row> = {
  title: string;
  /** The cell, without colours. */
  text: (row: Row) => string;
  align?: "left" | "right";
  /** Where the terminal is too narrow, columns with greater numbers are left out first. Default 0: never left out. */
  spare?: number;
  /** The width to which texts may be cut; without it they are not cut. */
  least?: number;
  /** Breaks texts into lines instead of cutting them; for the last column. */
  wrap?: boolean;
  /** Colours the finished cell. */
  style?: (text: string, row: Row) => string;
};

const GAP = 2;
/** The least width of a column whose texts are broken into lines. */
const WRAPPED = 30;
const NOTHING = Object.fromEntries(
  ["top", "bottom", "left", "right", "mid", "middle"].flatMap((edge) =>
    ["", "-mid", "-left", "-right"].map((end) => [`${edge}${end}`, ""])
  ),
);

/** Replaces the middle of a text, because names often differ only at their ends. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const start = Math.ceil((width - 1) / 2);
  return `${text.slice(0, start)}…${text.slice(text.length - (width - 1 - start))}`;
}

/** The columns that fit, and how wide each is. */
function fit<Row>(columns: Column<Row>[], rows: Row[], width: number): [Column<Row>, number][] {
  const wide = columns.map((column): [Column<Row>, number] => [
    column,
    Math.max(column.title.length, ...rows.flatMap((row) => column.text(row).split("\n").map(({ length }) => length))),
  ]);
  const least = ({ least, wrap, title }: Column<Row>, natural: number) =>
    Math.min(natural, Math.max(wrap ? WRAPPED : least ?? natural, title.length));
  const excess = (kept: [Column<Row>, number][], cut: boolean) =>
    kept.reduce((sum, [column, natural]) => sum + (cut ? least(column, natural) : natural) + GAP, -GAP) - width;
  let kept = wide;
  while (excess(kept, true) > 0) {
    const spare = Math.max(...kept.map(([column]) => column.spare ?? 0));
    if (spare === 0) break;
    kept = kept.filter(([column]) => column.spare !== spare);
  }
  let over = excess(kept, false);
  return kept.map(([column, natural]) => {
    const less = Math.max(0, Math.min(over, natural - least(column, natural)));
    over -= less;
    return [column, natural - less];
  });
}

/** Draws rows under their titles, without lines. @returns text that ends with a line feed; empty without rows */
export function table<Row>(rows: Row[], columns: Column<Row>[], width: number = terminalWidth()): string {
  if (rows.length === 0) return "";
  const paint = paintOutput();
  const fitting = fit(columns, rows, width);
  const drawn = new Table({
    head: fitting.map(([column]) => paint.dim(column.title)),
    colWidths: fitting.map(([, columnWidth]) => columnWidth + GAP),
    wordWrap: true,
    colAligns: fitting.map(([column]) => column.align ?? "left"),
    chars: NOTHING,
    style: { "padding-left": 0, "padding-right": GAP, head: [], border: [], compact: true },
  });
  for (const row of rows) {
    drawn.push(fitting.map(([column, columnWidth]) => {
      const text = column.wrap ? column.text(row) : cut(column.text(row), columnWidth);
      return text === "" ? "" : column.style?.(text, row) ?? text;
    }));
  }
  return drawn.toString().replace(/ +$/gm, "") + "\n";
}
