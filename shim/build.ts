/**
 * Builds the shim: for every target with zig, as modules in `ffi/prebuilt/`, or for this machine with its own compiler.
 *
 *     deno run -A shim/build.ts [target ...]          build all targets, or some
 *     deno run -A shim/build.ts --check               build again and compare with what is there
 *     deno run -A shim/build.ts --local [--out PATH]  build for this machine with $CC or cc
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Buffer } from "node:buffer";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { cacheFolder, findZig, ZIG_VERSION } from "./zig.ts";

const shim = fileURLToPath(new URL(".", import.meta.url));
const prebuilt = fileURLToPath(new URL("../ffi/prebuilt/", import.meta.url));

/** What every compiler is told. */
export const C_FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"];

/** The sources that are the same on every system. */
const COMMON = [
  "segment.c",
  "owners.c",
  "sleeper.c",
  "ring.c",
  "group.c",
  "copy.c",
  "signals.c",
  "common.c",
  "doubles.c",
] as const;

/** The sources of each system, the same three for each, and what else there is to read or to link. */
export const SYSTEMS = {
  // A library that is unloaded while a thread sleeps inside it takes the process with it: nodelete.
  linux: {
    sources: ["linux_names.c", "linux_memory.c", "linux_limits.c", "linux_sync.c", "posix.c", ...COMMON],
    flags: ["-fPIC", "-shared", "-Wl,-z,nodelete"],
    libraries: ["-lpthread"],
    extension: "so",
  },
  macos: {
    sources: ["macos_names.c", "macos_memory.c", "macos_sync.c", "posix.c", ...COMMON],
    // Its own name would otherwise be the path that it is built at.
    flags: ["-fPIC", "-shared", "-Wl,-install_name,@rpath/frames_depot.dylib"],
    libraries: [],
    extension: "dylib",
  },
  windows: {
    sources: ["windows_names.c", "windows_memory.c", "windows_sync.c", ...COMMON],
    flags: ["-shared"],
    libraries: ["-lntdll"],
    extension: "dll",
  },
} as const;

type System = keyof typeof SYSTEMS;

/** The targets by the name of their module. 2.17 is the oldest glibc that anything current still runs on. */
export const TARGETS: Record<string, { system: System; triple: string }> = {
  linux_x86_64: { system: "linux", triple: "x86_64-linux-gnu.2.17" },
  linux_aarch64: { system: "linux", triple: "aarch64-linux-gnu.2.17" },
  linux_x86_64_musl: { system: "linux", triple: "x86_64-linux-musl" },
  linux_aarch64_musl: { system: "linux", triple: "aarch64-linux-musl" },
  macos_x86_64: { system: "macos", triple: "x86_64-macos.11.0" },
  macos_aarch64: { system: "macos", triple: "aarch64-macos.11.0" },
  windows_x86_64: { system: "windows", triple: "x86_64-windows-gnu" },
  windows_aarch64: { system: "windows", triple: "aarch64-windows-gnu" },
};

/** Runs a compiler in `shim/`, so that no path of this machine reaches the binary. */
export function compile(command: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(command[0], command.slice(1), { cwd: shim, encoding: "utf8" });
  if (status === 0) return;
  throw new Error(`${command.join(" ")}\n${error?.message ?? `${stdout}${stderr}`}`);
}

