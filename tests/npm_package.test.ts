/**
 * The packages as people get them: packed, unpacked in an empty folder, and used from there. Where the package registry
 * cannot be reached, each test says so.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { filesIn } from "../tools/npm/compile.ts";
import { LINK } from "../tools/npm/pages.ts";
import { installed } from "../tools/support/node_packages.ts";
import { depotTest, executableOf, HERE, skip, skippedTest } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** A program that uses the library, in a program's own configuration. */
const PROGRAM = `
import { FramesDepot, type Frame } from "@frames-depot/frames-depot";
export {};
await using depot = await FramesDepot.create(NAME, { frameSize: [4, 2, 3] });
await depot.enqueue({ frameNumber: 5, frame: new Uint8Array(24).fill(7) });
const newest: Frame<"uint8"> | undefined = depot.latest();
console.log(newest?.frameNumber, newest?.data[23]);
newest?.release();
`;
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  noEmit: true,
};
/** What programs are compiled with: the last one is what `bun init` makes, with the library's types checked too. */
const CONFIGURATIONS: object[] = [
  { ...STRICT, target: "esnext", module: "nodenext", lib: ["esnext", "dom"], types: [] },
  { ...STRICT, target: "es2024", module: "nodenext", lib: ["es2024"], types: ["node"] },
  { ...STRICT, target: "esnext", module: "preserve", moduleResolution: "bundler", lib: ["esnext"], types: ["bun"] },
];

const ELSEWHERE = HERE === "deno" ? undefined : "the packages are made, and used in each runtime, by the run of Deno";
const WATCHDOG_MS = 300_000;
/** What npm says then; a command of the test that does not end says ETIMEDOUT in other words. */
const UNREACHABLE = /npm \S+ code (ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)\b/;

class Unreachable extends Error {}

/** Does once what needs the package registry. @throws {Unreachable} where that cannot be reached */
function fetching<T>(make: () => T): () => T {
  let result: () => T;
  return () => {
    if (result !== undefined) return result();
    try {
      const value = make();
      result = () => value;
    } catch (error) {
      const code = UNREACHABLE.exec((error as Error).message)?.[1];
      const failure = code === undefined ? error : new Unreachable(`the package registry is not reachable: ${code}`);
      result = () => {
        throw failure;
      };
    }
    return result();
  };
}

const folders: string[] = [];
function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
after(removeFolders);

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  folders.push(folder);
  return folder;
}

/** With the Node that is tried first on the PATH. */
function environment() {
  const { PATH, ...env } = process.env;
  const path = [dirname(executableOf("node")), PATH].join(process.platform === "win32" ? ";" : ":");
  return { ...env, PATH: path, NO_COLOR: "1" };
}

/** Runs a command to its end. */
function outcome(cwd: string, ...command: string[]) {
  const [file, ...parameters] = command;
  return spawnSync(file, parameters, { cwd, encoding: "utf8", timeout: WATCHDOG_MS, env: environment() });
}

