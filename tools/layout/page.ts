/**
 * The tables of `docs/internals/layout.md`, and its history of versions.
 *
 * @module
 */
import type { Constant, Enumeration, Section, Table } from "./table.ts";

/** A table as `deno fmt` leaves it. */
function table(rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = escaped[0].map((_, column) => Math.max(...escaped.map((row) => row[column].length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at])).join(" | ")} |`;
  const [head, ...body] = escaped;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

const code = (text: string | number): string => `\`${text}\``;

function constants(all: Constant[]): string {
  const rows = all.map(({ name, about, value, text }) => [
    code(name),
    typeof value === "string" ? code(value) : text.replace("2 ** ", "2^"),
    about,
  ]);
  return table([["constant", "value", "meaning"], ...rows]);
}

function enumerations(all: Enumeration[]): string {
  const rows = all.map(({ name, about, numbers }) => [
    code(name),
    numbers.map(([one, number]) => `${number} ${one}`).join(", "),
    about,
  ]);
  return table([["enumeration", "numbers", "meaning"], ...rows]);
}

function section({ name, about, bytes, fields }: Section): string {
  const rows = fields.map(({ name, offset, type, count, meaning }) => [
    String(offset),
    code(name),
    count > 1 ? `${type}[${count}]` : type,
    meaning,
  ]);
  return `### ${name}: ${bytes} bytes\n\n${about}\n\n${table([["offset", "field", "type", "meaning"], ...rows])}`;
}

/** What stands between the page's marks. */
export function pageTables(all: Table): string {
  return [
    `### Constants\n\n${constants(all.constants)}`,
    `### Enumerations\n\n${enumerations(all.enumerations)}`,
    ...all.sections.map(section),
  ].join("\n\n");
}

/** What is wrong with the history: it has a row for each version up to the present one, in order. */
export function historyFault(page: string, version: number): string | undefined {
  const history = page.split("## Versions")[1] ?? "";
  const rows = [...history.matchAll(/^\| (\d+) +\| *(.*?) *\|$/gm)];
  const numbers = rows.map(([, number]) => Number(number));
  const wanted = Array.from({ length: version }, (_, at) => at + 1);
  if (numbers.join() !== wanted.join()) {
    return `its history has rows for ${numbers.join(", ")}; LAYOUT_VERSION is ${version}`;
  }
  const empty = rows.find(([, , meaning]) => meaning === "");
  return empty && `its history does not say what version ${empty[1]} changed`;
}
