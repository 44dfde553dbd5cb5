/**
 * One run of one measurement in this runtime: `main.ts QUESTION` prints its figures as JSON.
 *
 * @module
 */
import process from "node:process";
import { copy } from "./copy.ts";
import { following, followStream, remake } from "./follow.ts";
import { handoff, handoffBySize, publishWithReaders, viewsBySize } from "./handoff.ts";
import { lookup } from "./lookup.ts";
import { manyDepots, manyDepotsThreads, scatter } from "./many.ts";
import { echo, latencyParked, latencySpinning } from "./ping_pong.ts";
import { beat, idleCpu, pacedCpu, pacedLatency } from "./paced.ts";
import { open, overhead } from "./start.ts";
import { sharing } from "./sharing.ts";
import { produce, stream } from "./stream.ts";

const MEASUREMENTS = {
  copy,
  handoff,
  handoffBySize,
  viewsBySize,
  publishWithReaders,
  lookup,
  open,
  overhead,
  stream,
  latencySpinning,
  latencyParked,
  pacedLatency,
  pacedCpu,
  idleCpu,
  manyDepots,
  manyDepotsThreads,
  following,
  followStream,
  sharing,
};
/** What a measurement starts as a second process. */
const PARTNERS: Record<string, (...parameters: never[]) => Promise<unknown>> = {
  produce,
  echo,
  beat,
  scatter,
  remake,
};

/** What can be asked for. */
export type Measurement = keyof typeof MEASUREMENTS;

if (import.meta.main) {
  const [name, ...parameters] = process.argv.slice(2);
  if (name in PARTNERS) {
    await PARTNERS[name](...parameters as never[]);
  } else {
    const measure = MEASUREMENTS[name as Measurement];
    if (measure === undefined) throw new Error(`measurements: ${Object.keys(MEASUREMENTS).join(", ")}`);
    console.log(JSON.stringify(await measure()));
  }
}
