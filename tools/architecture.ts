/**
 * Draws the folders of this project and their imports, between the marks of docs/architecture.md.
 *
 *     deno run -A tools/architecture.ts [--check]
 *
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import process from "node:process";
import { specifiersOf } from "./rooms/references.ts";

const PAGE = "docs/architecture.md";
const BEGIN = "<!-- begin: made by tools/architecture.ts -->";
const END = "<!-- end -->";

/** What each folder or file is for, from the top down. */
const ABOUT: Record<string, string> = {
  "tests/": "every test runs in Deno, in Bun and in Node",
  "bench/": "figures beside their floors, and beside what people use instead",
  "tools/": "the gate, the demo, chaos, fuzz, leases, soak",
  "examples/": "programs to start from",
  "cli/": "the command line",
  "mod.ts": "the public names",
  "depot/": "what users hold: checks of arguments, waiting, leases, policies",
  "ring/": "the protocol: which sequence is next, which readers are waited for, recovery",
  "ffi/": "how a runtime reaches C: one interface, one file a runtime",
  "shim/": "the C, with the same files for each system; ffi/prebuilt is built from it",
  "errors.ts": "the one class of errors",
};

/** What calls without importing. */
const CALLS: readonly (readonly [from: string, to: string])[] = [["ffi/", "shim/"]];
const ITSELF = "@frames-depot/frames-depot";
const CODE = /\.(?:ts|c|h)$/;
/** Folders of the machine, and files that are made from others. */
const LEFT_OUT = /^(?:\..*|node_modules|prebuilt)$/;

/** One row of the picture. */
export type Row = { name: string; about: string; lines: number; imports: Set<string> };

function filesIn(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.test(entry.name) ? [] : filesIn(root, path);
    return CODE.test(entry.name) ? [path] : [];
  });
}

/** The row of a file: its folder at the top, or itself. */
const rowOf = (path: string): string => path.includes("/") ? `${path.split("/")[0]}/` : path;

function importsOf(file: string, source: string): string[] {
  if (!file.endsWith(".ts")) return [];
  return specifiersOf(source).flatMap((specifier) => {
    if (specifier === ITSELF) return ["mod.ts"];
    return specifier.startsWith(".") ? [rowOf(posix.join(posix.dirname(file), specifier))] : [];
  });
}

/** The rows of a tree. @throws {Error} for a folder with code of which `about` says nothing */
export function rowsOf(root: string, about = ABOUT, calls = CALLS): Row[] {
  const rows = Object.entries(about).map(([name, about]): Row => ({ name, about, lines: 0, imports: new Set() }));
  const find = (name: string) => rows.find((row) => row.name === name);
  for (const file of filesIn(root)) {
    const row = find(rowOf(file));
    if (row === undefined) throw new Error(`tools/architecture.ts does not say what ${rowOf(file)} is for`);
    const source = readFileSync(join(root, file), "utf8");
    row.lines += source.split("\n").length - 1;
    for (const name of importsOf(file, source)) if (name !== row.name && find(name)) row.imports.add(name);
  }
  for (const [from, to] of calls) find(from)?.imports.add(to);
  return rows;
}

/** Lines in hundreds, so that a small change does not show. */
const rounded = (lines: number): string => (Math.max(1, Math.round(lines / 100)) * 100).toLocaleString("en");

/** What one row shows in the column of `target`. */
function cell(rows: readonly Row[], at: number, target: number): string {
  const importers = rows.flatMap((row, index) => row.imports.has(rows[target].name) ? [index] : []);
  if (at === target) return Math.min(...importers) < at ? "▼" : "▲";
  if (importers.includes(at)) return "●";
  const from = Math.min(target, ...importers), to = Math.max(target, ...importers);
  return from < at && at < to ? "│" : " ";
}

/** The picture: a row for each folder, and for each that is imported a column from its importers down to it. */
export function picture(rows: readonly Row[]): string {
  const targets = rows.map((_, index) => index)
    .filter((index) => rows.some((row) => row.imports.has(rows[index].name)));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, about, lines }, at) => {
    const cells = targets.map((target) => cell(rows, at, target)).join("  ");
    return `${name.padEnd(width)}  ${rounded(lines).padStart(6)}   ${cells}   ${about}`;
  }).join("\n");
}

/** Two pictures are the same if they differ by less than a tenth of each number of lines, or by a hundred. */
export function isSame(one: string, other: string): boolean {
  const NUMBER = /(?<= {2})[ \d,]{5}\d(?= )/g; // the column is six wide
  const numbers = (text: string) => [...text.matchAll(NUMBER)].map(([number]) => Number(number.replaceAll(",", "")));
  const shape = (text: string) => text.replace(NUMBER, "      ");
  const others = numbers(other);
  return shape(one) === shape(other) &&
    numbers(one).every((lines, index) => Math.abs(lines - others[index]) <= Math.max(100, lines / 10));
}

if (import.meta.main) {
  const page = readFileSync(PAGE, "utf8");
  const from = page.indexOf(BEGIN), to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${PAGE} has lost its marks, ${BEGIN} and ${END}`);
  const wanted = `${BEGIN}\n\n\`\`\`text\n${picture(rowsOf("."))}\n\`\`\`\n\n`;
  if (isSame(page.slice(from, to), wanted)) {
    console.log(`${PAGE} draws the tree as it is`);
  } else if (process.argv.includes("--check")) {
    console.error(`${PAGE} does not draw the tree as it is: run \`deno run -A tools/architecture.ts\``);
    process.exitCode = 1;
  } else {
    writeFileSync(PAGE, page.slice(0, from) + wanted + page.slice(to));
    console.log(`${PAGE} written`);
  }
}
