/**
 * Finding and loading the C library: errors that are manuals, permissions, and the cache folder of systems that cannot
 * load from memory.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Backend } from "../ffi/backend.ts";
import { CACHE_VARIABLE, cacheFolders, cacheLibrary } from "../ffi/cache.ts";
import { LIBRARY_VARIABLE } from "../ffi/load.ts";
import { FFI_FLAG, FREE_NODE, LEAST_NODE } from "../ffi/node.ts";
import { codeOf, specifiersOf } from "../tools/rooms/references.ts";
import { depotTest, executableOf, HERE, Peer, type PeerOptions, type Runtime, RUNTIMES } from "./support/harness.ts";
import type { LibraryState } from "./support/library_peer.ts";

type Answer = { values?: number[]; listed?: boolean; kind?: string; message?: string; code?: string };

/** What a process says that makes a depot, and how it ends. */
async function load(name: string, runtime: Runtime, options: PeerOptions): Promise<Answer & { errors: string }> {
  await using peer = new Peer(runtime, "load_peer.ts", { name }, options);
  const answer = await peer.line<Answer>();
  assertEquals(await peer.exit(), 0, peer.errors);
  return { ...answer, errors: peer.errors };
}

/** A folder that is gone at the end of its scope. */
class Folder implements Disposable {
  readonly path = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const TARGETS: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };
const SYSTEMS: Record<string, string> = { win32: "windows" };
const target = `${SYSTEMS[process.platform] ?? process.platform} on ${TARGETS[process.arch]}`;

for (const runtime of RUNTIMES) {
  depotTest(`loadShim in ${runtime} says what it tried when the library named is not there`, async (name) => {
    const path = "/nowhere/libframes.so";
    const { code, message } = await load(name, runtime, { env: { [LIBRARY_VARIABLE]: path } });
    assertEquals(code, "UNSUPPORTED");
    for (const part of [`target ${target}, ${runtime}`, `tried ${LIBRARY_VARIABLE}=${path}: `, "--local"]) {
      assertStringIncludes(message!, part);
    }
    assertMatch(message!, /No such file|cannot open|not found/i);
    assertMatch(message!, new RegExp(`set ${LIBRARY_VARIABLE} to the file`));
  });

  depotTest(`loadShim in ${runtime} refuses a file that is no library, and a library that is another`, async (name) => {
    using folder = new Folder();
    const path = `${folder.path}/libframes.so`;
    writeFileSync(path, "not a library");
    const text = await load(name, runtime, { env: { [LIBRARY_VARIABLE]: path } });
    assertEquals(text.code, "UNSUPPORTED");
    assertStringIncludes(text.message!, `tried ${LIBRARY_VARIABLE}=${path}: `);
    if (process.platform !== "linux") return;
    const other = await load(name, runtime, { env: { [LIBRARY_VARIABLE]: "libc.so.6" } });
    assertEquals(other.code, "UNSUPPORTED");
    assertMatch(other.message!, /tried FRAMES_DEPOT_LIB=libc\.so\.6: .*fd_/s);
  });

  depotTest(`FramesDepot works in ${runtime} with nothing in its environment`, async (name) => {
    const env = Object.fromEntries(Object.keys(process.env).map((key) => [key, undefined]));
    const kept = process.platform === "linux" ? {} : process.env;
    const { values, listed } = await load(name, runtime, { env: { ...env, ...kept, [LIBRARY_VARIABLE]: undefined } });
    assertEquals([values, listed], [[1, 2, 3, 4], true]);
  });
}

depotTest("FramesDepot works in Deno with --allow-ffi alone", async (name) => {
  if (process.platform !== "linux") return;
  const options = { deno: ["--no-prompt", "--allow-ffi"], env: { [LIBRARY_VARIABLE]: "/ignored/without/permission" } };
  const { values, listed, errors } = await load(name, "deno", options);
  assertEquals([values, listed, errors], [[1, 2, 3, 4], true, ""]);
});

