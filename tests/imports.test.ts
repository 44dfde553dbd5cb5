/** The check of imports finds every kind of import that points up, however it is written. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ITSELF, RULES } from "../tools/imports_point_down.ts";
import { faultsIn } from "../tools/rooms/faults.ts";

/** A tree in which everything is in order. */
const SOUND: Record<string, string> = {
  "mod.ts": 'export { FramesDepot } from "./depot/depot.ts";\nexport * from "./errors.ts";\n',
  "depot/depot.ts": 'import { Segment } from "../ring/segment.ts";\nimport type { Frame } from "./frame.ts";\n',
  "depot/frame.ts": 'import { DepotError } from "../errors.ts";\n',
  "ring/segment.ts": 'import { HEADER } from "./layout.ts";\nimport { loadShim } from "../ffi/load.ts";\n',
  "ring/lane.ts": '/* Deno.\n * import "../mod.ts"\nimport "../mod.ts"; */\nconst a = /\\/*"/; // import "../mod.ts"\n',
  "ring/layout.ts": 'export const HEADER = "from \\"../mod.ts\\"";\n',
  "ffi/load.ts": 'import { DepotError } from "../errors.ts";\nconst path = Deno.execPath();\n',
  "errors.ts": "export class DepotError extends Error {}\n",
  "shim/build.ts": 'import fs from "node:fs";\n',
  "cli/main.ts": 'import { FramesDepot } from "../mod.ts";\nimport { Command } from "commander";\n',
  "examples/files.ts": `import { FramesDepot } from "${ITSELF}";\nimport fs from "node:fs";\n`,
  "examples/websocket.ts": `import { FramesDepot } from "${ITSELF}";\nimport { WebSocketServer } from "ws";\n`,
  "bench/main.ts": 'import { bunPath } from "../tools/support/runtimes.ts";\n',
  "tools/test.ts": 'import { bunPath } from "./support/runtimes.ts";\n// import "../tests/a.test.ts";\n',
  "tools/support/runtimes.ts": 'import process from "node:process";\nawait import(process.argv[2]);\n',
  "tests/a.test.ts": 'import { run } from "../tools/test.ts";\nimport { Segment } from "../ring/segment.ts";\n',
};

/** What is found in the sound tree with some files changed. */
function faultsWith(changes: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), "frames-depot-imports-"));
  try {
    for (const [path, source] of Object.entries({ ...SOUND, ...changes })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), source);
    }
    return faultsIn(root, RULES, ITSELF);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test("faultsIn finds nothing in a tree whose imports point down", () => {
  assertEquals(faultsWith({}), []);
});

