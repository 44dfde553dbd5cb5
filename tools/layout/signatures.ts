/**
 * The functions and numbers of `shim/frames_depot.h` for `ffi/symbols.ts`.
 *
 * @module
 */

const NUMBERS: Record<string, string> = { int32_t: "i32", uint32_t: "u32", double: "f64", void: "void" };
/** Handles and addresses in a mapping are pointers. Every other pointer is a typed array of the caller's. */
const HANDLE = /^fd_\w+ \*$/;
const ADDRESSES = ["base", "word"];
const LINE_WIDTH = 120;

function typeOf(parameter: string): string {
  const [, type, name] = /^(?:const )?(.*?)(\w+)$/.exec(parameter.trim())!;
  if (!type.includes("*")) {
    const number = NUMBERS[type.trim()];
    if (number === undefined) throw new Error(`shim/frames_depot.h: no native type for "${parameter}"`);
    return number;
  }
  return HANDLE.test(type) || ADDRESSES.includes(name) ? "pointer" : "buffer";
}

function symbol(name: string, result: string, parameters: string): string {
  const types = parameters === "void" ? [] : parameters.split(",").map(typeOf);
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

/** What stands between the marks of `ffi/symbols.ts`. */
export function symbolTables(header: string): string {
  const code = header.replace(/\/\*[\s\S]*?\*\//g, "");
  const functions = [...code.matchAll(/^FD_API (\w+) (fd_\w+)\(([^)]*)\);/gm)];
  if (functions.length !== [...code.matchAll(/^FD_API /gm)].length) {
    throw new Error("shim/frames_depot.h: a function's type is not one name");
  }
  return `/** The version of the interface, which the loader compares. */
export const ABI = ${/#define FD_ABI (\d+)/.exec(code)?.[1]};

/** Every exported C function, in the order of the header. */
export const SYMBOLS = {
${functions.map(([, result, name, parameters]) => symbol(name, result, parameters)).join("\n")}
} as const;

/** The numbers of the header by their names there, without \`FD_\`. */
export const FD = {
${[...enumerators(code)].map(([name, value]) => `  ${name}: ${value},`).join("\n")}
} as const;`;
}
