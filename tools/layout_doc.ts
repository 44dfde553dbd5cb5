/**
 * Writes the tables of docs/internals/layout.md from ring/layout.ts, so that they cannot drift apart; `--check` only compares.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";

const SOURCE = "ring/layout.ts";
const TARGET = "docs/internals/layout.md";
const BEGIN = "<!-- begin: made from ring/layout.ts -->";
const END = "<!-- end -->";

/** One section: its documentation, its size, and its fields as the source's lines have them. */
function sections(text: string): string[] {
  const found: string[] = [];
  for (
    const [, comment, name, body] of text.matchAll(/\/\*\* (.*?) \*\/\nexport const (\w+) = \{\n([\s\S]*?)\n\} as/g)
  ) {
    const size = /size: (\d+)/.exec(body)?.[1];
    if (size === undefined) continue; // not a section of the segment
    const rows = [...body.matchAll(/^ {2}(\w+): (\d+),(?: \/\/ (.*))?$/gm)]
      .filter(([, field]) => field !== "size")
      .map(([, field, offset, note = ""]) => {
        const [type, ...meaning] = note.replaceAll("|", "\\|").split("; ");
        return `| ${offset} | \`${field}\` | ${type} | ${meaning.join("; ")} |`;
      });
    found.push(
      `### ${name}: ${size} bytes\n\n${comment}\n\n| offset | field | type | meaning |\n|---|---|---|---|\n${
        rows.join("\n")
      }`,
    );
  }
  return found;
}

const made = sections(readFileSync(SOURCE, "utf8")).join("\n\n");
const document = readFileSync(TARGET, "utf8");
const [before, rest] = document.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`${TARGET} has lost its marks, ${BEGIN} and ${END}`);
const wanted = `${before}${BEGIN}\n\n${made}\n\n${END}${after}`;
// deno fmt aligns tables: compare without white space and dashes.
const plain = (text: string) => text.replace(/[\s-]+/g, "");

const version = readFileSync(SOURCE, "utf8").match(/LAYOUT_VERSION = (\d+)/)![1];
for (const needed of [`\`version\` ${version},`, `\n| ${version} `]) {
  if (document.includes(needed)) continue;
  console.error(`${TARGET} does not say ${JSON.stringify(needed)}: the layout's version is ${version}`);
  Deno.exit(1);
}

if (plain(wanted) === plain(document)) {
  console.log(`${TARGET} is what ${SOURCE} says`);
} else if (Deno.args.includes("--check")) {
  console.error(`${TARGET} is not what ${SOURCE} says: run \`deno run -A tools/layout_doc.ts\` and \`deno fmt\``);
  Deno.exit(1);
} else {
  writeFileSync(TARGET, wanted);
  console.log(`${TARGET} written`);
}
