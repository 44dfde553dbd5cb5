/**
 * Finding and loading the C library in each runtime: what that needs, nothing from elsewhere, and errors that are
 * manuals.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { LIBRARY_VARIABLE } from "../ffi/load.ts";
import { FREE_NODE, LEAST_NODE } from "../ffi/node.ts";
import { Folder } from "./support/folder.ts";
import { depotTest, Peer, RUNTIMES, skip, STARTED } from "./support/harness.ts";
import type { LibraryState } from "./support/library_peer.ts";
import { load } from "./support/load_scene.ts";

const TARGETS: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };
const SYSTEMS: Record<string, string> = { win32: "windows" };
const target = `${SYSTEMS[process.platform] ?? process.platform} on ${TARGETS[process.arch]}`;

for (const runtime of STARTED) {
  depotTest(`loadShim in ${runtime} says what it tried when the library named is not there`, async (name) => {
    const path = "/nowhere/libframes.so";
    const { code, message } = await load(name, runtime, { env: { [LIBRARY_VARIABLE]: path } });
    assertEquals(code, "UNSUPPORTED");
    for (const part of [`target ${target}, ${runtime}`, `tried ${LIBRARY_VARIABLE}=${path}: `, "--local"]) {
      assertStringIncludes(message!, part);
    }
    assertMatch(message!, /No such file|cannot open|not found|error code 126/i);
    assertMatch(message!, new RegExp(`set ${LIBRARY_VARIABLE} to the file`));
  });

  depotTest(`loadShim in ${runtime} refuses a file that is no library, and a library that is another`, async (name) => {
    using folder = new Folder();
    const path = `${folder.path}/libframes.so`;
    writeFileSync(path, "not a library");
    const text = await load(name, runtime, { env: { [LIBRARY_VARIABLE]: path } });
    assertEquals(text.code, "UNSUPPORTED");
    assertStringIncludes(text.message!, `tried ${LIBRARY_VARIABLE}=${path}: `);
    if (process.platform !== "linux") return skip("needs Linux");
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
  if (process.platform !== "linux") return skip("needs Linux");
  const options = { deno: ["--no-prompt", "--allow-ffi"], env: { [LIBRARY_VARIABLE]: "/ignored/without/permission" } };
  const { values, listed, errors } = await load(name, "deno", options);
  assertEquals([values, listed, errors], [[1, 2, 3, 4], true, ""]);
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

/** Every name that the library is asked for by, or might be. */
function askedNames(): string[] {
  const folder = fileURLToPath(new URL("../ffi/prebuilt/", import.meta.url));
  const sonames = readdirSync(folder).flatMap((file) => {
    const [, soname] = /soname = "([^"]+)"/.exec(readFileSync(`${folder}/${file}`, "utf8")) ?? [];
    return soname === undefined ? [] : [soname];
  });
  return ["libc.so.6", "libc.so", "libc.musl-x86_64.so.1", "frames_depot.so", "libframes_depot.so", ...sonames];
}

for (const runtime of STARTED) {
  depotTest(`loadShim in ${runtime} loads nothing out of the working directory, in no thread`, async (name) => {
    if (process.platform !== "linux") return skip("needs Linux");
    using folder = new Folder();
    const planted = `${folder.path}/planted.so`;
    writeFileSync(
      `${folder.path}/planted.c`,
      `#include <unistd.h>
      __attribute__((constructor)) static void told(void) { (void)!write(2, "planted\\n", 8); }`,
    );
    const { status } = spawnSync("cc", ["-shared", "-fPIC", "-o", planted, `${folder.path}/planted.c`]);
    if (status !== 0) return skip("no C compiler");
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

  depotTest(
    `loadShim in ${runtime} leaves no file open but on musl, and maps the library once for all threads`,
    async (name) => {
      if (process.platform !== "linux") return skip("needs Linux");
      await using peer = new Peer(runtime, "library_peer.ts", { name }, { env: { [LIBRARY_VARIABLE]: undefined } });
      const { values, open, mapped } = await peer.line<LibraryState>();
      assertEquals(values, [[1, 2, 3, 4], [1, 2, 3, 4]]);
      assert(open.length > 0 && mapped.length > 0, "a system without /proc");
      const isMusl = mapped.some((path) => path.includes("/ld-musl-"));
      assertEquals(open.filter((path) => /memfd|frames.depot/.test(path)).length, isMusl ? 1 : 0, open.join("\n"));
      assertEquals(mapped.filter((path) => path.includes("memfd:frames-depot")).length, 1, mapped.join("\n"));
      assertEquals(await peer.exit(), 0, peer.errors);
    },
  );
}

if (RUNTIMES.includes("node")) {
  depotTest("loadShim in Node without its FFI names the version that has it", async (name) => {
    const { code, message } = await load(name, "node", { node: ["--no-experimental-ffi"] });
    assertEquals(code, "UNSUPPORTED");
    if (process.platform !== "win32") {
      assertMatch(message!, /^ {2}tried the system's C library: Node [0-9.]+ has no node:ffi/m);
    }
    assertStringIncludes(
      message!,
      `node needs version ${FREE_NODE} or later without --no-experimental-ffi, or ${LEAST_NODE}`,
    );
  });

  depotTest(
    "FramesDepot works in Node with --permission and --allow-ffi; without that, create names it",
    async (name) => {
      if (process.platform !== "linux") return skip("needs Linux");
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
