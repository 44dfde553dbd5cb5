/**
 * Checks the English that people meet: Markdown, comments, and the texts of messages. Folders or files on the command
 * line limit the check to them; `--count` only shows how many phrases each folder has.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { PATTERNS } from "./words/patterns.ts";
import { proseOf } from "./words/prose.ts";

const SOURCES = /\.(?:md|ts|c|h|pml)$/;
/** What is not written by hand, and where the phrases themselves stand. */
const SKIPPED = ["ffi/prebuilt/", "bench/results/", "tools/words/patterns.ts", "tests/words.test.ts"];

/** A phrase that should be another. */
export type Fault = { line: number; phrase: string; instead: string };

/** The phrases of one file that should be others. */
export function faultsIn(path: string, text: string): Fault[] {
  const prose = proseOf(path, text);
  return PATTERNS.flatMap(({ phrase, instead }) =>
    Array.from(prose.matchAll(phrase), (match) => ({
      line: prose.slice(0, match.index).split("\n").length,
      phrase: match[0].replace(/\s+/g, " ").trim(),
      instead,
    }))
  ).sort((a, b) => a.line - b.line);
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
  const isAsked = (path: string) => places.length === 0 || places.some((place) => path.startsWith(place));
  const lines = filesBelow(".").filter(isAsked).flatMap((path) =>
    faultsIn(path, readFileSync(path, "utf8")).map(({ line, phrase, instead }) =>
      `${path}:${line}: "${phrase}": ${instead}`
    )
  );
  for (const line of lines) console.error(line);
  if (lines.length > 0) {
    console.error(`${lines.length} phrases to write otherwise`);
    process.exit(1);
  }
  console.log("the words are plain");
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
