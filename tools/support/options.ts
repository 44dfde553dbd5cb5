/**
 * Parameters of the tools that run at random.
 *
 * @module
 */
import process from "node:process";

/** A seed, where none is given. */
export function anySeed(): string {
  return String(Math.floor(Math.random() * 0x7fffffff));
}

/** @throws {Error} when the text of an option is no whole number from 1 */
export function wholeNumber(option: string, text: string): number {
  if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`--${option} must be a whole number from 1: ${text}`);
  return Number(text);
}

/** What `read` returns; prints what is wrong and how to use the tool, and ends the process, when it throws. */
export function optionsOrUsage<T>(usage: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
