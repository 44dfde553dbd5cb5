#!/usr/bin/env node
/**
 * The command line as npm installs it. Its first line has no flags: BusyBox's `env` refuses them.
 *
 * @module
 */
import process from "node:process";

/** Of Node; older ones lack what the modules of the commands import. The library wants more, and says so. */
const LEAST_MAJOR = 26;
const QUIET = "ExperimentalWarning";

const { node, bun, deno } = process.versions;
if (bun === undefined && deno === undefined && Number.parseInt(node) < LEAST_MAJOR) {
  console.error(`frames-depot needs Node 26.9 or later, or Bun, and this is Node ${node} (${process.execPath})`);
  process.exit(5);
}
// Node warns that its interface to C may change; users of a command need not read that.
const emitWarning = process.emitWarning.bind(process) as (...parameters: unknown[]) => void;
process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
  if (rest[0] !== QUIET) emitWarning(warning, ...rest);
};
// For the processes that the commands start, which get the flags of this one.
if (bun === undefined && deno === undefined) process.execArgv.push(`--disable-warning=${QUIET}`);
await import("./main.ts");
