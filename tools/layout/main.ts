/**
 * Writes every copy of the layout from `ring/layout.ts`, and what `shim/frames_depot.h` gives; `--check`
 * compares.
 *
 *     deno task layout [--check]
 *
 * @module
 */
import process from "node:process";
import { faults, write } from "./copies.ts";

const root = process.cwd();
const isCheck = process.argv.includes("--check");
if (!isCheck) { for (const path of await write(root)) console.log(`written: ${path}`); }
const found = await faults(root);
for (const fault of found) console.error(fault);
if (found.length === 0) console.log("the layout and the signatures are the same in every copy");
else process.exitCode = 1;