/** @returns what a command printed that ends well */
function run(cwd: string, ...command: string[]): string {
  const { status, stdout, stderr, error } = outcome(cwd, ...command);
  assert(status === 0, `${command.join(" ")}: ${error ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

const build = (out: string): string[] =>
  run(ROOT, executableOf("deno"), "run", "-A", "--quiet", "tools/npm/main.ts", "--out", out).split("\n").slice(0, -1);

/** Both, built once. */
const packages = fetching(() => build(newFolder()));

/** What a package has, in a folder of its own. */
function unpacked(archive: string): string {
  const folder = newFolder();
  run(folder, "tar", "-xzf", archive);
  return join(folder, "package");
}

function installedIn(folder: string, archives: readonly string[]): string {
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
  // It would wait for minutes where there is no network.
  const flags = ["--no-audit", "--no-fund", "--no-package-lock", "--fetch-retries=1", "--fetch-retry-mintimeout=2000"];
  run(folder, "npm", "install", ...flags, ...archives);
  return folder;
}

/** An empty folder with both packages installed. */
const project = fetching(() => installedIn(newFolder(), packages()));
/** With what the packages are tried with. */
const tools = fetching(() => join(installed("tools/npm/compiler.json", "npm"), "node_modules"));

function whyUnreachable(): string | undefined {
  try {
    tools();
    project();
  } catch (error) {
    // What else went wrong is thrown again in each test.
    if (!(error instanceof Unreachable)) return undefined;
    // Deno calls no `after` where all tests are skipped.
    removeFolders();
    return error.message;
  }
}

const SKIP = ELSEWHERE ?? whyUnreachable();

function packageTest(title: string, body: (name: string) => Promise<void> | void): void {
  if (SKIP !== undefined) skippedTest(title, SKIP);
  else depotTest(title, body, { watchdogMs: WATCHDOG_MS });
}

const hashOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

packageTest("deno task npm prints two paths and nothing else, and packs the same bytes each time", () => {
  const again = newFolder();
  const [library, cli, ...rest] = packages();
  assertEquals(rest, []);
  assertMatch(library, /frames-depot-frames-depot-[0-9.]+\.tgz$/);
  assertMatch(cli, /frames-depot-cli-[0-9.]+\.tgz$/);
  assertEquals(build(again).map(hashOf), packages().map(hashOf));
});

/** A module names no source of TypeScript, and has a map exactly where it says so. */
function checkModule(folder: string, file: string): void {
  const text = readFileSync(join(folder, file), "utf8");
  assert(!/["']\.[^"'\s]*(?<!\.d)\.ts["']/.test(text), `${file} names a module of TypeScript`);
  assertEquals(existsSync(join(folder, `${file}.map`)), text.includes("//# sourceMappingURL="), file);
}

/** A map has its source within. */
function checkMap(folder: string, file: string): void {
  const { sources, sourcesContent } = JSON.parse(readFileSync(join(folder, file), "utf8"));
  assertEquals(sources, [file.split("/").at(-1)!.replace(".js.map", ".ts")]);
  assertEquals(sourcesContent.length, 1, file);
}

/** A page leads to files of the package alone. */
function checkPage(folder: string, file: string): void {
  for (const [link, , target] of readFileSync(join(folder, file), "utf8").matchAll(LINK)) {
    assert(existsSync(join(folder, dirname(file), target)), `${file} has ${link}`);
  }
}

packageTest("each package has its modules, maps and pages, and nothing of the machine that made it", () => {
  const kinds: [RegExp, (folder: string, file: string) => void][] = [
    [/^(cli|depot|ring|ffi|mod|errors)\b.*\.js$/, checkModule],
    [/^(cli|depot|ring|ffi|mod|errors)\b.*\.js\.map$/, checkMap],
    [/^cli\/serve\/page\/\w+\.(html|css|svg)$/, () => {}],
    [/^(depot|ring|ffi|mod|errors)\b.*\.d\.ts$/, () => {}],
    [/^(docs\/\w+|README|CHANGELOG|SECURITY)\.md$/, checkPage],
    [/^(LICENSE|package\.json)$/, () => {}],
  ];
  for (const archive of packages()) {
    const folder = unpacked(archive);
    const files = filesIn(folder);
    for (const file of ["README.md", "LICENSE", "CHANGELOG.md", "package.json"]) assert(files.includes(file), file);
    for (const file of files) {
      const check = kinds.find(([kind]) => kind.test(file))?.[1];
      assert(check !== undefined, `${file} is not what a package has`);
      check(folder, file);
      const text = readFileSync(join(folder, file), "utf8");
      for (const path of [ROOT, join(tmpdir(), "frames-depot-npm-")]) {
        assert(!text.includes(path), `${file} names ${path}`);
      }
    }
  }
});

packageTest("the library's package has a declaration beside each module, and depends on nothing", () => {
  const folder = unpacked(packages()[0]);
  const files = filesIn(folder);
  for (const file of files.filter((name) => name.endsWith(".js"))) {
    assert(files.includes(file.replace(/\.js$/, ".d.ts")), file);
  }
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  assertEquals([manifest.name, manifest.dependencies], ["@frames-depot/frames-depot", undefined]);
});

/** Writes the program. @returns its name */
function writeProgram(name: string): string {
  const file = `${name}.ts`;
  writeFileSync(join(project(), file), PROGRAM.replace("NAME", JSON.stringify(name)));
  return file;
}

const BUNDLERS: Record<string, () => string[]> = {
  esbuild: () => [join(tools(), ".bin", "esbuild"), "--bundle", "--format=esm", "--platform=node"],
  "bun build": () => [executableOf("bun"), "build", "--target=node"],
};

for (const runtime of ["node", "bun"] as const) {
  packageTest(`the library's package works in ${runtime}`, (name) => {
    assertEquals(run(project(), executableOf(runtime), writeProgram(name)), "5 7\n");
  });

  for (const [bundler, command] of Object.entries(BUNDLERS)) {
    packageTest(`the library's package works in ${runtime} in a bundle of ${bundler}`, (name) => {
      const bundle = join(newFolder(), "bundle.mjs");
      run(project(), ...command(), "--minify", writeProgram(name), `--outfile=${bundle}`);
      assertEquals(run(dirname(bundle), executableOf(runtime), bundle), "5 7\n");
    });
  }
}

packageTest("the library's package works in an executable of bun build --compile", (name) => {
  const folder = newFolder();
  run(project(), executableOf("bun"), "build", "--compile", writeProgram(name), "--outfile", join(folder, "program"));
  assertEquals(run(folder, join(folder, "program")), "5 7\n");
});

packageTest("the library's package is bundled for a browser, where its first use says what it needs", (name) => {
  const bundle = join(newFolder(), "page.mjs");
  const [bundler] = BUNDLERS.esbuild();
  run(project(), bundler, writeProgram(name), "--bundle", "--format=esm", "--log-level=warning", `--outfile=${bundle}`);
  assertStringIncludes(readFileSync(bundle, "utf8"), "UNSUPPORTED");
});

