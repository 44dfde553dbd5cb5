/**
 * The runtimes: which of them this is, where they are, and how they run a module.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import process from "node:process";
import { BUN_VERSION, NODE_VERSION } from "./versions.ts";

/** All there are. */
export const ALL_RUNTIMES = ["deno", "bun", "node"] as const;
/** One of them. */
export type Runtime = typeof ALL_RUNTIMES[number];

/** The one that runs this. */
export const HERE: Runtime = "Bun" in globalThis ? "bun" : "Deno" in globalThis ? "deno" : "node";

/** Those that take part. Node does where the environment names it, as `deno task test` does. */
export const RUNTIMES: readonly Runtime[] = ALL_RUNTIMES.filter((runtime) => {
  return runtime !== "node" || HERE === "node" || process.env.FRAMES_DEPOT_TEST_NODE !== undefined;
});

/** Is set where each runtime runs every test: then it need not start programs in the others that these start too. */
export const EACH_VARIABLE = "FRAMES_DEPOT_TEST_EACH";

/** Has Node find what the others find by an import map or tsconfig.json. */
const NODE_IMPORTS = new URL("./node_imports.ts", import.meta.url).href;

/** What stands before the flags and the path of a module to run. */
export const RUN: Record<Runtime, readonly string[]> = {
  deno: ["run", "--quiet", "--no-check", "-A"],
  bun: ["run"],
  node: ["--disable-warning=ExperimentalWarning", "--import", NODE_IMPORTS],
};

/** A flag of each with which {@linkcode collect} works. */
export const EXPOSES_GC: Record<Runtime, readonly string[]> = {
  deno: ["--v8-flags=--expose-gc"],
  bun: [],
  node: ["--expose-gc"],
};

/**
 * Flags for a process whose memory is watched. V8's young generation grows in steps of megabytes whenever much
 * survives at once, and stays so: that is no leak, and would hide one, so it has one size from the start.
 */
export const COLLECTS: Record<Runtime, readonly string[]> = {
  deno: ["--v8-flags=--expose-gc,--min-semi-space-size=4,--max-semi-space-size=4"],
  bun: [],
  node: ["--expose-gc", "--min-semi-space-size=4", "--max-semi-space-size=4"],
};

/** Collects garbage now. Deno and Node need {@linkcode COLLECTS} or {@linkcode EXPOSES_GC}. */
export function collect(): void {
  const { gc, Bun } = globalThis as unknown as { gc?: () => void; Bun?: { gc(now: boolean): void } };
  gc?.();
  Bun?.gc(true);
}

function output(command: string, parameters: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, parameters, { encoding: "utf8", shell: process.platform === "win32" });
  return status === 0 ? stdout.trim() : undefined;
}

/** The one on PATH if its version is right, otherwise the npm package's, fetched once by npx. */
function fetched(name: "bun" | "node", version: string): string {
  // In full: tests start it with nothing in its environment, PATH included.
  const here = output(name, ["--version"])?.replace("v", "");
  if (here === version) return output(name, ["-p", "process.execPath"])!;
  const path = output("npx", ["--yes", "--package", `${name}@${version}`, "-c", `command -v ${name}`]);
  if (path === undefined || path === "") {
    throw new Error(`${name} ${version} cannot be had: npx failed; is node with npm installed?`);
  }
  return realpathSync(path.split("\n").at(-1)!);
}

function installed(runtime: Runtime): string {
  if (runtime === HERE) return process.execPath;
  return runtime === "bun" ? fetched("bun", BUN_VERSION) : runtime === "node" ? fetched("node", NODE_VERSION) : "deno";
}

const found: Partial<Record<Runtime, string>> = {};
const variableOf = (runtime: Runtime): string => `FRAMES_DEPOT_TEST_${runtime.toUpperCase()}`;

/**
 * The executable of a runtime: the one that the environment names, the one that runs this, or the one that is
 * installed.
 */
export function executableOf(runtime: Runtime): string {
  return found[runtime] ??= process.env[variableOf(runtime)] ?? installed(runtime);
}

/** The environment from which other processes know some runtimes: those that take part there, too. */
export function executablesAsEnv(runtimes = RUNTIMES): Record<string, string> {
  return Object.fromEntries(runtimes.map((runtime) => [variableOf(runtime), executableOf(runtime)]));
}
