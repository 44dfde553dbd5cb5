/**
 * The cache folder of the C library, for systems that cannot load it from memory: no other user can change what
 * is loaded from there.
 */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Backend } from "../ffi/backend.ts";
import { CACHE_VARIABLE, cacheFolders, cacheLibrary } from "../ffi/cache.ts";
import { Folder } from "./support/folder.ts";
import { depotTest, skip } from "./support/harness.ts";

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
  assertEquals(path, join(folder.path, "deep/down", `macos_aarch64-${HASH}.dylib`));
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

depotTest("cacheLibrary removes what was left half written by a process that was killed, and nothing else", () => {
  using folder = new Folder();
  const unfinished = (begun: number) => `windows_x86_64-${HASH}.dll.${begun}-123`;
  const [old, young] = [unfinished(Date.now() - 3_600_000), unfinished(Date.now())];
  const others = [young, `windows_x86_64-${HASH.replaceAll("a", "b")}.dll`, "notes.1-2"];
  for (const name of [old, ...others]) writeFileSync(join(folder.path, name), "half");
  cached(folder.path);
  assertEquals(readdirSync(folder.path).sort(), [...others, `macos_aarch64-${HASH}.dylib`].sort());
});

depotTest("cacheLibrary refuses bytes that do not have the hash, and writes nothing", () => {
  using folder = new Folder();
  const wrong = HASH.replace(/^./, (digit) => digit === "0" ? "1" : "0");
  const refused = () => cacheLibrary("darwin", `${folder.path}/new`, ME, "x", wrong, BYTES);
  assertThrows(refused, Error, `its hash is not ${wrong}`);
  assertEquals(existsSync(`${folder.path}/new`), false);
});

depotTest("cacheLibrary refuses a folder that other users may change, or one above it", () => {
  if (ME === undefined) return skip("folders have no mode on this system");
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
  if (ME !== 0) return skip("only root can make a folder of another user");
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
    [{ LOCALAPPDATA: "C:\\local", HOME: "/nowhere" }, "windows", undefined, ["C:\\local\\frames-depot"]],
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
