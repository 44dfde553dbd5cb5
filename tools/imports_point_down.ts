/**
 * Checks that imports point down only: mod > depot > ring > ffi > shim. `layout.ts` and `errors.ts` import nothing and
 * may be imported from anywhere; runtime-specific names stand in ffi/ alone.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Rooms from the top down. What is not listed (cli/, tools/, tests/, bench/) is a user: it may import anything. */
const ROOMS = ["", "depot", "ring", "ffi"];
const LEAVES = ["ring/layout.ts", "errors.ts"];
const IMPORT = /(?:from|import)\s*\(?\s*"([^"\n]+)"/g;
const RUNTIME_NAMES = /\b(Deno|Bun)\.|"bun:/;

const roomOf = (path: string): number => ROOMS.indexOf(path.includes("/") ? path.split("/")[0] : "");
const faults: string[] = [];

function files(room: string): string[] {
  return readdirSync(room || ".", { recursive: room !== "", encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => room === "" ? name : `${room}/${name}`);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

for (const file of ROOMS.flatMap(files)) {
  const code = withoutComments(readFileSync(file, "utf8"));
  for (const [, specifier] of code.matchAll(IMPORT)) {
    if (!specifier.startsWith(".")) {
      faults.push(`${file}: imports ${specifier}; the library depends on nothing`);
      continue;
    }
    const target = normalize(join(dirname(file), specifier)).replaceAll("\\", "/");
    if (LEAVES.includes(file)) faults.push(`${file}: imports ${specifier}; it must import nothing`);
    else if (!LEAVES.includes(target) && roomOf(target) < roomOf(file)) {
      faults.push(`${file}: imports ${target}, which is above it`);
    }
  }
  if (!file.startsWith("ffi/") && RUNTIME_NAMES.test(code)) faults.push(`${file}: names a runtime outside ffi/`);
}

for (const fault of faults) console.error(fault);
console.log(faults.length === 0 ? "imports point down" : `${faults.length} imports or names are in the wrong room`);
if (faults.length > 0) Deno.exit(1);
