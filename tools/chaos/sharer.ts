/**
 * A member of a group: it notes each frame that it has worked on in a file that outlives it, and may die at any moment,
 * or right after a named step of docs/internals/protocol.md.
 *
 * @module
 */
import fs from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { type Frame, FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../support/parent.ts";
import { Random } from "../support/random.ts";
import { flaw } from "../support/stamp.ts";
import { GROUP, type SharerTask } from "./sharing_task.ts";
import { endAt } from "./steps.ts";

const { name, notes, seed, dies } = taskOf<SharerTask>();
const random = new Random(seed);
const file = fs.openSync(notes, "a");
const note = new Float64Array(2);
const bytes = new Uint8Array(note.buffer);

/** One write: it is in the file whole, or not at all, when this process dies. */
function write(frame: Frame): void {
  note[0] = frame.frameNumber;
  note[1] = flaw(frame) === undefined ? (frame.redelivered ? 1 : 0) : 2;
  fs.writeSync(file, bytes);
}

const depot = await FramesDepot.open(name, { timeoutMs: 20_000 });
if (dies !== undefined) {
  endAt(dies, false, undefined, () => {
    process.kill(process.pid, "SIGKILL");
    for (;;);
  });
}
say({ ready: true });
let ended: string | undefined;
while (ended !== "ended") {
  const reader = depot.frames({ group: GROUP });
  const kept: Frame[] = [];
  for await (const frame of reader) {
    write(frame);
    if (random.percent(5)) kept.push(frame.clone());
    if (kept.length > 1 || random.percent(30)) kept.splice(0).forEach((clone) => clone.release());
    if (random.percent(1)) await sleep(random.unit() * 3);
    if (random.percent(0.2)) break; // and joins again
  }
  kept.forEach((clone) => clone.release());
  ended = reader.ended;
}
await depot.close();
say({ done: true });
