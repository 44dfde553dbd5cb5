/** The picture of the tree: what it shows of a tree that is made for it, and which changes it does not mind. */
import { assertEquals, assertThrows } from "@std/assert";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { isSame, picture, rowsOf } from "../tools/architecture.ts";

const ABOUT = { "tests/": "tests", "mod.ts": "names", "ring/": "the machine", "shim/": "C" };
const TREE: Record<string, string> = {
  "tests/a.test.ts": 'import { a } from "../mod.ts";\nimport type { B } from "../ring/b.ts";\n',
  "mod.ts": 'export * from "./ring/b.ts";\n',
  "ring/b.ts": 'import { c } from "./c.ts";\n',
  "ring/c.ts": "//\n".repeat(1249),
  "ring/prebuilt/d.ts": "//\n".repeat(9999),
  "shim/e.c": "/* */\n".repeat(200),
};

function drawn(tree: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "frames-depot-architecture-"));
  try {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return picture(rowsOf(root, ABOUT, [["ring/", "shim/"]]));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test("picture has a row for each folder and a column for each that is imported", () => {
  assertEquals(drawn(TREE).split("\n"), [
    "tests/     100   ●  ●      tests",
    "mod.ts     100   ▼  ●      names",
    "ring/    1,300      ▼  ●   the machine",
    "shim/      200         ▼   C",
  ]);
});

test("picture shows an import that points up", () => {
  const upward = drawn({ ...TREE, "ring/b.ts": 'import type { B } from "../tests/a.test.ts";\n' });
  assertEquals(upward.split("\n").map((line) => line.slice(17, 18)), ["▲", "│", "●", " "]);
});

test("rowsOf refuses a folder with code of which nothing is said", () => {
  assertThrows(() => drawn({ ...TREE, "clients/f.c": "" }), Error, "does not say what clients/ is for");
});

test("isSame minds a new arrow and many lines, and no small change", () => {
  const changed = (file: string, text: string) => isSame(drawn(TREE), drawn({ ...TREE, [file]: text }));
  assertEquals(changed("ring/c.ts", "//\n".repeat(1330)), true);
  assertEquals(changed("ring/c.ts", "//\n".repeat(1500)), false);
  assertEquals(changed("ring/c.ts", "//\n".repeat(900)), false);
  assertEquals(changed("mod.ts", "//\n"), false);
});

test("isSame minds a mark in another column, where only the spaces differ", () => {
  const drawing = drawn(TREE);
  for (const [from, to] of [["▼  ●      ", "▼      ●  "], ["       ▼   C", "    ▼      C"], [" ▼   C", " ▼  C"]]) {
    assertEquals(drawing.includes(from), true, from);
    assertEquals(isSame(drawing, drawing.replace(from, to)), false, to);
  }
});
