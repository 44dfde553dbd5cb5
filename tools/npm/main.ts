/**
 * `deno task npm --out FOLDER`: builds the packages as npm, Bun and bundlers take them, and prints where they are.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { optionsOrUsage } from "../support/options.ts";
import { compileCli, compileLibrary } from "./compile.ts";
import { cliManifest, libraryManifest } from "./manifests.ts";
import { addPages, libraryPages } from "./pages.ts";

const USAGE = `deno task npm --out FOLDER
  --out FOLDER   where the packages go; made if it is not there`;

type Package = { manifest: object; compile: (folder: string) => void; readme: string; pages: string[] };

const PACKAGES: readonly Package[] = [
  { manifest: libraryManifest(), compile: compileLibrary, readme: "README.md", pages: libraryPages() },
  { manifest: cliManifest(), compile: compileCli, readme: "tools/npm/cli_readme.md", pages: [] },
];

function readOptions(): string {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  if (values.out === undefined) throw new Error("--out FOLDER is missing");
  return resolve(values.out);
}

/** @returns the package's path */
function pack({ manifest, compile, readme, pages }: Package, out: string): string {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-npm-"));
  try {
    // First: it tells the compiler which kind of modules these are.
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, undefined, 2) + "\n");
    compile(folder);
    addPages(folder, readme, pages);
    const { status, stdout, stderr } = spawnSync("npm", ["pack", "--json", "--pack-destination", out], {
      cwd: folder,
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    if (status !== 0) throw new Error(`npm could not pack ${JSON.stringify(manifest)}: ${stderr}`);
    return join(out, fileOf(JSON.parse(stdout)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** npm prints a list of packages, or an object that has them by name, as its version wants. */
function fileOf(answer: { filename: string }[] | Record<string, { filename: string }>): string {
  return Object.values(answer)[0].filename;
}

const out = optionsOrUsage(USAGE, readOptions);
mkdirSync(out, { recursive: true });
for (const each of PACKAGES) console.log(pack(each, out));
