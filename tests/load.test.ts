/**
 * Finding and loading the C library: errors that are manuals, permissions, and the cache folder of systems that cannot
 * load from memory.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import type { Backend } from "../ffi/backend.ts";
import { CACHE_VARIABLE, cacheLibrary } from "../ffi/cache.ts";
import { LIBRARY_VARIABLE } from "../ffi/load.ts";
import { depotTest, Peer, type PeerOptions, type Runtime, RUNTIMES } from "./support/harness.ts";

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

/** A backend of which only the environment matters. */
function backendWith(env: Record<string, string>, os = "darwin"): Backend {
  return { os, arch: "aarch64", runtime: "deno", env: (name: string) => env[name] } as unknown as Backend;
}

const BYTES = new TextEncoder().encode("a library, as far as the cache is concerned");
const HASH = createHash("sha256").update(BYTES).digest("hex");

depotTest("cacheLibrary writes the library under its hash, privately, and uses it again", () => {
  using folder = new Folder();
  const backend = backendWith({ [CACHE_VARIABLE]: `${folder.path}/deep/down` });
  const path = cacheLibrary(backend, "macos_aarch64", HASH, BYTES);
  assertEquals(path, `${folder.path}/deep/down/macos_aarch64-${HASH}.dylib`);
  assertEquals([...readFileSync(path)], [...BYTES]);
  if (process.platform !== "win32") {
    assertEquals([statSync(path).mode & 0o777, statSync(`${folder.path}/deep/down`).mode & 0o777], [0o700, 0o700]);
  }
  const before = statSync(path);
  assertEquals(cacheLibrary(backend, "macos_aarch64", HASH, BYTES), path);
  const after = statSync(path);
  assertEquals([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
  assertEquals(readdirSync(`${folder.path}/deep/down`).length, 1, "no temporary file is left");
});

depotTest("cacheLibrary replaces a file that is damaged, cut short or empty", () => {
  using folder = new Folder();
  const backend = backendWith({ [CACHE_VARIABLE]: folder.path }, "windows");
  const path = cacheLibrary(backend, "x", HASH, BYTES);
  assertMatch(path, /\.dll$/);
  const damaged = BYTES.slice();
  damaged[5] ^= 1;
  for (const content of [damaged, BYTES.slice(0, 10), new Uint8Array(0)]) {
    writeFileSync(path, content);
    assertEquals(cacheLibrary(backend, "x", HASH, BYTES), path);
    assertEquals([...readFileSync(path)], [...BYTES]);
  }
  assertEquals(readdirSync(folder.path).length, 1);
});

depotTest("cacheLibrary refuses bytes that do not have the hash, and writes nothing", () => {
  using folder = new Folder();
  const backend = backendWith({ [CACHE_VARIABLE]: `${folder.path}/new` });
  const wrong = HASH.replace(/^./, (digit) => digit === "0" ? "1" : "0");
  assertThrows(() => cacheLibrary(backend, "x", wrong, BYTES), Error, `its hash is not ${wrong}`);
  assertEquals(existsSync(`${folder.path}/new`), false);
});

depotTest("cacheLibrary takes the system's place for caches where no folder is named", () => {
  using folder = new Folder();
  const places: [Record<string, string>, string, string][] = [
    [{ XDG_CACHE_HOME: `${folder.path}/xdg`, HOME: "/nowhere" }, "linux", "xdg/frames-depot"],
    [{ HOME: `${folder.path}/home` }, "linux", "home/.cache/frames-depot"],
    [{ LOCALAPPDATA: `${folder.path}/local`, HOME: "/nowhere" }, "windows", "local/frames-depot"],
    [{ [CACHE_VARIABLE]: "", HOME: `${folder.path}/home` }, "darwin", "home/.cache/frames-depot"],
  ];
  for (const [env, os, place] of places) {
    const path = cacheLibrary(backendWith(env, os), "x", HASH, BYTES);
    assertEquals(path.startsWith(`${folder.path}/${place}/x-${HASH}.`), true, path);
  }
  const { message } = assertThrows(() => cacheLibrary(backendWith({}), "x", HASH, BYTES), Error, CACHE_VARIABLE);
  assertStringIncludes(message, "XDG_CACHE_HOME and HOME");
});

depotTest("cacheLibrary says so when the folder cannot be written", () => {
  using folder = new Folder();
  writeFileSync(`${folder.path}/file`, "");
  const backend = backendWith({ [CACHE_VARIABLE]: `${folder.path}/file` });
  assertThrows(() => cacheLibrary(backend, "x", HASH, BYTES), Error);
});