/** A source without its comments: another wording of one makes no other library. */
const codeOf = (file: string): string => readFileSync(join(shim, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");

/**
 * What a library of Linux is called: a dynamic linker finds one that is loaded already by this name, so that workers
 * share a copy. Anything that makes other bytes makes another name.
 */
function sonameOf(system: System, target: string): string {
  if (system !== "linux") return "";
  const hash = createHash("sha256");
  const { sources, flags, libraries } = SYSTEMS[system];
  hash.update([target, ...C_FLAGS, ...flags, ...sources, ...libraries].join("\n"));
  const headers = readdirSync(shim).filter((file) => file.endsWith(".h")).sort();
  for (const file of [...sources, ...headers]) hash.update(`\n${file}\n${codeOf(file)}`);
  return `frames_depot.${hash.digest("hex").slice(0, 16)}.so`;
}

const named = (soname: string): string[] => soname === "" ? [] : [`-Wl,-soname,${soname}`];

/** Builds one target into a folder and returns the library's path. */
export function cross(zig: readonly string[], name: string, folder: string): string {
  const { system, triple } = TARGETS[name];
  const { sources, flags, libraries, extension } = SYSTEMS[system];
  // The file's own name goes into a .dylib and a .dll: always the same one.
  const out = join(folder, name, `frames_depot.${extension}`);
  mkdirSync(dirname(out), { recursive: true });
  // zig turns its sanitizer on by default; visibility leaves nothing exported but the header's functions.
  const lean = ["-fno-sanitize=undefined", "-fvisibility=hidden", "-s", ...named(sonameOf(system, triple))];
  compile([...zig, "cc", "-target", triple, ...C_FLAGS, ...lean, ...flags, "-o", out, ...sources, ...libraries]);
  return out;
}

/** The module that carries a binary. */
function moduleOf(name: string, binary: Uint8Array): string {
  const { system, triple } = TARGETS[name];
  return `// deno-fmt-ignore-file
// made by shim/build.ts: do not edit
/**
 * The shim for ${triple}: ${binary.length} bytes, built with zig ${ZIG_VERSION}.
 *
 * @module
 */

/** SHA-256 of the binary, in hexadecimal. */
export const sha256 = "${createHash("sha256").update(binary).digest("hex")}";

/** The name that a dynamic linker knows it by once it is loaded; empty where it goes by the path. */
export const soname = "${sonameOf(system, triple)}";

/** The binary. */
export const base64 = "${Buffer.from(binary).toString("base64")}";
`;
}

/** Builds targets one after the other and hands each module to `use`. */
function buildModules(names: readonly string[], use: (name: string, path: string, text: string) => void): void {
  const zig = findZig();
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-build-"));
  try {
    for (const name of names) {
      use(name, join(prebuilt, `${name}.ts`), moduleOf(name, readFileSync(cross(zig, name, folder))));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(names: readonly string[]): void {
  mkdirSync(prebuilt, { recursive: true });
  buildModules(names, (name, path, text) => {
    writeFileSync(path, text);
    console.log(`built ${name}: ${/sha256 = "(.*)"/.exec(text)?.[1]}`);
  });
}

function check(names: readonly string[]): number {
  const wrong: string[] = [];
  buildModules(names, (name, path, text) => {
    let there: string | undefined;
    try {
      there = readFileSync(path, "utf8");
    } catch {
      wrong.push(`${name}: ${path} is missing`);
      return;
    }
    if (there !== text) wrong.push(`${name}: the sources build another binary than the one in ${path}`);
    else console.log(`same  ${name}`);
  });
  if (wrong.length === 0) return 0;
  console.error([...wrong, "Run `deno run -A shim/build.ts` and commit ffi/prebuilt/."].join("\n"));
  return 1;
}

function local(out: string | undefined): void {
  const systems: Record<string, System> = { linux: "linux", android: "linux", darwin: "macos", win32: "windows" };
  const system = systems[process.platform];
  if (system === undefined) throw new Error(`there is no shim for ${process.platform} yet: see frames_depot.h`);
  const { sources, flags, libraries, extension } = SYSTEMS[system];
  const path = resolve(out ?? join(cacheFolder(), `frames_depot.${extension}`));
  mkdirSync(dirname(path), { recursive: true });
  const compiler = (process.env.CC || "cc").split(" ");
  const own = ["-fvisibility=hidden", ...named(sonameOf(system, compiler.join(" ")))];
  compile([...compiler, ...C_FLAGS, ...own, ...flags, "-o", path, ...sources, ...libraries]);
  console.log(`FRAMES_DEPOT_LIB=${path}`);
}

function main(parameters: readonly string[]): number {
  const names = parameters.filter((text) => !text.startsWith("--"));
  if (parameters[0] === "--local") {
    const at = parameters.indexOf("--out");
    local(at < 0 ? undefined : parameters[at + 1]);
    return 0;
  }
  const unknown = names.find((name) => !(name in TARGETS)) ??
    parameters.find((text) => text.startsWith("--") && text !== "--check");
  if (unknown !== undefined) throw new Error(`unknown: ${unknown}. Targets: ${Object.keys(TARGETS).join(", ")}`);
  const wanted = names.length > 0 ? names : Object.keys(TARGETS);
  if (parameters.includes("--check")) return check(wanted);
  write(wanted);
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
