#!/usr/bin/env -S deno run -A
/**
 * The command line `frames-depot`, in Deno and in Bun.
 *
 * @module
 */
import process from "node:process";
import { report } from "./failure.ts";
import { buildProgram } from "./program.ts";
import { complainOfWarnings, endQuietlyWhenClosed } from "./terminal/output.ts";

endQuietlyWhenClosed();
complainOfWarnings();
try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
