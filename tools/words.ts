/**
 * Checks the English that people meet: Markdown, comments, and the texts of messages; and that comments of code are
 * wrapped, which `deno fmt` does not do. Folders or files on the command line limit the check to them; `--count` only
 * shows how much each folder has to change.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { PATTERNS } from "./words/patterns.ts";
import { proseOf } from "./words/prose.ts";

const SOURCES = /\.(?:md|ts|js|c|h|pml)$/;
/** What is not written by hand, and where the phrases themselves stand. */
const SKIPPED = ["ffi/prebuilt/", "bench/results/", "tools/words/patterns.ts", "tests/words.test.ts"];

const WRAPPED = /\.(?:ts|js|c|h)$/;
const COMMENT_LINE = /^\s*(?:\/\*|\*|\/\/)/;
const LINE_WIDTH = 120;

/** A phrase that should be another, or a line that should be two. */
export type Fault = { line: number; phrase: string; instead: string };

function longComments(text: string): Fault[] {
  return text.split("\n").flatMap((line, index) =>
    line.length > LINE_WIDTH && COMMENT_LINE.test(line)
      ? [{ line: index + 1, phrase: `…${line.slice(-20)}`, instead: `wrap the comment at ${LINE_WIDTH} characters` }]
      : []
  );
}

/** What should be written otherwise in one file. */
export function faultsIn(path: string, text: string): Fault[] {
  const prose = proseOf(path, text);
  const phrases = PATTERNS.flatMap(({ phrase, instead }) =>
    Array.from(prose.matchAll(phrase), (match) => ({
      line: prose.slice(0, match.index).split("\n").length,
      phrase: match[0].replace(/\s+/g, " ").trim(),
      instead,
    }))
  );
  return [...phrases, ...WRAPPED.test(path) ? longComments(text) : []].sort((a, b) => a.line - b.line);
}

/** Those of the files that lie at the places; all where there are no places. @throws {Error} for a place without any */
export function filesAt(places: readonly string[], files: readonly string[]): string[] {
  const isAt = (place: string) => (path: string) => path === place || path.startsWith(place.replace(/\/?$/, "/"));
  const empty = places.find((place) => !files.some(isAt(place)));
  if (empty !== undefined) throw new Error(`there is nothing to check at ${empty}`);
  return files.filter((path) => places.length === 0 || places.some((place) => isAt(place)(path)));
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    const path = root === "." ? entry.name : `${root}/${entry.name}`;
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    if (SKIPPED.some((skipped) => `${path}/`.startsWith(skipped) || path === skipped)) return [];
    return entry.isDirectory() ? filesBelow(path) : SOURCES.test(path) ? [path] : [];
  }).sort();
}

/** @param places folders or files to check; everything where there are none */
function check(places: string[]): void {
  const lines = filesAt(places, filesBelow(".")).flatMap((path) =>
    faultsIn(path, readFileSync(path, "utf8")).map(({ line, phrase, instead }) =>
      `${path}:${line}: "${phrase}": ${instead}`
    )
  );
  for (const line of lines) console.error(line);
  if (lines.length > 0) {
    console.error(`${lines.length} phrases and lines to write otherwise`);
    process.exit(1);
  }
  console.log("the words are plain, and the comments are wrapped");
}

function count(): void {
  const counts = new Map<string, number>();
  for (const path of filesBelow(".")) {
    const found = faultsIn(path, readFileSync(path, "utf8")).length;
    const folder = path.slice(0, path.lastIndexOf("/") + 1) || path;
    if (found > 0) counts.set(folder, (counts.get(folder) ?? 0) + found);
  }
  for (const [folder, number] of counts) console.log(`${String(number).padStart(5)}  ${folder}`);
}

if (import.meta.main) {
  const parameters = process.argv.slice(2);
  parameters.includes("--count") ? count() : check(parameters);
}
