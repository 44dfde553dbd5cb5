/**
 * The systems that can be run on Linux x86_64 with glibc.
 *
 * @module
 */
import { copyFileSync, existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ALL_RUNTIMES, executableOf, type Runtime } from "../support/runtimes.ts";
import { STATIC } from "../support/suite.ts";
import { BUN_VERSION, DENO_VERSION } from "../support/versions.ts";
import { debianFiles, folderOf, npmExecutable, starter, wheelFiles } from "./packages.ts";
import { notOnWindows, prepareWindows } from "./windows.ts";

/** A system to run tests on. */
export type Target = {
  /** The runtimes that are this system's; others take part as peers. */
  runtimes: readonly Runtime[];
  /** Fetches what it needs. @returns all runtimes' executables */
  prepare(): Partial<Record<Runtime, string>>;
  /** Why a file is not run, where that was not asked for by name; undefined where it is. */
  skips(file: string, runtime: Runtime): string | undefined;
};

/** What says nothing of a system. */
const ELSEWHERE: readonly [RegExp, string][] = [
  [STATIC, "it looks at files that are the same on each system"],
  [
    /^(bench_|chaos|deno_|examples|group_chaos|lease_storm|node_script|npm_package|soak)/,
    "it tries a tool, which the system's own runtimes run",
  ],
  [/^(cli_video|cli_bench|relay)/, "it needs programs that are not built for this system"],
];
const elsewhere = (file: string): string | undefined => ELSEWHERE.find(([files]) => files.test(file))?.[1];

/** Bun for musl, with musl's dynamic linker and a C++ library out of packages, beside Deno on glibc. */
function prepareMusl(): Partial<Record<Runtime, string>> {
  const libraries = folderOf("musl", (folder) => {
    debianFiles(folder, ["musl"], "trixie"); // Bun needs a newer one than Debian 12 has
    wheelFiles(folder, "greenlet==3.5.6"); // it carries GCC's libraries for musl
    copyFileSync(join(folder, "usr/lib/x86_64-linux-musl/libc.so"), join(folder, "ld-musl-x86_64.so.1"));
    for (const file of readdirSync(join(folder, "greenlet.libs"))) {
      const name = file.startsWith("libstdc++") ? "libstdc++.so.6" : file;
      renameSync(join(folder, "greenlet.libs", file), join(folder, name));
    }
  });
  const bun = npmExecutable("@oven/bun-linux-x64-musl", BUN_VERSION, "bin/bun");
  const linker = join(libraries, "ld-musl-x86_64.so.1");
  return {
    bun: starter("bun-musl", [linker, "--library-path", libraries, bun]),
    deno: executableOf("deno"),
  };
}

/** What is worth an emulator's time: calls of C, waiting, processes, death, threads. */
const EMULATED = new Set([
  ...["claims", "conformance_ffi", "group", "killed", "layout", "leases", "lifecycle", "lookup", "newest"],
  ...["planes", "queue", "stream", "waiting", "workers"],
]);

/** Deno and Bun for aarch64, emulated: its instructions, not its order of memory. */
function prepareAarch64(): Partial<Record<Runtime, string>> {
  const root = folderOf("aarch64", (folder) => {
    const libraries = ["libc6", "libgcc-s1", "libstdc++6", "libatomic1"].map((name) => `${name}-arm64-cross`);
    debianFiles(folder, ["qemu-user-static", ...libraries]);
  });
  const emulator = [join(root, "usr/bin/qemu-aarch64-static"), "-L", join(root, "usr/aarch64-linux-gnu")];
  if (!existsSync(emulator[0])) throw new Error(`the package qemu-user-static has no ${emulator[0]}`);
  const bun = npmExecutable("@oven/bun-linux-aarch64", BUN_VERSION, "bin/bun");
  const deno = npmExecutable("@deno/linux-arm64-glibc", DENO_VERSION, "deno");
  return {
    bun: starter("bun-aarch64", [...emulator, bun]),
    deno: starter("deno-aarch64", [...emulator, deno]),
  };
}

/** A second library in the test, with a stop at each step, comes from this machine's compiler. */
const GLIBC_STEPS = /^(group_deaths|group_stops)$/;

/** By their names on the command line. */
export const TARGETS: Record<string, Target> = {
  windows: {
    runtimes: ALL_RUNTIMES,
    prepare: prepareWindows,
    skips: (file, runtime) => notOnWindows(file, runtime) ?? elsewhere(file),
  },
  musl: {
    runtimes: ["bun"],
    prepare: prepareMusl,
    skips: (file) => GLIBC_STEPS.test(file) ? "fails on musl; the cause is not known yet" : elsewhere(file),
  },
  aarch64: {
    runtimes: ["deno", "bun"],
    prepare: prepareAarch64,
    skips: (file) => elsewhere(file) ?? (EMULATED.has(file) ? undefined : "it is slow here: name it to run it"),
  },
};