depotTest("mod.ts is imported in Deno with no permission at all; create then names --allow-ffi", async (name) => {
  const { code, message, errors } = await load(name, "deno", { deno: ["--no-prompt"] });
  assertEquals([code, errors], ["UNSUPPORTED", ""]);
  assertStringIncludes(message!, "deno needs --allow-ffi (without a path");
  assertStringIncludes(message!, "tried ");
  assert(!existsSync(`/dev/shm/frames-depot.${name}`));
});

depotTest("loadShim in Deno reads FRAMES_DEPOT_LIB where that is permitted", async (name) => {
  const flags = ["--no-prompt", "--allow-ffi", `--allow-env=${LIBRARY_VARIABLE}`];
  const { code, message } = await load(name, "deno", { deno: flags, env: { [LIBRARY_VARIABLE]: "/nowhere/x.so" } });
  assertEquals(code, "UNSUPPORTED");
  assertStringIncludes(message!, `tried ${LIBRARY_VARIABLE}=/nowhere/x.so`);
});

depotTest("loadShim in Bun names the variable that turns its compiler off", async (name) => {
  for (const off of ["0", "false"]) {
    const { code, message } = await load(name, "bun", { env: { BUN_JSC_useJIT: off } });
    assertEquals(code, "UNSUPPORTED");
    assertStringIncludes(message!, `bun calls C through its JIT compiler, which BUN_JSC_useJIT=${off} turns off`);
  }
});

const skipped = (test: string, reason: string) => console.log(`skipped: ${test}: ${reason}`);

/** Every name that the library is asked for by, or might be. */
function askedNames(): string[] {
  const folder = fileURLToPath(new URL("../ffi/prebuilt/", import.meta.url));
  const sonames = readdirSync(folder).flatMap((file) => {
    const [, soname] = /soname = "([^"]+)"/.exec(readFileSync(`${folder}/${file}`, "utf8")) ?? [];
    return soname === undefined ? [] : [soname];
  });
  return ["libc.so.6", "libc.so", "libc.musl-x86_64.so.1", "frames_depot.so", "libframes_depot.so", ...sonames];
}

for (const runtime of RUNTIMES) {
  depotTest(`loadShim in ${runtime} loads nothing out of the working directory, in no thread`, async (name) => {
    if (process.platform !== "linux") return;
    using folder = new Folder();
    const planted = `${folder.path}/planted.so`;
    writeFileSync(
      `${folder.path}/planted.c`,
      `#include <unistd.h>
      __attribute__((constructor)) static void told(void) { (void)!write(2, "planted\\n", 8); }`,
    );
    const { status } = spawnSync("cc", ["-shared", "-fPIC", "-o", planted, `${folder.path}/planted.c`]);
    if (status !== 0) return skipped("a planted library", "there is no C compiler");
    const names = askedNames();
    assert(names.length >= 9, String(names));
    for (const asked of names) copyFileSync(planted, `${folder.path}/${asked}`);
    await using peer = new Peer(runtime, "library_peer.ts", { name }, {
      cwd: folder.path,
      env: { LD_LIBRARY_PATH: undefined, [LIBRARY_VARIABLE]: undefined },
    });
    const { values, mapped } = await peer.line<LibraryState>();
    assertEquals(values, [[1, 2, 3, 4], [1, 2, 3, 4]]);
    assertEquals(mapped.filter((path) => path.startsWith(folder.path)), []);
    assertEquals([await peer.exit(), peer.errors.includes("planted")], [0, false], peer.errors);
    // The library planted does tell when it is loaded.
    await using told = new Peer(runtime, "load_peer.ts", { name }, { env: { [LIBRARY_VARIABLE]: planted } });
    await told.line();
    await told.exit();
    assertStringIncludes(told.errors, "planted");
  });

  depotTest(`loadShim in ${runtime} leaves no file open, and maps the library once for all threads`, async (name) => {
    if (process.platform !== "linux") return;
    await using peer = new Peer(runtime, "library_peer.ts", { name }, { env: { [LIBRARY_VARIABLE]: undefined } });
    const { values, open, mapped } = await peer.line<LibraryState>();
    assertEquals(values, [[1, 2, 3, 4], [1, 2, 3, 4]]);
    assert(open.length > 0 && mapped.length > 0, "a system without /proc");
    assertEquals(open.filter((path) => /memfd|frames.depot/.test(path)), []);
    assertEquals(mapped.filter((path) => path.includes("memfd:frames-depot")).length, 1, mapped.join("\n"));
    assertEquals(await peer.exit(), 0, peer.errors);
  });
}

