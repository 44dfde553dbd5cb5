/**
 * A process that fills a depot and says what became of its frames.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { numberOf, stamp } from "./stamp.ts";

/** What it is told. */
export type ProducerTask = {
  name: string;
  producer: number;
  producers: number;
  frames: number;
  /** Frames after which one is claimed and written in place, and one is claimed and given back. 0: never. */
  claimEvery: number;
};

/** What it answers. */
export type ProducerReport = { stored: number; dropped: number; givenBack: number };

const task = taskOf<ProducerTask>();
const depot = await FramesDepot.open(task.name, { timeoutMs: 20_000 });
const frame = new Uint8Array(depot.frameBytes);
const report: ProducerReport = { stored: 0, dropped: 0, givenBack: 0 };
for (let index = 0; index < task.frames; index++) {
  const frameNumber = numberOf(task.producer, task.producers, index);
  if (task.claimEvery > 0 && index % task.claimEvery === 0) {
    const given = depot.tryClaim({ frameNumber: -1 });
    given?.data.fill(255);
    given?.release();
    if (given !== undefined) report.givenBack++;
    const slot = await depot.claim({ frameNumber });
    if (slot === undefined) {
      report.dropped++;
      continue;
    }
    stamp(slot.data as Uint8Array, task.producer, frameNumber);
    slot.publish();
    report.stored++;
    continue;
  }
  stamp(frame, task.producer, frameNumber);
  const result = depot.tryEnqueue({ frameNumber, frame }) ?? await depot.enqueue({ frameNumber, frame });
  if (result.state === "stored") report.stored++;
  else report.dropped++;
  // Policies that never wait would starve readers on few processors.
  if (depot.whenFull !== "wait" && index % 256 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
}
say(report);
await depot.close();
