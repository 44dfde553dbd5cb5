/**
 * One run of one measurement in this runtime: `main.ts QUESTION` prints its figures as JSON.
 *
 * @module
 */
import process from "node:process";
import { copy } from "./copy.ts";
import { handoff, handoffBySize, publishWithReaders } from "./handoff.ts";
import { lookup } from "./lookup.ts";
import { open, overhead } from "./start.ts";
import { produce, stream } from "./stream.ts";

const MEASUREMENTS = { copy, handoff, handoffBySize, publishWithReaders, lookup, open, overhead, stream };

/** What can be asked for. */
export type Measurement = keyof typeof MEASUREMENTS;

if (import.meta.main && process.argv[2] === "produce") {
  await produce(process.argv[3]);
} else if (import.meta.main) {
  const measure = MEASUREMENTS[process.argv[2] as Measurement];
  if (measure === undefined) throw new Error(`measurements: ${Object.keys(MEASUREMENTS).join(", ")}`);
  console.log(JSON.stringify(await measure()));
}
