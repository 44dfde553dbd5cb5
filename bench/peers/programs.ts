/**
 * How the programs of this folder are started.
 *
 * @module
 */
import { executableOf, RUN } from "../../tools/support/runtimes.ts";
import { fileURLToPath } from "node:url";
import type { Command, Peer } from "./run.ts";

/** What TypeScript is run by. */
export const PROGRAM_RUNTIMES = ["Deno", "Bun", "Node"] as const;
/** One of them. */
export type Runtime = typeof PROGRAM_RUNTIMES[number];

/** The path of a file of this folder. */
export function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** A module of this folder in a runtime. */
export function module(runtime: Runtime, file: string, ...parameters: string[]): Command {
  const name = runtime.toLowerCase() as Lowercase<Runtime>;
  return [executableOf(name), ...RUN[name], here(file), ...parameters];
}

/** Two processes that run the same module. */
export function between(file: string, sender: Runtime, receiver = sender): Pick<Peer, "receive" | "send"> {
  return { receive: module(receiver, file, "receive"), send: module(sender, file, "send") };
}
