/**
 * The packages as people get them: packed, unpacked in an empty folder, and used from there.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { filesIn } from "../tools/npm/compile.ts";
import { installed } from "../tools/support/node_packages.ts";
import { executableOf, HERE, uniqueName } from "./support/harness.ts";
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

const skip = HERE === "deno" ? false : "the packages are made, and used in each runtime, by the run of Deno";
const LONG = { skip, timeout: 300_000 };

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  folders.push(folder);
  return folder;
}

/** Runs a command to its end. @returns what it printed */
function run(cwd: string, ...command: string[]): string {
  const { PATH, ...env } = process.env;
  const path = [join(executableOf("node"), ".."), PATH].join(process.platform === "win32" ? ";" : ":");
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    cwd,
    encoding: "utf8",
    env: { ...env, PATH: path, NO_COLOR: "1" },
  });
  assert(status === 0, `${command.join(" ")}: ${error ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

const build = (out: string): string[] =>
  run(ROOT, executableOf("deno"), "run", "-A", "--quiet", "tools/npm/main.ts", "--out", out).split("\n").slice(0, -1);

let made: string[] | undefined;
/** Both, built once. */
const packages = (): string[] => made ??= build(newFolder());

/** What a package has, in a folder of its own. */
function unpacked(archive: string): string {
  const folder = newFolder();
  run(folder, "tar", "-xzf", archive);
  return join(folder, "package");
}

let place: string | undefined;
/** An empty folder with both packages installed. */
function project(): string {
  if (place !== undefined) return place;
  place = newFolder();
  writeFileSync(join(place, "package.json"), '{ "type": "module", "private": true }');
  run(place, "npm", "install", "--no-audit", "--no-fund", "--no-package-lock", ...packages());
  return place;
}

const tools = (): string => join(installed("tools/npm/compiler.json", "npm"), "node_modules");
const hashOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

test("deno task npm prints two paths and nothing else, and packs the same bytes each time", LONG, () => {
  const again = newFolder();
  const [library, cli, ...rest] = packages();
  assertEquals(rest, []);
  assert(/frames-depot-frames-depot-[0-9.]+\.tgz$/.test(library), library);
  assert(/frames-depot-cli-[0-9.]+\.tgz$/.test(cli), cli);
  assertEquals(build(again).map(hashOf), packages().map(hashOf));
});

test("each package has its modules with maps and texts, and nothing of the machine that made it", LONG, () => {
  for (const archive of packages()) {
    const folder = unpacked(archive);
    const files = filesIn(folder);
    for (const file of ["README.md", "LICENSE", "CHANGELOG.md", "package.json"]) assert(files.includes(file), file);
    const kinds = /^(cli|depot|ring|ffi|mod|errors)\b.*(\.js|\.js\.map|\.d\.ts)$/;
    const others = files.filter((file) => !kinds.test(file) && file.includes("/"));
    assertEquals(others, []);
    for (const file of files.filter((name) => name.endsWith(".js"))) {
      const text = readFileSync(join(folder, file), "utf8");
      assert(!/["']\.[^"'\s]*(?<!\.d)\.ts["']/.test(text), `${file} names a module of TypeScript`);
      assertEquals(files.includes(`${file}.map`), text.includes("//# sourceMappingURL="), file);
    }
    for (const file of files.filter((name) => name.endsWith(".map"))) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(folder, file), "utf8"));
      assertEquals(sources, [file.split("/").at(-1)!.replace(".js.map", ".ts")]);
      assertEquals(sourcesContent.length, 1, file);
    }
    for (const file of files) {
      const text = readFileSync(join(folder, file), "utf8");
      for (const path of [ROOT, join(tmpdir(), "frames-depot-npm-")]) {
        assert(!text.includes(path), `${file} names ${path}`);
      }
    }
  }
});

test("the library's package has a declaration beside each module, and depends on nothing", LONG, () => {
  const folder = unpacked(packages()[0]);
  const files = filesIn(folder);
  for (const file of files.filter((name) => name.endsWith(".js"))) {
    assert(files.includes(file.replace(/\.js$/, ".d.ts")), file);
  }
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  assertEquals([manifest.name, manifest.dependencies], ["@frames-depot/frames-depot", undefined]);
});

for (const runtime of ["node", "bun"] as const) {
  test(`the library's package works in ${runtime}, also in a bundle of esbuild`, LONG, () => {
    const folder = project();
    const file = `program_${runtime}.ts`;
    writeFileSync(join(folder, file), PROGRAM.replace("NAME", JSON.stringify(uniqueName())));
    assertEquals(run(folder, executableOf(runtime), file), "5 7\n");
    const bundler = join(tools(), ".bin", "esbuild");
    const flags = ["--bundle", "--minify", "--format=esm", "--platform=node", "--log-level=warning"];
    run(folder, bundler, file, ...flags, `--outfile=bundle_${runtime}.mjs`);
    assertEquals(run(folder, executableOf(runtime), `bundle_${runtime}.mjs`), "5 7\n");
  });
}

test("the library's package is bundled for a browser, where its first use says what it needs", LONG, () => {
  const folder = project();
  writeFileSync(join(folder, "page.ts"), PROGRAM.replace("NAME", '"page"'));
  const bundler = join(tools(), ".bin", "esbuild");
  run(folder, bundler, "page.ts", "--bundle", "--format=esm", "--log-level=warning", "--outfile=page.mjs");
  assertStringIncludes(readFileSync(join(folder, "page.mjs"), "utf8"), "UNSUPPORTED");
});

for (const configuration of CONFIGURATIONS) {
  test(`the library's types are right for tsc with ${JSON.stringify(configuration)}`, LONG, () => {
    const folder = project();
    writeFileSync(join(folder, "program.ts"), PROGRAM.replace("NAME", '"types"'));
    const compilerOptions = { ...configuration, typeRoots: [join(tools(), "@types")] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    assertEquals(run(folder, "node", join(tools(), "typescript", "bin", "tsc"), "--project", folder), "");
  });
}

test("README.md's script for Node follows a producer in Deno, from the package", LONG, async () => {
  const readme = readFileSync(join(unpacked(packages()[0]), "README.md"), "utf8");
  const script = /```js ignore\n\/\/ follow\.mjs\n([\s\S]*?)```/.exec(readme)![1];
  const name = uniqueName();
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

for (const runtime of ["node", "bun"] as const) {
  test(`the command line's package works in ${runtime}`, LONG, async () => {
    const name = uniqueName();
    await using camera = new Remote("deno");
    await camera.tell({ do: "create", name, options: { frameSize: [4, 2, 3], maxSize: 4 } });
    const bin = join(project(), "node_modules", ".bin", "frames-depot");
    const command = runtime === "node" ? [bin] : [executableOf("bun"), bin];
    const { version } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
    assertEquals(run(project(), ...command, "--version"), `${version}\n`);
    assertEquals(JSON.parse(run(project(), ...command, "stat", name, "--json")).frameSize, [4, 2, 3]);
    // Its processes and workers are files of the package.
    const { lines } = JSON.parse(run(project(), ...command, "bench", "--seconds", "0.2", "--json"));
    assertEquals(lines.map(({ what }: { what: string }) => what), ["copy", "hand-off", "wake"]);
  });
}