for (const configuration of CONFIGURATIONS) {
  packageTest(`the library's types are right for tsc with ${JSON.stringify(configuration)}`, () => {
    const folder = project();
    const files = [writeProgram("types"), "strict.ts"];
    cpSync(join(ROOT, "tests", "types", "strict.ts"), join(folder, "strict.ts"));
    const compilerOptions = { ...configuration, typeRoots: [join(tools(), "@types")] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    assertEquals(run(folder, "node", join(tools(), "typescript", "bin", "tsc"), "--project", folder), "");
  });
}

packageTest("README.md's script for Node follows a producer in Deno, from the package", async (name) => {
  const readme = readFileSync(join(unpacked(packages()[0]), "README.md"), "utf8");
  const script = /```js ignore\n\/\/ follow\.mjs\n([\s\S]*?)```/.exec(readme)![1];
  await using camera = new Remote("deno");
  const options = { frameSize: [4, 2, 3] as [number, number, number], maxSize: 4 };
  await camera.tell({ do: "create", name, options });
  for (let frameNumber = 0; frameNumber < 4; frameNumber++) {
    assertEquals(await camera.tell({ do: "enqueue", frameNumber, timeoutMs: 60_000 }), "stored");
  }
  await camera.tell({ do: "end" });
  writeFileSync(join(project(), "follow.mjs"), script.replace("camera0", name));
  const out = run(project(), "node", "follow.mjs");
  assertEquals(out, "0 24\n1 24\n2 24\n3 24\nthe camera has ended\n");
});

const bin = (): string => join(project(), "node_modules", ".bin", "frames-depot");

for (const runtime of ["node", "bun"] as const) {
  packageTest(`the command line's package works in ${runtime}`, async (name) => {
    await using camera = new Remote("deno");
    await camera.tell({ do: "create", name, options: { frameSize: [4, 2, 3], maxSize: 4 } });
    const command = runtime === "node" ? [bin()] : [executableOf("bun"), bin()];
    const { version } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
    assertEquals(run(project(), ...command, "--version"), `${version}\n`);
    assertEquals(JSON.parse(run(project(), ...command, "stat", name, "--json")).frameSize, [4, 2, 3]);
    // Its processes and workers are files of the package.
    const { stdout, stderr } = outcome(project(), ...command, "bench", "--seconds", "0.2", "--json");
    assertEquals(JSON.parse(stdout).lines.map(({ what }: { what: string }) => what), ["copy", "hand-off", "wake"]);
    assert(!stderr.includes("Warning"), stderr);
  });
}

for (const runtime of ["node", "bun"] as const) {
  packageTest(`the command line's package serves its page and pictures in ${runtime}`, async (name) => {
    await using camera = new Remote("deno");
    await camera.tell({ do: "create", name, options: { frameSize: [4, 2, 3], maxSize: 4, whenFull: "overwrite" } });
    await camera.tell({ do: "enqueue", frameNumber: 7, timeoutMs: 60_000 });
    const command = [...runtime === "bun" ? [executableOf("bun")] : [], bin()];
    const [file, ...parameters] = [...command, "serve", name, "--port", "0"];
    const server = spawn(file, parameters, {
      cwd: project(),
      env: environment(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = new Promise((resolve) => server.once("close", resolve));
    try {
      const address = await new Promise<string>((resolve, reject) => {
        server.stdout.once("data", (text) => resolve(String(text).trim()));
        server.once("close", (code) => reject(new Error(`serve ended: ${code}`)));
      });
      const page = await (await fetch(address)).text();
      assertEquals(page, readFileSync(join(ROOT, "cli/serve/page/index.html"), "utf8"));
      for (const [, path] of page.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)) {
        assertEquals((await fetch(new URL(path, address))).status, 200, path);
      }
      // Made by a thread, which is a file of the package.
      const picture = await fetch(new URL(`depots/${name}/latest.jpg`, address));
      assertEquals([picture.status, picture.headers.get("x-frame-number")], [200, "7"]);
    } finally {
      server.kill("SIGTERM");
      await closed;
    }
  });
}

packageTest("the command line's package starts where env takes no flags, as that of BusyBox", () => {
  assertMatch(readFileSync(bin(), "utf8"), /^#!\/usr\/bin\/env node\n/);
});

packageTest("the command line's package says which Node it needs, in the one that is on the PATH", () => {
  const { stdout } = spawnSync("node", ["--version"], { encoding: "utf8" });
  const major = Number.parseInt(stdout.slice(1));
  if (!(major < 26)) return skip(`no older Node on the PATH: ${stdout.trim()}`);
  const { status, stderr } = spawnSync("node", [bin(), "ls"], { encoding: "utf8" });
  assertEquals(status, 5);
  assertStringIncludes(
    stderr,
    `frames-depot needs Node 26.9 or later, or Bun, and this is Node ${stdout.slice(1, -1)}`,
  );
});
