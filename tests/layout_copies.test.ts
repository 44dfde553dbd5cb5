/**
 * The gate's check of everything that is written down more than once: the layout and the signatures of C.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { faults, FILES, write } from "../tools/layout/copies.ts";

const HERE = fileURLToPath(new URL("../", import.meta.url));

/** The files that a check reads, in a folder of their own, to be changed. */
class Tree implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "frames-depot-layout-"));

  constructor() {
    for (const path of FILES) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      cpSync(join(HERE, path), join(this.root, path));
    }
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  change(path: string, from: string, to: string): void {
    const text = this.read(path);
    assert(text.includes(from), `${path} has no ${JSON.stringify(from)}`);
    writeFileSync(join(this.root, path), text.replace(from, to));
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}

const VERSION = Number(/LAYOUT_VERSION = (\d+)/.exec(readFileSync(join(HERE, "ring/layout.ts"), "utf8"))![1]);
const ABI = Number(/ABI = (\d+)/.exec(readFileSync(join(HERE, "ffi/symbols.ts"), "utf8"))![1]);

/** One cell of each kind in each copy, as an author would change it by hand. */
const CELLS: [path: string, from: string, to: string][] = [
  ["ring/layout.ts", "  tail: 384, // u64", "  tail: 1024, // u64"],
  ["ring/layout.ts", "  gating: 4, // u32", "  gating: 4, // u64"],
  ["ring/layout.ts", "frames refused, ever", "frames refused"],
  ["ring/layout.ts", `LAYOUT_VERSION = ${VERSION}`, `LAYOUT_VERSION = ${VERSION + 1}`],
  ["ring/layout.ts", "KEPT: number = 2 ** 53", "KEPT: number = 2 ** 54"],
  ["ring/layout.ts", '"lossless", "lossy"', '"lossy", "lossless"'],
  ["ring/layout.ts", "peer: 1 }", "peer: 2 }"],
  ["shim/layout.h", "X(header, tail, 384, 8)", "X(header, tail, 392, 8)"],
  ["shim/layout.h", "uint64_t tail", "uint32_t tail"],
  ["shim/doubles.c", "fd_claim(AT(base), (int32_t)slot", "fd_claim(AT(base), (uint32_t)slot"],
  ["shim/layout.h", `FD_LAYOUT_VERSION ${VERSION}u`, `FD_LAYOUT_VERSION ${VERSION + 1}u`],
  ["shim/layout.h", "0x59444552u", "0x59444553u"],
  ["shim/layout.h", "FD_RUNTIME_BUN = 2", "FD_RUNTIME_BUN = 3"],
  ["shim/layout.h", "FD_LOCK_PEER = 1", "FD_LOCK_PEER = 2"],
  ["docs/internals/layout.md", "| 384    | `tail`", "| 392    | `tail`"],
  ["docs/internals/layout.md", "### PEER: 128 bytes", "### PEER: 64 bytes"],
  ["docs/internals/layout.md", `| \`LAYOUT_VERSION\`  | ${VERSION} `, `| \`LAYOUT_VERSION\`  | ${VERSION + 1} `],
  ["docs/internals/layout.md", "1 wait, 2 overwrite", "1 overwrite, 2 wait"],
  ["docs/internals/layout.md", `\n| ${VERSION}       |`, `\n| ${VERSION + 1}       |`],
  ["docs/internals/layout.md", `\n| ${VERSION - 1}       |`, `\n| ${VERSION}       |`],
  ["tests/c_peer/ring.h", "enum { FULL", "enum { EXTRA_PEERS = 31, FULL"],
  ["tests/c_peer/ring.h", "struct depot {", "#define KEPT (1ull << 54)\nstruct depot {"],
  [
    "shim/frames_depot.h",
    "fd_lock(fd_segment *segment, int32_t index)",
    "fd_lock(fd_segment *segment, uint32_t index)",
  ],
  ["shim/frames_depot.h", "fd_lock(fd_segment *segment, int32_t index)", "fd_lock(fd_segment *segment)"],
  ["shim/frames_depot.h", "FD_API double fd_now", "FD_API int32_t fd_now"],
  ["shim/frames_depot.h", `#define FD_ABI ${ABI}`, `#define FD_ABI ${ABI + 1}`],
  ["shim/frames_depot.h", "FD_PRODUCERS = 16", "FD_PRODUCERS = 32"],
  ["ffi/symbols.ts", `ABI = ${ABI}`, `ABI = ${ABI + 1}`],
  ["ffi/symbols.ts", 'fd_now: { parameters: [], result: "f64"', 'fd_now: { parameters: [], result: "i32"'],
  ["ffi/symbols.ts", 'fd_lock: { parameters: ["pointer", "i32"]', 'fd_lock: { parameters: ["pointer", "u32"]'],
  ["ffi/symbols.ts", "LANE_CONSUMED: 1", "LANE_CONSUMED: 0"],
];

