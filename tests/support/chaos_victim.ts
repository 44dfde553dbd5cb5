/**
 * A producer that kills itself right after a named step of its second frame, or of ending the depot (N1).
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { endAt } from "../../tools/chaos/steps.ts";
import { taskOf } from "../../tools/support/parent.ts";

/** What it is told. */
export type VictimTask = { name: string; step: string };

const task = taskOf<VictimTask>();
const depot = await FramesDepot.open(task.name, { timeoutMs: 20_000 });
const frame = new Uint8Array(depot.frameBytes);
await depot.enqueue({ frameNumber: 0, frame });
endAt({ step: task.step, count: 1 }, false, undefined, () => process.kill(process.pid, "SIGKILL"));
if (task.step === "N1") depot.end();
await depot.enqueue({ frameNumber: 1, frame });
