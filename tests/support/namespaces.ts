/**
 * Runs modules of tests/support/ in namespaces of their own: another /dev/shm, other process ids. Needs Linux and root.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RUN } from "../../tools/support/runtimes.ts";
import { depotTest, executableOf, HERE, type Runtime, skip } from "./harness.ts";

/** Flags of `unshare` for mounts of its own; undefined where there can be none. */
export const mountable = process.platform !== "linux"
  ? undefined
  : [["--mount"], ["--user", "--map-root-user", "--mount"]]
    .find((flags) => spawnSync("unshare", [...flags, "true"]).status === 0);

const possible = process.platform === "linux" &&
  spawnSync("unshare", ["--mount", "--pid", "--fork", "true"]).status === 0;

/** How it ended, and what it printed. */
export type Ending = { status: number | null; out: string };

/**
 * Runs a module under `unshare`. The shell stays its parent: process 1 of a pid namespace cannot kill itself.
 *
 * @param setUp commands before it, each followed by `&&`; what stands last is put in front of the program
 */
export function unshared(
  flags: string[],
  setUp: string,
  module: string,
  parameters: unknown,
  runtime: Runtime = HERE,
  timeoutMs = 60_000,
): Ending {
  const script = fileURLToPath(new URL(`./${module}`, import.meta.url));
  const run = `${[executableOf(runtime), ...RUN[runtime]].join(" ")} ${script} '${JSON.stringify(parameters)}'`;
  const { status, stdout, stderr } = spawnSync("unshare", [...flags, "sh", "-c", `${setUp} ${run}; exit $?`], {
    encoding: "utf8",
    timeout: timeoutMs,
  });
  return { status, out: `${stdout}${stderr}` };
}

/** A test that needs them. Elsewhere it is skipped. */
export function namespaceTest(
  title: string,
  body: (name: string) => Promise<void> | void,
  options: { watchdogMs?: number } = {},
): void {
  depotTest(title, async (name) => {
    if (!possible) return skip("no namespaces here: needs Linux and root");
    await body(name);
  }, options);
}
