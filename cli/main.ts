#!/usr/bin/env -S deno run -A
/**
 * The command line `frames-depot`, in Deno and in Bun.
 *
 * @module
 */
import process from "node:process";
import { endWithOutput, report } from "./report.ts";
import { buildProgram } from "./program.ts";
import { complainOfWarnings } from "./terminal/output.ts";

endWithOutput();
complainOfWarnings();
try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
