/**
 * The package.json of each package.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { LEAST_NODE } from "../../ffi/node.ts";

/** The library's name in every registry. */
export const LIBRARY = "@frames-depot/frames-depot";
/** The command line's. */
export const CLI = "@frames-depot/cli";

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));

const { version, license } = read("deno.json") as { version: string; license: string };

const COMMON = {
  version,
  license,
  type: "module",
  engines: { node: `>=${LEAST_NODE}` },
  keywords: ["video", "frames", "shared memory", "ipc", "ring buffer", "deno", "bun", "node"],
};

/** Of a package of one module, which depends on nothing but the runtime. */
export function libraryManifest(): object {
  return {
    name: LIBRARY,
    description: "Video frames in shared memory for Deno, Bun and Node: by name and number, without copies or a daemon",
    ...COMMON,
    exports: { ".": { types: "./mod.d.ts", default: "./mod.js" }, "./package.json": "./package.json" },
    types: "./mod.d.ts",
    files: ["*.js", "*.map", "*.d.ts", "depot", "ring", "ffi", "docs", "CHANGELOG.md", "SECURITY.md"],
    sideEffects: false,
  };
}

/** Of the program `frames-depot`, which depends on the library of its own version. */
export function cliManifest(): object {
  const { dependencies } = read("cli/package.json") as { dependencies: Record<string, string> };
  return {
    name: CLI,
    description: "The command line of Frames Depot: shows, fills, records and checks depots of video frames",
    ...COMMON,
    bin: { "frames-depot": "cli/node.js" },
    files: ["cli", "CHANGELOG.md"],
    dependencies: { [LIBRARY]: version, ...dependencies },
  };
}
