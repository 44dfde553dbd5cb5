/**
 * Every place where the layout or a signature is written down once more, and what has to stand there.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cHeader, enumeratorPrefix } from "./c_header.ts";
import { historyFault, pageTables } from "./page.ts";
import { doubles, symbolTables } from "./signatures.ts";
import { readTable, SOURCE, type Table } from "./table.ts";

const SIGNATURES = "shim/frames_depot.h";
const HEADER = "shim/layout.h";
const PAGE = "docs/internals/layout.md";
const SYMBOLS = "ffi/symbols.ts";
const DOUBLES = "shim/doubles.c";
const PEER = "tests/c_peer/ring.h";

/** All files that a check reads. */
export const FILES = [SOURCE, HEADER, PAGE, PEER, SIGNATURES, SYMBOLS, DOUBLES] as const;

/** What a copy has, and what it should have. */
type Copy = { path: string; source: string; present: string; wanted: string };

/** A text with something else between two marks. */
function between(path: string, text: string, begin: string, end: string, inner: string): string {
  const from = text.indexOf(begin), to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${path} has lost its marks, ${begin} and ${end}`);
  return `${text.slice(0, from)}${begin}\n\n${inner}\n\n${text.slice(to)}`;
}

function copies(root: string, table: Table): Copy[] {
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const page = read(PAGE), symbols = read(SYMBOLS);
  return [
    { path: HEADER, source: SOURCE, present: read(HEADER), wanted: cHeader(table) },
    {
      path: PAGE,
      source: SOURCE,
      present: page,
      wanted: between(PAGE, page, `<!-- begin: made from ${SOURCE} -->`, "<!-- end -->", pageTables(table)),
    },
    {
      path: SYMBOLS,
      source: SIGNATURES,
      present: symbols,
      wanted: between(SYMBOLS, symbols, `// begin: made from ${SIGNATURES}`, "// end", symbolTables(read(SIGNATURES))),
    },
    { path: DOUBLES, source: SIGNATURES, present: read(DOUBLES), wanted: doubles(read(SIGNATURES)) },
  ];
}

/** Names of the layout that the C peer defines once more, with or without their prefix. */
function definedAnew(root: string, { constants, enumerations }: Table): string[] {
  const text = readFileSync(join(root, PEER), "utf8");
  const names = [...constants.map(({ name }) => name), ...enumerations.map(enumeratorPrefix)];
  return names.filter((name) => new RegExp(`(#define |[{,]\\s*)(FD_)?${name}`).test(text));
}

/** What is wrong with the copies below a folder, a sentence each. */
export async function faults(root: string): Promise<string[]> {
  const table = await readTable(root);
  const all = copies(root, table);
  const different = all.filter(({ present, wanted }) => present !== wanted)
    .map(({ path, source }) => `${path} is not what ${source} says: run \`deno task layout\``);
  const history = historyFault(all.find(({ path }) => path === PAGE)!.present, table.version);
  const anew = definedAnew(root, table).map((name) => `${PEER} defines ${name}, which ${HEADER} has`);
  return [...different, ...history === undefined ? [] : [`${PAGE}: ${history}`], ...anew];
}

/** Writes the copies anew. @returns the paths of those that were different */
export async function write(root: string): Promise<string[]> {
  const different = copies(root, await readTable(root)).filter(({ present, wanted }) => present !== wanted);
  for (const { path, wanted } of different) writeFileSync(join(root, path), wanted);
  return different.map(({ path }) => path);
}
