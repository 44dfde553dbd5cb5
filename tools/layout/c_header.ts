/**
 * `shim/layout.h`: the table for C.
 *
 * @module
 */
import { bytesOf, type Constant, type Enumeration, type Field, type Section, type Table } from "./table.ts";

const C_TYPES: Record<string, string> = {
  u8: "uint8_t",
  u32: "uint32_t",
  u64: "uint64_t",
  "u64+1": "uint64_t",
  i64: "int64_t",
  f64: "double",
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `READER_MODES` has `READER_MODE_LOSSY`, `MATRICES` has `MATRIX_RGB`. */
export const enumeratorPrefix = ({ name }: Enumeration): string =>
  name.replace(/ICES$/, "IX").replace(/IES$/, "Y").replace(/S$/, "");

const literal = ({ value, text }: Constant): string =>
  typeof value === "string"
    ? `"${value}"`
    : `${text.startsWith("0x") ? text : BigInt(value)}${value < 2 ** 32 ? "u" : "ull"}`;

function constant(one: Constant): string {
  return `/* ${one.about} */\n#define FD_${one.name} ${literal(one)}`;
}

function enumeration(all: Enumeration): string {
  const prefix = enumeratorPrefix(all);
  const members = all.numbers.map(([one, number]) =>
    `FD_${prefix}_${one.toUpperCase().replaceAll("-", "_")} = ${number}`
  );
  return `/* ${all.about} */\nenum {\n  ${members.join(",\n  ")}\n};`;
}

function member({ name, type, count }: Field): string {
  return `  ${C_TYPES[type]} ${snake(name)}${count > 1 ? `[${count}]` : ""};`;
}

/** A structure, with what lies between two fields as reserved bytes. */
function structure({ name, about, bytes, fields }: Section): string {
  const lines: string[] = [];
  let end = 0, gaps = 0;
  const fillTo = (offset: number) => {
    if (offset > end) lines.push(`  uint8_t reserved${++gaps}[${offset - end}];`);
  };
  for (const field of fields) {
    fillTo(field.offset);
    lines.push(member(field));
    end = field.offset + bytesOf(field);
  }
  fillTo(bytes);
  return `/* ${about} */\nstruct fd_${name.toLowerCase()} {\n${lines.join("\n")}\n};`;
}

const listed = (rows: string[]): string => rows.map((row) => ` \\\n  ${row}`).join("");

function fieldRows({ name, fields }: Section): string[] {
  return fields.map((field) => `X(${name.toLowerCase()}, ${snake(field.name)}, ${field.offset}, ${bytesOf(field)})`);
}

/** The whole header. */
export function cHeader({ sections, constants, enumerations }: Table): string {
  return `/* The bytes of a segment, for C. Made from ring/layout.ts by \`deno task layout\`: do not edit. */
#ifndef FRAMES_DEPOT_LAYOUT_H
#define FRAMES_DEPOT_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

${constants.map(constant).join("\n")}

${enumerations.map(enumeration).join("\n\n")}

${sections.map(structure).join("\n\n")}

/* X(section, field, offset, bytes) */
#define FD_LAYOUT_FIELDS(X)${listed(sections.flatMap(fieldRows))}

/* X(section, bytes) */
#define FD_LAYOUT_SECTIONS(X)${listed(sections.map(({ name, bytes }) => `X(${name.toLowerCase()}, ${bytes})`))}

#define FD_ASSERT_FIELD(section, field, at, bytes) \\
  static_assert(offsetof(struct fd_##section, field) == (at), #section "." #field " has moved"); \\
  static_assert(sizeof(((struct fd_##section *)0)->field) == (bytes), #section "." #field " has another size");
#define FD_ASSERT_SECTION(section, bytes) \\
  static_assert(sizeof(struct fd_##section) == (bytes), #section " has another size");
FD_LAYOUT_FIELDS(FD_ASSERT_FIELD)
FD_LAYOUT_SECTIONS(FD_ASSERT_SECTION)

#endif
`;
}