/** The modules that a module imports, itself among them, and what they hold. */
function graphOf(entry: URL): Map<string, string> {
  const found = new Map<string, string>();
  const left = [entry];
  for (let url; (url = left.pop()) !== undefined;) {
    if (found.has(url.href)) continue;
    const source = readFileSync(fileURLToPath(url), "utf8");
    found.set(url.href, source);
    for (const specifier of specifiersOf(source)) {
      assert(specifier.startsWith("."), `${url} imports ${specifier}`);
      left.push(new URL(specifier, url));
    }
  }
  return found;
}

/** Statements at the top of a module that await something before a function begins; formatted as all sources are. */
function topLevelAwaits(source: string): string[] {
  const code = codeOf(source).replace(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""');
  return code.split(/\n(?=[A-Za-z_$([{])/).filter((statement) => {
    return /^(?:(?!\basync\b)[\s\S])*?\bawait\b/.test(statement);
  }).map((statement) => statement.slice(0, 80));
}

depotTest(
  "mod.ts has no top-level await in any module that it imports: a Bun worker would lose its first messages",
  () => {
    const samples: [string, number][] = [
      ["export const a = 1;\nexport const b = await a;\n", 1],
      ["const a = 1;\nawait using b = a;\nfor await (const c of b) d(c);\n", 2],
      ["const a = async () => {\n  await 1;\n};\nexport async function b(): Promise<void> {\n  await 1;\n}\n", 0],
      ['class A {\n  async b() {\n    await 1;\n  }\n}\n// await\nconst c = "await" + `await ${d}`;\n', 0],
    ];
    for (const [source, count] of samples) assertEquals(topLevelAwaits(source).length, count, source);
    const entry = new URL("../mod.ts", import.meta.url);
    const graph = graphOf(entry);
    assert(graph.size > 30, `${graph.size} modules`);
    for (const [url, source] of graph) assertEquals(topLevelAwaits(source), [], url);
    // Deno loads a module for require() only if nothing in it or below it awaits.
    if (HERE === "deno") assert("FramesDepot" in createRequire(import.meta.url)(fileURLToPath(entry)));
  },
);

const ELSEWHERE = /this is another JavaScript runtime/;
type Says = { says: [string, ...{ code?: string; message: string }[]] };

function assertElsewhere({ says: [create, ...errors] }: Says): void {
  assertEquals([create, ...errors.map(({ code }) => code)], ["function", "UNSUPPORTED", "UNSUPPORTED", "UNSUPPORTED"]);
  for (const { message } of errors) assertMatch(message, ELSEWHERE);
}

depotTest(
  "mod.ts is imported where nothing says which runtime it is, as in a browser; the first use then says so",
  async () => {
    await using peer = new Peer("deno", "elsewhere_peer.ts", {});
    assertElsewhere(await peer.line<Says>());
    assertEquals(await peer.exit(), 0, peer.errors);
  },
);

depotTest("mod.ts is imported in an older Node without harm; the first use then says what is needed", () => {
  const node = spawnSync("node", ["--version"], { encoding: "utf8" });
  if (node.status !== 0) return skipped("an older Node", "there is none");
  const version = node.stdout.trim();
  if (parseFloat(version.slice(1)) >= parseFloat(LEAST_NODE)) return skipped("an older Node", `it is ${version}`);
  using folder = new Folder();
  const entry = fileURLToPath(new URL("./support/load_peer.ts", import.meta.url));
  const bundle = `${folder.path}/load.mjs`;
  // An older Node may not know the types in the sources, nor `using`.
  const built = spawnSync(executableOf("bun"), ["build", entry, "--target=node", `--outfile=${bundle}`], {
    encoding: "utf8",
  });
  assertEquals(built.status, 0, built.stderr);
  const { status, stdout, stderr } = spawnSync("node", [bundle, JSON.stringify({ name: "older" })], {
    encoding: "utf8",
  });
  assertEquals([status, stderr], [0, ""]);
  const { code, message } = JSON.parse(stdout) as Answer;
  assertEquals(code, "UNSUPPORTED");
  assertStringIncludes(message!, `Node ${version.slice(1)} has no node:ffi`);
  assertStringIncludes(message!, `node needs version ${FREE_NODE} or later`);
});

if (RUNTIMES.includes("node")) {
  depotTest("loadShim in Node without its FFI names the version that has it", async (name) => {
    const { code, message } = await load(name, "node", { node: ["--no-experimental-ffi"] });
    assertEquals(code, "UNSUPPORTED");
    assertStringIncludes(message!, `node needs version ${FREE_NODE} or later, or ${LEAST_NODE} and ${FFI_FLAG}`);
  });

  depotTest(
    "FramesDepot works in Node with --permission and --allow-ffi; without that, create names it",
    async (name) => {
      if (process.platform !== "linux") return;
      // The modules have to be read, and where what Node keeps of them is may be looked at.
      const limited = ["--permission", "--allow-fs-read=*"];
      const { code, message } = await load(name, "node", { node: limited });
      assertEquals(code, "UNSUPPORTED");
      assertMatch(message!, /tried .*--allow-ffi/);
      assertStringIncludes(message!, "with --permission also --allow-ffi");
      const { values, listed } = await load(name, "node", { node: [...limited, "--allow-ffi"] });
      assertEquals([values, listed], [[1, 2, 3, 4], true]);
    },
  );
}

/** A backend of which only the environment matters. */
function backendWith(env: Record<string, string>, os = "darwin"): Backend {
  return { os, arch: "aarch64", runtime: "deno", env: (name: string) => env[name] } as unknown as Backend;
}

const BYTES = new TextEncoder().encode("a library, as far as the cache is concerned");
const HASH = createHash("sha256").update(BYTES).digest("hex");
const ME = process.getuid?.();

/** The bytes as a file in a folder. */
const cached = (folder: string, os = "darwin") => cacheLibrary(os, folder, ME, "macos_aarch64", HASH, BYTES);

depotTest("cacheLibrary writes the library under its hash, privately, and uses it again", () => {
  using folder = new Folder();
  const path = cached(`${folder.path}/deep/down`);
  assertEquals(path, `${folder.path}/deep/down/macos_aarch64-${HASH}.dylib`);
  assertEquals([...readFileSync(path)], [...BYTES]);
  if (process.platform !== "win32") {
    assertEquals([statSync(path).mode & 0o777, statSync(`${folder.path}/deep/down`).mode & 0o777], [0o700, 0o700]);
  }
  const before = statSync(path);
  assertEquals(cached(`${folder.path}/deep/down`), path);
  const after = statSync(path);
  assertEquals([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
  assertEquals(readdirSync(`${folder.path}/deep/down`).length, 1, "no temporary file is left");
});

depotTest("cacheLibrary replaces a file that is damaged, cut short, empty, or another user's to change", () => {
  using folder = new Folder();
  const path = cached(folder.path, "windows");
  assertMatch(path, /\.dll$/);
  const damaged = BYTES.slice();
  damaged[5] ^= 1;
  for (const content of [damaged, BYTES.slice(0, 10), new Uint8Array(0)]) {
    writeFileSync(path, content);
    assertEquals(cached(folder.path, "windows"), path);
    assertEquals([...readFileSync(path)], [...BYTES]);
  }
  assertEquals(readdirSync(folder.path).length, 1);
  if (ME === undefined) return;
  chmodSync(path, 0o722);
  assertEquals(cached(folder.path, "windows"), path);
  assertEquals(statSync(path).mode & 0o777, 0o700);
});

depotTest("cacheLibrary refuses bytes that do not have the hash, and writes nothing", () => {
  using folder = new Folder();
  const wrong = HASH.replace(/^./, (digit) => digit === "0" ? "1" : "0");
  const refused = () => cacheLibrary("darwin", `${folder.path}/new`, ME, "x", wrong, BYTES);
  assertThrows(refused, Error, `its hash is not ${wrong}`);
  assertEquals(existsSync(`${folder.path}/new`), false);
});

depotTest("cacheLibrary refuses a folder that other users may change, or one above it", () => {
  if (ME === undefined) return skipped("the mode of a folder", "this system has none");
  using folder = new Folder();
  const inner = `${folder.path}/outer/inner`;
  mkdirSync(inner, { recursive: true, mode: 0o700 });
  const weak: [string, number][] = [[inner, 0o777], [inner, 0o1777], [inner, 0o770], [`${folder.path}/outer`, 0o777]];
  for (const [changed, mode] of weak) {
    chmodSync(changed, mode);
    const { message } = assertThrows(() => cached(inner), Error);
    assertStringIncludes(message, `other users may write to ${changed}: its mode is 0${mode.toString(8)}`);
    assertStringIncludes(message, CACHE_VARIABLE);
    chmodSync(changed, 0o700);
  }
  chmodSync(`${folder.path}/outer`, 0o1777); // as /tmp is: no user removes what is another's
  assertMatch(cached(inner), /dylib$/);
  symlinkSync(inner, `${folder.path}/link`);
  assertMatch(cached(`${folder.path}/link`), /dylib$/);
  if (ME !== 0) return skipped("a folder of another user", "only root can make one");
  chownSync(inner, 1234, 0);
  assertThrows(() => cached(inner), Error, `${inner} belongs to user 1234`);
});

depotTest("cacheFolders are the one named, or the system's places for caches and a private one", () => {
  const places: [Record<string, string>, string, number | undefined, string[]][] = [
    [{ [CACHE_VARIABLE]: "/named", HOME: "/home/x" }, "linux", 7, ["/named"]],
    [{ XDG_CACHE_HOME: "/xdg", HOME: "/home/x" }, "linux", 7, [
      "/xdg/frames-depot",
      "/home/x/.cache/frames-depot",
      "/tmp/frames-depot-7",
    ]],
    [{ XDG_CACHE_HOME: "here", HOME: "" }, "linux", 7, ["/tmp/frames-depot-7"]],
    [{ LOCALAPPDATA: "C:\\local", HOME: "/nowhere" }, "windows", undefined, ["C:\\local/frames-depot"]],
    [{ [CACHE_VARIABLE]: "", HOME: "/home/x" }, "darwin", undefined, ["/home/x/.cache/frames-depot"]],
  ];
  for (const [env, os, user, folders] of places) assertEquals(cacheFolders(backendWith(env, os), user), folders);
  const { message } = assertThrows(() => cacheFolders(backendWith({}), undefined), Error, CACHE_VARIABLE);
  assertStringIncludes(message, "XDG_CACHE_HOME and HOME");
  for (const [os, path] of [["linux", "here"], ["linux", "./here"], ["windows", "here"]]) {
    const relative = () => cacheFolders(backendWith({ [CACHE_VARIABLE]: path }, os), 7);
    assertThrows(relative, Error, `${CACHE_VARIABLE}=${path} is not an absolute path`);
  }
});

depotTest("cacheLibrary says so when the folder cannot be written", () => {
  using folder = new Folder();
  writeFileSync(`${folder.path}/file`, "");
  assertThrows(() => cached(`${folder.path}/file`), Error);
});
