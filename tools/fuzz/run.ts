/**
 * Has workers in either runtime go through cases, and notices when one crashes, hangs or fails.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { ModuleChild } from "../support/child.ts";
import type { Runtime } from "../support/runtimes.ts";
import type { Order, Report } from "./worker.ts";

/** Where segments are: the cases are files put there by hand. */
const DIRECTORY = "/dev/shm/frames-depot.";
const WORKER = new URL("./worker.ts", import.meta.url);
/** A worker that says nothing for this time hangs: a block of cases takes a fraction of a second. */
const SILENCE_MS = 60_000;

/** What to go through. */
export type Plan = { runtime: Runtime; seed: number; from: number; to: number };
/** What came of it: how often each outcome was seen, or what went wrong in which case. */
export type Result = { cases: number; outcomes: Record<string, number>; fault?: string };

/** A sound depot's bytes, with frames in it, readers and a producer: everything that a mutation may hit. */
async function makeSpecimen(name: string, file: string): Promise<void> {
  const depot = await FramesDepot.create(name, {
    frameSize: [8, 2, 3],
    elementType: "uint16",
    variableLength: true,
    maxSize: 3,
    maxReaders: 4,
    metadataBytes: 16,
    whenFull: "overwrite",
  });
  const frame = new Uint8Array(96);
  for (let n = 0; n < 5; n++) {
    await depot.enqueue({ frameNumber: n, frame: frame.subarray(20 * n), metadata: new Uint8Array([n]) });
  }
  depot.getFrame(2);
  depot.peekFrame(3);
  depot.frames().tryNext();
  writeFileSync(file, readFileSync(`${DIRECTORY}${name}`));
  await depot.close();
}

/** Runs the cases of a plan in one worker. */
export async function runCases(plan: Plan): Promise<Result> {
  const { runtime, seed, from, to } = plan;
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-fuzz-"));
  const name = `fuzz-${process.pid}-${runtime}-${from}-${Date.now() % 1e6}`;
  const path = `${DIRECTORY}${name}`;
  try {
    const specimen = join(folder, "specimen");
    await makeSpecimen(name, specimen);
    return await watch(plan, { path, name, specimen, seed, from, to });
  } finally {
    rmSync(path, { force: true, recursive: true });
    rmSync(folder, { force: true, recursive: true });
  }
}

async function watch({ runtime, from }: Plan, order: Order): Promise<Result> {
  await using child = new ModuleChild(runtime, WORKER, order);
  let at = from;
  let result: Result = { cases: 0, outcomes: {} };
  for (;;) {
    const silence = setTimeout(() => {
      result.fault = `hangs within ${at} to ${at + 100}`;
      child.signal("SIGKILL");
    }, SILENCE_MS);
    const report = await child.next<Report>();
    clearTimeout(silence);
    if (report === undefined) break;
    if ("at" in report) ({ at } = report);
    else if ("done" in report) result = { cases: report.done, outcomes: report.outcomes };
    else result.fault = `case ${report.failed} ${JSON.stringify(report.made)}: ${report.error}`;
  }
  const { code, signal } = await child.ending;
  if (code !== 0) result.fault ??= `ended by ${signal ?? `code ${code}`} within ${at} to ${at + 100}: ${child.errors}`;
  return result;
}
