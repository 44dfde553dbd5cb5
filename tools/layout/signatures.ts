/**
 * The functions and numbers of `shim/frames_depot.h`: for `ffi/symbols.ts`, and in C once more with doubles alone.
 *
 * @module
 */

const NUMBERS: Record<string, string> = { int32_t: "i32", uint32_t: "u32", double: "f64", void: "void" };
/** Handles and addresses in a mapping are pointers. Every other pointer is a typed array of the caller's. */
const HANDLE = /^fd_\w+ \*$/;
const ADDRESSES = ["base", "word"];
const LINE_WIDTH = 120;

const partsOf = (parameter: string) => /^(?:const )?(?<type>.*?)(?<name>\w+)$/.exec(parameter.trim())!.groups!;
const listOf = (parameters: string): string[] => parameters === "void" ? [] : parameters.split(",");

function typeOf(parameter: string): string {
  const { type, name } = partsOf(parameter);
  if (!type.includes("*")) {
    const number = NUMBERS[type.trim()];
    if (number === undefined) throw new Error(`shim/frames_depot.h: no native type for "${parameter}"`);
    return number;
  }
  return HANDLE.test(type) || ADDRESSES.includes(name) ? "pointer" : "buffer";
}

function symbol(name: string, result: string, parameters: string): string {
  const types = listOf(parameters).map(typeOf);
  const list = `parameters: [${types.map((type) => `"${type}"`).join(", ")}]`;
  const line = `  ${name}: { ${list}, result: "${NUMBERS[result]}" },`;
  return line.length <= LINE_WIDTH ? line : `  ${name}: {\n    ${list},\n    result: "${NUMBERS[result]}",\n  },`;
}

/** Enumerators with their values, in order. */
function* enumerators(code: string): Generator<[name: string, value: number]> {
  for (const [, body] of code.matchAll(/\benum\s*\{([^}]*)\}/g)) {
    let next = 0;
    for (const one of body.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
      const match = /^FD_(\w+)(?:\s*=\s*(-?(?:0|[1-9]\d*)))?$/.exec(one);
      if (match === null) throw new Error(`shim/frames_depot.h: "${one}" is not FD_NAME or FD_NAME = a decimal number`);
      const [, name, value = next] = match;
      yield [name, Number(value)];
      next = Number(value) + 1;
    }
  }
}

const codeOf = (header: string): string => header.replace(/\/\*[\s\S]*?\*\//g, "");

function functionsOf(code: string): [result: string, name: string, parameters: string][] {
  const functions = [...code.matchAll(/^FD_API (\w+) (fd_\w+)\(([^)]*)\);/gm)];
  if (functions.length !== [...code.matchAll(/^FD_API /gm)].length) {
    throw new Error("shim/frames_depot.h: a function's type is not one name");
  }
  return functions.map(([, result, name, parameters]) => [result, name, parameters]);
}

/** What stands between the marks of `ffi/symbols.ts`. */
export function symbolTables(header: string): string {
  const code = codeOf(header);
  const functions = functionsOf(code);
  return `/** The version of the interface, which the loader compares. */
export const ABI = ${/#define FD_ABI (\d+)/.exec(code)?.[1]};

/** Every exported C function, in the order of the header. */
export const SYMBOLS = {
${functions.map(([result, name, parameters]) => symbol(name, result, parameters)).join("\n")}
} as const;

/** The numbers of the header by their names there, without \`FD_\`. */
export const FD = {
${[...enumerators(code)].map(([name, value]) => `  ${name}: ${value},`).join("\n")}
} as const;`;
}

/** A double as what a parameter is. */
const CASTS: Record<string, string> = { i32: "(int32_t)", u32: "(uint32_t)", f64: "", pointer: "AT", buffer: "AT" };

/** A line of C, broken after commas. */
function folded(line: string): string {
  if (line.length <= LINE_WIDTH) return line;
  const comma = line.lastIndexOf(", ", LINE_WIDTH - 1);
  return `${line.slice(0, comma + 1)}\n${folded(`      ${line.slice(comma + 2)}`)}`;
}

function withDoubles(result: string, name: string, parameters: string): string {
  const all = listOf(parameters).map((one) => ({ name: partsOf(one).name, cast: CASTS[typeOf(one)] }));
  const list = all.map(({ name }) => `double ${name}`).join(", ");
  const values = all.map(({ name, cast }) => cast === "AT" ? `AT(${name})` : cast + name).join(", ");
  const call = `${result === "void" ? "" : "return "}${name}(${values});`;
  return `${folded(`FD_API ${result} ${name.replace("fd_", "fdd_")}(${list}) {`)}\n${folded(`  ${call}`)}\n}`;
}

/** The whole of `shim/doubles.c`: the functions that take a handle or an address. */
export function doubles(header: string): string {
  const functions = functionsOf(codeOf(header)).filter(([, , parameters]) => {
    return listOf(parameters).some((one) => typeOf(one) === "pointer");
  });
  return `/* The functions that take a handle or an address, with nothing but doubles: for runtimes that call these without
 * converting a value. Made from shim/frames_depot.h by \`deno task layout\`: do not edit. */
#include "frames_depot.h"

#define AT(address) ((void *)(uintptr_t)(address))

${functions.map((one) => withDoubles(...one)).join("\n")}
`;
}