/** What is before, between and after the marks; a file that is generated as a whole has none. */
const PARTS = /^([\s\S]*begin: made from.*\n)?([\s\S]*?)(\n(?:\/\/|<!--) end[\s\S]*)?$/;

test("faults finds none in the files as they are, and write changes none", async () => {
  using tree = new Tree();
  assertEquals([await faults(tree.root), await write(tree.root)], [[], []]);
});

test("faults finds a cell that was changed by hand, in every copy", async () => {
  for (const [path, from, to] of CELLS) {
    using tree = new Tree();
    tree.change(path, from, to);
    assert((await faults(tree.root)).length > 0, `${path}: ${to} was not found`);
  }
});

test("faults finds any number that was changed in a generated part", async () => {
  using tree = new Tree();
  for (const path of ["shim/layout.h", "docs/internals/layout.md", "ffi/symbols.ts"]) {
    const text = tree.read(path);
    const [, before = "", made, after = ""] = PARTS.exec(text)!;
    for (const { 0: number, index } of made.matchAll(/\b\d+/g)) {
      const changed = `${made.slice(0, index)}1${number}${made.slice(index + number.length)}`;
      writeFileSync(join(tree.root, path), before + changed + after);
      assertEquals((await faults(tree.root)).length, 1, `${path}: ${number} at ${index} was not found`);
    }
    writeFileSync(join(tree.root, path), text);
  }
});

/** Ways to write the sources that a check cannot read, and so must not pass over. */
const UNREADABLE: [path: string, from: string, to: string][] = [
  ["shim/frames_depot.h", "FD_SLEEPERS = 8", "FD_SLEEPERS = 0x08"],
  ["shim/frames_depot.h", "FD_SLEEPERS = 8", "FD_SLEEPERS = 010"],
  ["shim/frames_depot.h", "FD_SLEEPERS = 8", "FD_SLEEPERS = 1 << 3"],
  ["shim/frames_depot.h", "FD_SLEEPERS = 8", "FD_SLEEPERS = FD_SLEEPS"],
  ["shim/frames_depot.h", "FD_API double fd_now", "FD_API const char *fd_now"],
  ["ring/layout.ts", "export const KEPT: number =", "export let KEPT: number ="],
  ["ring/layout.ts", "export const LOCK", "\nexport const LOCK"],
  ["ring/layout.ts", "/** Locks of a segment: ", "/**\n * Locks of a segment: "],
];

test("faults refuses what it cannot read in a source", async () => {
  for (const [path, from, to] of UNREADABLE) {
    using tree = new Tree();
    tree.change(path, from, to);
    await assertRejects(() => faults(tree.root), Error, path);
  }
});

test("faults counts enumerators without a value from the one before them", async () => {
  using tree = new Tree();
  tree.change("shim/frames_depot.h", "FD_LEASED = 2, FD_TAKEN = 3", "FD_LEASED, FD_TAKEN");
  assertEquals(await faults(tree.root), []);
});

test("write makes every copy from one new word, and the history asks for its row", async () => {
  using tree = new Tree();
  tree.change("ring/layout.ts", "  cleared: 768, //", "  added: 896, // u32; a new word\n  cleared: 768, //");
  tree.change("ring/layout.ts", `LAYOUT_VERSION = ${VERSION}`, `LAYOUT_VERSION = ${VERSION + 1}`);
  assertEquals(await write(tree.root), ["shim/layout.h", "docs/internals/layout.md"]);
  assertEquals((await faults(tree.root)).length, 1);
  const row = `\n| ${VERSION}       |`;
  tree.change("docs/internals/layout.md", row, `\n| ${VERSION + 1} | a new word |${row}`);
  assertEquals((await faults(tree.root)).length, 1, "rows are in order");
});
