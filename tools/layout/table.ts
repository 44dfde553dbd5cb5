/**
 * The table of `ring/layout.ts` as data. Values come from the module itself; types, meanings and the way a number is
 * written come from its text.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The file that says what a segment looks like; every other copy is made from it. */
export const SOURCE = "ring/layout.ts";

/** One word, or an array of them. */
export type Field = { name: string; offset: number; type: string; count: number; meaning: string };
/** One structure of the segment. */
export type Section = { name: string; about: string; bytes: number; fields: Field[] };
/** A number or text by itself; `text` is how the source writes it. */
export type Constant = { name: string; about: string; value: number | string; text: string };
/** Names that the segment holds as numbers. */
export type Enumeration = { name: string; about: string; numbers: [name: string, number: number][] };
/** All that is written of the layout. */
export type Table = { sections: Section[]; constants: Constant[]; enumerations: Enumeration[]; version: number };

/** Bytes of one word of each type. */
const TYPE_BYTES: Record<string, number> = { u8: 1, u32: 4, u64: 8, "u64+1": 8, i64: 8, f64: 8 };

const EXPORT = /\/\*\* (.*?) \*\/\nexport const (\w+)(?:: number)? = ([\s\S]*?);\n/g;
const FIELD = /^ {2}(\w+): \d+, \/\/ (u8|u32|u64|u64\+1|i64|f64)(?:\[(\d+)\])?(?:; (.*))?$/gm;

/** Bytes of a whole field. */
export const bytesOf = ({ type, count }: Field): number => TYPE_BYTES[type] * count;

function sectionOf(name: string, about: string, text: string, value: Record<string, number>): Section {
  const fields = [...text.matchAll(FIELD)].map(([, field, type, count = "1", meaning = ""]) => (
    { name: field, offset: value[field], type, count: Number(count), meaning }
  ));
  const untold = Object.keys(value).filter((key) => key !== "size" && !fields.some((field) => field.name === key));
  if (untold.length > 0) throw new Error(`${SOURCE}: ${name}.${untold[0]} has no type in its comment`);
  return { name, about, bytes: value.size, fields };
}

/** Reads the table of the sources below a folder. */
export async function readTable(root: string): Promise<Table> {
  const path = join(root, SOURCE);
  const values = await import(pathToFileURL(path).href);
  const table: Table = { sections: [], constants: [], enumerations: [], version: values.LAYOUT_VERSION };
  for (const [, about, name, text] of readFileSync(path, "utf8").matchAll(EXPORT)) {
    const value = values[name];
    if (typeof value !== "object") table.constants.push({ name, about, value, text });
    else if (Array.isArray(value)) {
      table.enumerations.push({ name, about, numbers: value.map((one: string, number) => [one, number]) });
    } else if ("size" in value) table.sections.push(sectionOf(name, about, text, value));
    else table.enumerations.push({ name, about, numbers: Object.entries(value) });
  }
  const found = [...table.constants, ...table.sections, ...table.enumerations].map(({ name }) => name);
  const missed = Object.keys(values).find((name) => !found.includes(name));
  if (missed !== undefined) throw new Error(`${SOURCE}: ${missed} is not a constant with a comment of one line`);
  return table;
}
