/**
 * Builds and runs the shim's own tests (`shim/tests/`).
 *
 *     deno run -A shim/test.ts           here, under the address, undefined-behaviour and thread sanitizers
 *     deno run -A shim/test.ts --qemu    the aarch64 Linux build, under qemu-aarch64
 *     deno run -A shim/test.ts --wine    the Windows library, under Wine
 *     deno run -A shim/test.ts --darwin  the logic of the macOS files, on Linux over stand-ins (tests/darwin/)
 *     deno run -A shim/test.ts --all     all of them
 *
 * Tests whose emulator is missing are skipped, and the output says so.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { C_FLAGS, compile, cross, SYSTEMS } from "./build.ts";
import { cacheFolder, findZig } from "./zig.ts";

/** Of the ring alone, in ordinary memory. */
const RING_TESTS = ["ring", "group", "race"];
/** Of sleepers alone, in one process. */
const SLEEP_TESTS = ["sleeper", "sleeper_start"];
const TESTS = ["words", "copy", ...RING_TESTS, "segment", "replace", "retire", "lock", "wait", ...SLEEP_TESTS, "owner"];
const POSIX_TESTS = [...TESTS, "exit"];
const LINUX_TESTS = [...POSIX_TESTS, "linux"];
const MACOS_TESTS = [...POSIX_TESTS, "macos"];
/** Tests that also run as on a Linux that cannot sleep on several words. */
const ONE_WORD_TESTS = [...SLEEP_TESTS, "owner"];
/**
 * Those of the ring, and those in which several threads use the shim. Most others start processes, which a thread
 * sanitizer cannot see.
 */
const THREAD_TESTS = [...RING_TESTS, ...SLEEP_TESTS, "owner", "wait"];
/** Longer than all watchdogs of one file together. */
const FILE_TIMEOUT_MS = 20 * 60_000;

const SANITIZERS = {
  memory: ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
  threads: ["-fsanitize=thread"],
};

const prefix = `ctest-${process.pid}-${Math.trunc(Math.random() * 2 ** 32).toString(16)}`;

/** Sources, relative to `shim/`, in which the compiler runs. */
const sourcesOf = (test: string): string[] => ["tests/harness.c", `tests/${test}_test.c`];

