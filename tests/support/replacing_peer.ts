/**
 * A process that takes a depot's name: again and again, beside others; or once, and dies or stops right after a step.
 *
 * @module
 */
import process from "node:process";
import { type DepotOptions, FramesDepot } from "../../mod.ts";
import { trace } from "../../ring/trace.ts";
import { endAt } from "../../tools/chaos/steps.ts";
import { say, taskOf } from "../../tools/support/parent.ts";

/** What it is told. */
export type ReplacingTask = {
  name: string;
  options: DepotOptions;
  step?: string;
  stops?: boolean;
  rounds?: number;
  at?: number;
};
/** What it says at the end: the ids of the depots that it made, and of those that it found replaced. */
export type ReplacingReport = { made: string[]; replaced: string[] };

const { name, options, step, stops = false, rounds = 1, at = 0 } = taskOf<ReplacingTask>();
const die = () => {
  if (stops) say({ stopped: true });
  process.kill(process.pid, stops ? "SIGSTOP" : "SIGKILL");
};

if (step === "T3a") endAt({ step, count: 1 }, false, undefined, die); // in C
else if (step !== undefined) trace.at = (here) => here === step && die();

const depots: FramesDepot[] = [];
while (Date.now() < at);
for (let round = 0; round < rounds; round++) {
  depots.push(await FramesDepot.create(name, { ...options, replace: true }));
  if (round % 3 === 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
}
const report: ReplacingReport = { made: depots.map(({ id }) => id), replaced: [] };
say({ made: report.made.length });
for await (const _ of process.stdin) break; // until all have done so
report.replaced = depots.filter(({ replaced, ended, linked }) => replaced && ended && !linked).map(({ id }) => id);
say(report);
await Promise.all(depots.map((depot) => depot.close()));
process.exit();
