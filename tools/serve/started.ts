/**
 * Processes that the benches of `serve` start.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

/** Starts a process, and waits for a text that it prints. */
export async function started(
  command: string[],
  pattern: RegExp,
  { cwd = process.cwd(), errors = "inherit" as "inherit" | "ignore" } = {},
): Promise<{ child: ChildProcess; found: string }> {
  const child = spawn(command[0], command.slice(1), { cwd, stdio: ["pipe", "pipe", errors] });
  let printed = "";
  for await (const text of child.stdout!.setEncoding("utf8")) {
    printed += text;
    const found = pattern.exec(printed)?.[0];
    if (found !== undefined) return { child, found };
  }
  throw new Error(`${command.join(" ")} ended: ${printed}`);
}

/** Ends one that listens on its input, or to SIGTERM. */
export async function end(child: ChildProcess): Promise<void> {
  child.stdin!.end();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  process.kill(child.pid!, "SIGTERM");
  await closed;
}