/** Runs one test program. @returns whether it passed */
function run(title: string, command: readonly string[], env: Record<string, string> = {}): boolean {
  console.log(title);
  const { status, signal, error } = spawnSync(command[0], command.slice(1), {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env, FD_TEST_PREFIX: prefix },
    timeout: FILE_TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  if (status === 0) return true;
  console.error(`FAILED ${title}: ${error?.message ?? `status ${status}, signal ${signal}`}`);
  return false;
}

/** The path of a program, if this machine has it. */
function program(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(":");
  return names.flatMap((name) => name.startsWith("/") ? [name] : folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** A compiler whose sanitizer builds a program that runs. */
function compilerFor(flags: readonly string[], folder: string): string[] {
  const source = join(folder, "probe.c"), out = join(folder, "probe");
  writeFileSync(source, "int main(void) { return 0; }\n");
  const reasons: string[] = [];
  for (const name of process.env.CC ? [process.env.CC] : ["cc", "clang", "gcc"]) {
    const compiler = name.split(" ");
    try {
      compile([...compiler, ...flags, source, "-o", out]);
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message}`);
      continue;
    }
    const { status, stderr } = spawnSync(out, { encoding: "utf8" });
    if (status === 0) return compiler;
    reasons.push(`${name}: a program built with ${flags[0]} does not run: ${stderr}`);
  }
  throw new Error(
    `no compiler here builds with ${flags.join(" ")} (its runtime library may be a package of its own):\n${
      reasons.join("\n")
    }`,
  );
}

function local(folder: string): boolean[] {
  const system = process.platform === "darwin" ? "macos" : "linux";
  const { sources, libraries } = SYSTEMS[system];
  const oneWord = system === "linux" ? ONE_WORD_TESTS : [];
  const plans = [
    { flags: SANITIZERS.memory, tests: system === "linux" ? LINUX_TESTS : MACOS_TESTS },
    { flags: SANITIZERS.threads, tests: THREAD_TESTS },
    { flags: [...SANITIZERS.memory, "-DFD_TEST_NO_WAITV"], tests: oneWord },
    { flags: [...SANITIZERS.threads, "-DFD_TEST_NO_WAITV"], tests: oneWord },
  ];
  return plans.flatMap(({ flags, tests }) => {
    const compiler = compilerFor(flags, folder);
    return tests.map((test) => {
      const out = join(folder, `${test}_test`);
      const all = [...C_FLAGS, "-g", ...flags, "-o", out, ...sourcesOf(test), ...sources, ...libraries, "-lm"];
      compile([...compiler, ...all]);
      return run(`${test}: ${compiler[0]} ${flags.join(" ")}`, [out]);
    });
  });
}

function qemu(folder: string): boolean[] {
  const emulator = program("qemu-aarch64", "qemu-aarch64-static");
  if (emulator === undefined) {
    console.log("SKIPPED: qemu-aarch64 (package qemu-user) is not here");
    return [];
  }
  const zig = findZig();
  const { sources, libraries } = SYSTEMS.linux;
  return LINUX_TESTS.map((test) => {
    const out = join(folder, `${test}_test`);
    const target = ["-target", "aarch64-linux-musl", "-static", ...C_FLAGS];
    compile([...zig, "cc", ...target, "-o", out, ...sourcesOf(test), ...sources, ...libraries, "-lm"]);
    return run(`${test}: aarch64 under qemu`, [emulator, out]);
  });
}

function wine(folder: string): boolean[] {
  const fetched = join(cacheFolder(), "platforms/bin/wine64"); // by `deno task platforms windows`
  const emulator = program("wine64", "wine", "/usr/lib/wine/wine64", fetched);
  if (emulator === undefined) {
    console.log("SKIPPED: Wine is not here");
    return [];
  }
  const zig = findZig();
  const library = cross(zig, "windows_x86_64", folder);
  const env = { WINEPREFIX: join(folder, "wine"), WINEDEBUG: "-all" };
  try {
    return TESTS.map((test) => {
      const out = join(dirname(library), `${test}_test.exe`);
      // Linked to the library itself, as it is shipped.
      const target = ["-target", "x86_64-windows-gnu", ...C_FLAGS];
      compile([...zig, "cc", ...target, "-o", out, ...sourcesOf(test), library]);
      return run(`${test}: Windows under Wine`, [emulator, out], env);
    });
  } finally {
    // Wine's server outlives its programs by a while and would write into the folder that is being removed.
    const server = program("wineserver", "/usr/lib/wine/wineserver64", "/usr/lib/wine/wineserver");
    if (server !== undefined) {
      spawnSync(server, ["-k"], { env: { ...process.env, ...env } });
      spawnSync(server, ["-w"], { env: { ...process.env, ...env }, timeout: 30_000 });
    }
  }
}

function darwin(folder: string): boolean[] {
  if (process.platform !== "linux") {
    console.log("SKIPPED: the stand-ins for macOS are for Linux");
    return [];
  }
  const compiler = compilerFor(SANITIZERS.memory, folder);
  const registry = join(folder, "registry/");
  mkdirSync(registry);
  // Objects get another name than Linux's own segments, which other tests may be listing.
  const places = [`-DFD_DIRECTORY="${registry}"`, `-DFD_OBJECT="/${prefix}."`];
  const standIns = [
    ...places,
    "-include",
    "tests/darwin/darwin.h",
    "-Itests/darwin",
    "tests/darwin/waits.c",
    "-rdynamic",
  ];
  return [[], ["-DWITH_OS_SYNC"]].flatMap((variant) =>
    MACOS_TESTS.map((test) => {
      const out = join(folder, `${test}_test`);
      const flags = [...C_FLAGS, "-g", ...SANITIZERS.memory, ...variant, ...standIns];
      compile([...compiler, ...flags, "-o", out, ...sourcesOf(test), ...SYSTEMS.macos.sources, "-lpthread", "-lm"]);
      return run(`${test}: macOS over stand-ins ${variant.join("")}`, [out]);
    })
  );
}

/** Removes what killed tests left. @returns how many files that were */
function sweep(): number {
  let count = 0;
  for (const folder of ["/dev/shm", "/private/var/tmp"].filter((path) => existsSync(path))) {
    const left = readdirSync(folder).filter((name) => name.includes(prefix));
    for (const name of left) rmSync(join(folder, name), { recursive: true, force: true });
    count += left.length;
  }
  return count;
}

function main(parameters: readonly string[]): number {
  const all = parameters.includes("--all");
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  const passed: boolean[] = [];
  try {
    if (all || parameters.length === 0) passed.push(...local(folder));
    if (all || parameters.includes("--qemu")) passed.push(...qemu(folder));
    if (all || parameters.includes("--darwin")) passed.push(...darwin(folder));
    if (all || parameters.includes("--wine")) passed.push(...wine(folder));
  } finally {
    const left = sweep();
    if (left > 0) {
      console.error(`FAILED: the tests left ${left} segments behind`);
      passed.push(false);
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  const failed = passed.filter((one) => !one).length;
  console.log(failed === 0 ? `all ${passed.length} test programs passed` : `${failed} of ${passed.length} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
