/**
 * What a process says to the one that has started it, and hears from it, in lines of JSON: the other side of child.ts.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";

/** What this process was told when it was started: the last of its parameters. */
export function taskOf<T>(): T {
  return JSON.parse(process.argv.at(-1)!);
}

/** Says something. */
export function say(message: unknown): void {
  console.log(JSON.stringify(message));
}

/** What is said to this process, until nothing more can come. */
export async function* orders<T>(): AsyncGenerator<T> {
  for await (const line of createInterface({ input: process.stdin })) yield JSON.parse(line);
}
