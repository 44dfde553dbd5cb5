/**
 * How the programs of this folder are started.
 *
 * @module
 */
import { fromFileUrl } from "../../tests/support/paths.ts";
import { bunPath, denoPath } from "../../tools/runtimes.ts";
import process from "node:process";
import type { Command, Peer } from "./run.ts";

/** What TypeScript is run by. */
export type Runtime = "Deno" | "Bun";

const executables: Partial<Record<Runtime, string>> = {};

/** Tests, which run in both, are told where they are. */
function executableOf(runtime: Runtime): string {
  const told = process.env[`FRAMES_DEPOT_TEST_${runtime.toUpperCase()}`];
  return executables[runtime] ??= told ?? (runtime === "Deno" ? denoPath() : bunPath());
}

/** The path of a file of this folder. */
export function here(file: string): string {
  return fromFileUrl(new URL(file, import.meta.url));
}

/** A module of this folder in a runtime. */
export function module(runtime: Runtime, file: string, ...parameters: string[]): Command {
  const flags = runtime === "Deno" ? ["run", "-A", "--quiet", "--no-check"] : ["run"];
  return [executableOf(runtime), ...flags, here(file), ...parameters];
}

/** Two processes that run the same module. */
export function between(file: string, sender: Runtime, receiver = sender): Pick<Peer, "receive" | "send"> {
  return { receive: module(receiver, file, "receive"), send: module(sender, file, "send") };
}
