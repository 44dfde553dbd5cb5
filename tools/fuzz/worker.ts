/**
 * Runs a range of cases in this process: each segment is listed, opened and used, and must throw a DepotError or
 * work. Prints a line of JSON before each block of cases, so that its parent knows where it crashed or hung.
 *
 * @module
 */
import { readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { DepotError, FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../support/parent.ts";
import { type Case, makeCase, type Specimen } from "./cases.ts";

/** What the worker is told. */
export type Order = { path: string; name: string; seed: number; from: number; to: number; specimen: string };
/** What it says: where it is, what has gone wrong, what came of all. */
export type Report =
  | { at: number }
  | { failed: number; made: Case; error: string | undefined }
  | { done: number; outcomes: Record<string, number> };

/** Cases between two lines of progress. */
const BLOCK = 100;

const order = taskOf<Order>();
const specimen: Specimen = readSpecimen();
const outcomes: Record<string, number> = {};

function readSpecimen(): Specimen {
  const bytes = new Uint8Array(readFileSync(order.specimen));
  return { bytes, tablesEnd: new DataView(bytes.buffer).getUint32(56, true) };
}

/** Everything that a user may do with what is there. Errors of the outside world are fine, all others are not. */
async function use(): Promise<string> {
  FramesDepot.list();
  let depot: FramesDepot;
  try {
    depot = await FramesDepot.open(order.name, { stale: true });
  } catch (error) {
    if (error instanceof DepotError) return error.code;
    throw error;
  }
  const codes: string[] = [];
  const attempt = async (act: () => unknown) => {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
      codes.push(error.code);
    }
  };
  await attempt(() => depot.peekFrame(1)?.copy());
  await attempt(() => depot.statusOf(2));
  await attempt(() => depot.length + depot.droppedFrames + Number(depot.queueIsFull));
  await attempt(() => depot.tryEnqueue({ frame: new Uint8Array(depot.frameBytes) }));
  await attempt(() => depot.tryClaim()?.publish());
  await attempt(() => depot.frames({ mode: "lossy" }).tryNext()?.copy());
  await attempt(() => depot.frames({ mode: "latest" }).tryNext()?.metadata.at(0));
  await attempt(() => depot.getFrame(1)?.release());
  await attempt(() => depot.frames().tryNext()?.release());
  await attempt(() => depot.stats());
  await attempt(() => depot.clearQueue());
  await attempt(() => depot.close());
  return codes.length === 0 ? "worked" : `worked, then ${codes[0]}`;
}

let made: Case = { kind: "none", detail: "" };
for (let number = order.from; number < order.to; number++) {
  if ((number - order.from) % BLOCK === 0) say({ at: number } satisfies Report);
  rmSync(order.path, { force: true, recursive: true });
  made = makeCase(order.path, specimen, order.seed, number);
  try {
    const outcome = await use();
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  } catch (error) {
    say({ failed: number, made, error: error instanceof Error ? error.stack : String(error) } satisfies Report);
    process.exit(1);
  }
}
rmSync(order.path, { force: true, recursive: true });
say({ done: order.to - order.from, outcomes } satisfies Report);
process.exit(0);
