/**
 * Has workers in either runtime go through cases, and notices when one crashes, hangs or fails.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { FramesDepot } from "../../mod.ts";
import type { Order } from "./worker.ts";

/** Where segments are: the cases are files put there by hand. */
const DIRECTORY = "/dev/shm/frames-depot.";
/** A worker that says nothing for so long hangs: a block of cases takes a fraction of a second. */
const SILENCE_MS = 60_000;

/** What to go through. */
export type Plan = { executable: string[]; seed: number; from: number; to: number };
/** What came of it: how often each outcome was seen, or what went wrong in which case. */
export type Result = { cases: number; outcomes: Record<string, number>; fault?: string };

/** A sound depot's bytes, with frames in it, readers and a producer: everything that a mutation may hit. */
async function makeSpecimen(name: string, file: string): Promise<void> {
  const depot = await FramesDepot.create(name, {
    frameSize: [8, 4, 3],
    maxSize: 3,
    maxReaders: 4,
    metadataBytes: 16,
    whenFull: "overwrite",
  });
  const frame = new Uint8Array(96);
  for (let n = 0; n < 5; n++) await depot.enqueue({ frameNumber: n, frame, metadata: new Uint8Array([n]) });
  depot.getFrame(2);
  depot.peekFrame(3);
  depot.frames().tryNext();
  writeFileSync(file, readFileSync(`${DIRECTORY}${name}`));
  await depot.close();
}

/** Runs the cases of a plan in one worker. */
export async function runCases(plan: Plan): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-fuzz-"));
  const name = `fuzz-${process.pid}-${plan.executable[0].length}-${plan.from}-${Date.now() % 1e6}`;
  const path = `${DIRECTORY}${name}`;
  try {
    const specimen = join(folder, "specimen");
    await makeSpecimen(name, specimen);
    const order: Order = { path, name, specimen, seed: plan.seed, from: plan.from, to: plan.to };
    return await watch(plan, order);
  } finally {
    rmSync(path, { force: true, recursive: true });
    rmSync(folder, { force: true, recursive: true });
  }
}

function watch(plan: Plan, order: Order): Promise<Result> {
  const [command, ...parameters] = plan.executable;
  const worker = fileURLToPath(new URL("./worker.ts", import.meta.url));
  const child = spawn(command, [...parameters, worker, JSON.stringify(order)], { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve) => {
    let at = plan.from;
    let result: Result = { cases: 0, outcomes: {} };
    let errors = "";
    let rest = "";
    let silence: ReturnType<typeof setTimeout>;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        result.fault = `hangs within ${at} to ${at + 100}`;
        child.kill("SIGKILL");
      }, SILENCE_MS);
    };
    listen();
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors = (errors + text).slice(-4000));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      listen();
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const said = JSON.parse(line);
        if (said.at !== undefined) at = said.at;
        if (said.failed !== undefined) result.fault = `case ${said.failed} ${JSON.stringify(said.made)}: ${said.error}`;
        if (said.done !== undefined) result = { cases: said.done, outcomes: said.outcomes };
      }
    });
    child.on("close", (code, signal) => {
      clearTimeout(silence);
      if (code !== 0 && result.fault === undefined) {
        result.fault = `ended by ${signal ?? `code ${code}`} within ${at} to ${at + 100}: ${errors}`;
      }
      resolve(result);
    });
  });
}