const VIOLATIONS: [title: string, path: string, source: string, says: string][] = [
  ["an import of values", "ring/reader.ts", 'import { a } from "../depot/frame.ts";', "imports depot/frame.ts"],
  ["one of several lines", "ffi/a.ts", 'import {\n  a, // why\n  b,\n} from "../ring/segment.ts";', "ring/segment.ts"],
  ["an import of types", "ring/reader.ts", 'import type { A } from "../depot/frame.ts";', "imports depot/frame.ts"],
  ["a type in the middle", "ring/reader.ts", 'let a: import("../depot/frame.ts").A;', "imports depot/frame.ts"],
  ["an export", "ffi/a.ts", 'export * from "../ring/segment.ts";', "imports ring/segment.ts"],
  ["an export of types", "ffi/a.ts", 'export type { A } from "../mod.ts";', "imports mod.ts"],
  ["an import for its effects", "depot/a.ts", 'import "../mod.ts";', "imports mod.ts"],
  ["a dynamic import", "depot/a.ts", 'const a = await import("../mod.ts");', "imports mod.ts"],
  ["a computed import", "depot/a.ts", "const a = await import(path);", "computes the name of what it imports"],
  ["a worker", "tools/a.ts", 'new Worker(new URL("../tests/a.ts", import.meta.url));', "imports tests/a.ts"],
  ["a worker by its path", "ring/a.ts", 'new Worker("../depot/depot.ts");', "imports depot/depot.ts"],
  ["a required module", "ring/a.ts", 'const a = require("../depot/depot.ts");', "imports depot/depot.ts"],
  ["a resolved module", "tools/a.ts", 'import.meta.resolve("../tests/a.ts");', "imports tests/a.ts"],
  ["a reference", "ring/a.ts", '/// <reference path="../mod.ts" />', "imports mod.ts"],
  ["tests from a tool", "tools/a.ts", 'import { a } from "../tests/support/a.ts";', "imports tests/support/a.ts"],
  ["tests from a bench", "bench/a.ts", 'import { a } from "../tests/support/a.ts";', "imports tests/support/a.ts"],
  ["a tool from what tools share", "tools/support/a.ts", 'import { a } from "../test.ts";', "imports tools/test.ts"],
  ["a tool from another", "tools/soak/a.ts", 'import { a } from "../chaos/a.ts";', "imports tools/chaos/a.ts"],
  ["the inside from the command line", "cli/a.ts", 'import { a } from "../depot/depot.ts";', "imports depot/depot.ts"],
  ["the inside from an example", "examples/a.ts", 'import { a } from "../ring/segment.ts";', "imports ring/segment.ts"],
  ["a package in the library", "depot/a.ts", 'import { a } from "commander";', "imports commander"],
  ["a module of node in the library", "ffi/a.ts", 'import fs from "node:fs";', "imports node:fs"],
  ["a package in an example", "examples/a.ts", 'import { a } from "npm:a";', "imports npm:a"],
  ["a runtime outside ffi", "ring/a.ts", "const a = Deno.execPath();", "names a runtime"],
  ["a runtime that is taken apart", "ring/a.ts", "const { dlopen } = Deno;", "names a runtime"],
  ["a built-in module", "ring/a.ts", 'process.getBuiltinModule("node:fs");', "names a runtime"],
  ["an import of JavaScript", "ring/a.js", 'import { a } from "../depot/depot.ts";', "imports depot/depot.ts"],
  ["a layout that imports", "ring/layout.ts", 'import { a } from "./segment.ts";', "imports ring/segment.ts"],
  ["errors that import", "errors.ts", 'import { a } from "./ffi/load.ts";', "imports ffi/load.ts"],
  ["errors that are not the ground", "ring/a.ts", 'import { a } from "../depot/errors.ts";', "imports depot/errors.ts"],
  ["a layout that is not ring's", "ffi/a.ts", 'import { a } from "../depot/layout.ts";', "imports depot/layout.ts"],
  ["a comment that asks for an exemption", "ring/a.ts", 'import "../mod.ts"; // imports: allowed', "imports mod.ts"],
  ["an import after a comment", "ring/a.ts", '/* a */ import { a } from "../mod.ts";', "imports mod.ts"],
  ["an import around a comment", "ring/a.ts", 'import { /* ; */ a } from "../mod.ts";', "imports mod.ts"],
  ["an import after a string", "ring/a.ts", 'const a = " // ", b = import("../mod.ts");', "imports mod.ts"],
  ["a folder without a rule", "clients/a.ts", "export const a = 1;", "is in no room"],
];

for (const [title, path, source, says] of VIOLATIONS) {
  test(`faultsIn finds ${title}`, () => {
    const faults = faultsWith({ [path]: `${source}\n` });
    assertStringIncludes(faults.join("\n"), `${path}: `);
    assertStringIncludes(faults.join("\n"), says);
  });
}

test("faultsIn finds a circle of files, also of types, of a module that it starts, and of a file with itself", () => {
  assertEquals(faultsWith({ "depot/frame.ts": 'import type { A } from "./depot.ts";\n' }), [
    "a circle: depot/depot.ts > depot/frame.ts > depot/depot.ts",
  ]);
  const starts = 'import type { A } from "./a.ts";\n';
  assertEquals(
    faultsWith({ "cli/a.ts": 'const a = new URL("./b.ts", import.meta.url);\n', "cli/b.ts": starts }),
    ["a circle: cli/a.ts > cli/b.ts > cli/a.ts"],
  );
  assertEquals(faultsWith({ "cli/a.ts": starts }), ["a circle: cli/a.ts > cli/a.ts"]);
});
