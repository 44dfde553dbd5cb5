/**
 * A process that follows a depot, looks at every frame, and says what it saw.
 *
 * @module
 */
import { FramesDepot, type ReadMode } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { END, flaw } from "./stamp.ts";

/** What it is told. */
export type ReaderTask = {
  name: string;
  mode: ReadMode;
  producers: number;
};

/** What it answers: `{ ready: true }` first, this when the loop has ended. */
export type ReaderReport = {
  read: number;
  lost: number;
  flaws: string[];
  /** Frames by producer. */
  by: number[];
  /** Frames that came out of order or twice. */
  disorder: number;
};

const task = taskOf<ReaderTask>();
const depot = await FramesDepot.open(task.name, { timeoutMs: 20_000 });
const report: ReaderReport = {
  read: 0,
  lost: 0,
  flaws: [],
  by: new Array(task.producers).fill(0),
  disorder: 0,
};
const previous = new Array<number>(task.producers).fill(-1);
let lastSequence = -1;
const reader = depot.frames({ mode: task.mode });
say({ ready: true });

for await (const { frameNumber, sequence, lost, data } of reader) {
  report.lost += lost;
  if (frameNumber === END) break;
  report.read++;
  const producer = frameNumber % task.producers;
  const found = frameNumber < 0 ? "a claim that was given back" : flaw(data as Uint8Array, producer, frameNumber);
  if (found !== undefined && report.flaws.length < 5) report.flaws.push(found);
  report.by[producer]++;
  if (frameNumber <= previous[producer] || sequence <= lastSequence) report.disorder++;
  previous[producer] = frameNumber;
  lastSequence = sequence;
}
say(report);
await depot.close();
