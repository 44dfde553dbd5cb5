/**
 * Running the steps of a task: each is said before it runs, and the first that fails ends it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";

/** One command. `env` is added to this process's own. */
export type Step = { title: string; command: string[]; env?: Record<string, string> };

/** Runs a command with our own standard streams. Ends the process when it fails. */
export function run({ title, command, env = {} }: Step): void {
  console.log(`\n== ${title}`);
  const [executable, ...parameters] = command;
  const { status, error } = spawnSync(executable, parameters, {
    stdio: "inherit",
    env: { ...Deno.env.toObject(), ...env },
  });
  if (status === 0) return;
  console.error(`\n${title}: failed${error === undefined ? ` with code ${status}` : `: ${error.message}`}`);
  Deno.exit(1);
}
