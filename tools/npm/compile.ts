/**
 * The sources as plain JavaScript, by TypeScript's own compiler, with declarations and source maps beside them.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installed } from "../support/node_packages.ts";
import { LIBRARY } from "./manifests.ts";

/** Of the project. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Of the library, and all that it imports. */
const SOURCES = ["mod.ts", "errors.ts", "depot", "ring", "ffi"];
/** Binaries as text: a map of such a module would hold the text once more. */
const BINARIES = "ffi/prebuilt";

const COMMON = {
  module: "nodenext",
  moduleResolution: "nodenext",
  target: "es2024",
  lib: ["esnext", "dom", "dom.iterable"],
  types: [],
  rewriteRelativeImportExtensions: true,
  // Types are checked where those of each runtime are known.
  noCheck: true,
  sourceMap: true,
  // With the sources in the maps, so that a debugger needs no other files.
  inlineSources: true,
};

/** Every file below a folder, with slashes. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length).replaceAll("\\", "/"))
    .sort();
}

/** Compiles modules beside their sources, which the maps then name without a path, and takes the sources away. */
function compile(folder: string, files: readonly string[], options: object): void {
  const config = join(folder, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ compilerOptions: { ...COMMON, ...options }, files }));
  const compiler = join(installed("tools/npm/compiler.json", "npm"), "node_modules", "typescript", "bin", "tsc");
  const { status, stdout, stderr } = spawnSync("node", [compiler, "--project", config], {
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`TypeScript could not compile ${files.join(", ")}: ${stdout}${stderr}`);
  rmSync(config);
  for (const file of filesIn(folder)) {
    if (/(?<!\.d)\.ts$/.test(file) || file.startsWith(BINARIES) && file.endsWith(".map")) rmSync(join(folder, file));
    else if (file.startsWith(BINARIES) && file.endsWith(".js")) change(join(folder, file), withoutMap);
  }
}

function change(path: string, by: (text: string) => string): void {
  const before = readFileSync(path, "utf8");
  const after = by(before);
  if (after !== before) writeFileSync(path, after);
}

const withoutMap = (text: string): string => text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, "\n");

/** Of the command line's folder: what only tools read. */
const FOR_TOOLS: readonly string[] = ["package.json", "serve/page/deno.json"];

/** The library, in an empty folder. */
export function compileLibrary(folder: string): void {
  for (const source of SOURCES) cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  compile(folder, ["mod.ts"], { declaration: true, isolatedDeclarations: true });
}

/** The command line, in an empty folder: it imports the library by its name, and has its version from package.json. */
export function compileCli(folder: string): void {
  const sources = filesIn(join(ROOT, "cli")).filter((file) => !file.includes("node_modules/"));
  for (const source of sources) {
    const path = join(folder, "cli", source);
    mkdirSync(dirname(path), { recursive: true });
    if (source.endsWith(".ts")) writeFileSync(path, outOfProject(readFileSync(join(ROOT, "cli", source), "utf8")));
    else if (!FOR_TOOLS.includes(source)) cpSync(join(ROOT, "cli", source), path);
  }
  const modules = sources.filter((file) => /(?<!\.d)\.ts$/.test(file) && file !== "bun.ts");
  compile(folder, modules.map((file) => `cli/${file}`), {});
  for (const file of filesIn(folder)) {
    if (file.endsWith(".d.ts")) rmSync(join(folder, file));
    else if (file.endsWith(".js")) change(join(folder, file), (text) => text.replace(MODULE_URL, '$1.js"'));
  }
  change(join(folder, "cli/main.js"), (text) => text.replace(/^#!.*\n/, ""));
}

/** Of a module that is started as a worker or a process. */
const MODULE_URL = /(new URL\("\.\/[^"]+)\.ts"(?=, import\.meta\.url\))/g;

/** What lies beside cli/ in the project. */
function outOfProject(text: string): string {
  return text.replace(/"(?:\.\.\/)+mod\.ts"/g, `"${LIBRARY}"`).replace(
    /"((?:\.\.\/)+)deno\.json"/g,
    '"$1package.json"',
  );
}
