/**
 * What the system says of a process, so that people recognize a pid.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/**
 * The command line of a process; undefined where the system does not tell (other systems than Linux, another user's
 * process, Deno without --allow-read).
 */
export function commandOf(pid: number): string | undefined {
  try {
    const [executable, ...parameters] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return [executable.replace(/^.*\//, ""), ...parameters].join(" ").trim() || undefined;
  } catch {
    return undefined;
  }
}
