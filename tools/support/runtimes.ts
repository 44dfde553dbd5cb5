/**
 * The two runtimes: which of them this is, where they are, and how they run a module.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { BUN_VERSION } from "./versions.ts";

/** The runtimes. */
export const RUNTIMES = ["deno", "bun"] as const;
/** One of them. */
export type Runtime = typeof RUNTIMES[number];

/** The one that runs this. */
export const HERE: Runtime = "Bun" in globalThis ? "bun" : "deno";

/** What stands before the flags and the path of a module to run. */
export const RUN: Record<Runtime, readonly string[]> = {
  deno: ["run", "--quiet", "--no-check", "-A"],
  bun: ["run"],
};

/**
 * Flags for a process whose memory is watched. Deno's young generation grows in steps of megabytes whenever much
 * survives at once, and stays so: that is no leak, and would hide one, so it has one size from the start.
 */
export const COLLECTS: Record<Runtime, readonly string[]> = {
  deno: ["--v8-flags=--expose-gc,--min-semi-space-size=4,--max-semi-space-size=4"],
  bun: [],
};

/** Collects garbage now. Deno needs {@linkcode COLLECTS}. */
export function collect(): void {
  const { gc, Bun } = globalThis as unknown as { gc?: () => void; Bun?: { gc(now: boolean): void } };
  gc?.();
  Bun?.gc(true);
}

function output(command: string, parameters: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, parameters, { encoding: "utf8", shell: process.platform === "win32" });
  return status === 0 ? stdout.trim() : undefined;
}

/** The Bun on PATH if its version is right, otherwise the npm package's, fetched once by npx. */
function bunPath(): string {
  // In full: tests start it with nothing in its environment, PATH included.
  if (output("bun", ["--version"]) === BUN_VERSION) return output("bun", ["-p", "process.execPath"])!;
  const found = output("npx", ["--yes", "--package", `bun@${BUN_VERSION}`, "-c", "command -v bun"]);
  if (found === undefined || found === "") {
    throw new Error(`bun ${BUN_VERSION} cannot be had: npx failed; is node with npm installed?`);
  }
  return found.split("\n").at(-1)!;
}

const found: Partial<Record<Runtime, string>> = {};
const variableOf = (runtime: Runtime): string => `FRAMES_DEPOT_TEST_${runtime.toUpperCase()}`;

/**
 * The executable of a runtime: the one that the environment names, the one that runs this, or the one that is
 * installed.
 */
export function executableOf(runtime: Runtime): string {
  const find = (): string => runtime === HERE ? process.execPath : runtime === "bun" ? bunPath() : "deno";
  return found[runtime] ??= process.env[variableOf(runtime)] ?? find();
}

/** The environment from which other processes know both. */
export function executablesAsEnv(): Record<string, string> {
  return Object.fromEntries(RUNTIMES.map((runtime) => [variableOf(runtime), executableOf(runtime)]));
}
