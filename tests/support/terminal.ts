/**
 * A command on a real terminal: a pseudo-terminal that Python opens.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cliCommand } from "./cli.ts";
import type { Runtime } from "./harness.ts";

const SCRIPT = fileURLToPath(new URL("./terminal.py", import.meta.url));

/** Whether there can be one here. */
export const hasTerminal: boolean = spawnSync("python3", ["-c", "import pty"]).status === 0;

/** A text to wait for, then keys to press or a signal to send. */
export type Step = { shows: string; keys?: string; signal?: "SIGINT" | "SIGTERM" | "SIGKILL" | "SIGUSR2" };

/** `restored`: whether the terminal's modes are as they were before. */
export type Session = { output: string; code: number; restored: boolean };

/** Enough for every depot that other tests have at that moment. */
const ROWS = 500;

/** Runs `frames-depot` on a terminal. @throws {Error} when it does not show the text of a step, with what it shows */
export async function onTerminal(
  runtime: Runtime,
  parameters: string[],
  steps: Step[],
  columns = 80,
): Promise<Session> {
  const task = { command: [...cliCommand(runtime), ...parameters], columns, rows: ROWS, steps };
  const python = spawn("python3", [SCRIPT, JSON.stringify(task)], { stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  python.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
  await new Promise((resolve) => python.on("close", resolve));
  const { left, ...session } = JSON.parse(out) as Session & { left: Step[] };
  if (left.length > 0) throw new Error(`the terminal did not show "${left[0].shows}", but this:\n${session.output}`);
  return session;
}
