/**
 * Ours, the bare hand-off: frames are claimed and published, taken and released, payload untouched, both sides
 * spinning. `receive` and `send` hand frames to and fro between two processes, `alone` is both ends in one thread.
 *
 * @module
 */
import process from "node:process";
import { type FrameReader, FramesDepot } from "../../mod.ts";
import { monotonicNs } from "./clock.ts";
import { FRAME_SIZE, type Task } from "./task.ts";

const [role, json] = process.argv.slice(-2);
const task: Task = JSON.parse(json);
const BATCHES = 10;

function say(line: unknown): void {
  process.stdout.write(JSON.stringify(line) + "\n");
}

function handOver(depot: FramesDepot, frameNumber: number): void {
  let slot = depot.tryClaim({ frameNumber, timestampNs: 0 });
  while (slot === undefined) slot = depot.tryClaim({ frameNumber, timestampNs: 0 });
  slot.publish();
}

function take(reader: FrameReader, frameNumber: number): void {
  let frame = reader.tryNext();
  while (frame === undefined) frame = reader.tryNext();
  if (frame.frameNumber !== frameNumber) throw new Error(`wrong checksum: ${frame.frameNumber}, not ${frameNumber}`);
  frame.release();
}

const create = (name: string) =>
  FramesDepot.create(name, { frameSize: FRAME_SIZE, maxSize: task.depth, whenFull: "wait" });

/** Says how long the quickest of some batches took: what disturbs a spinning pair only ever makes it slower. */
function measure(handOffs: number, once: (round: number) => void): void {
  let round = 0;
  const run = (rounds: number) => {
    const startNs = monotonicNs();
    for (const end = round + rounds; round < end; round++) once(round);
    return (monotonicNs() - startNs) / 1e9;
  };
  run(task.warmup);
  const seconds = Math.min(...Array.from({ length: BATCHES }, () => run(task.frames / BATCHES)));
  say({ frames: handOffs * task.frames / BATCHES, seconds });
}

async function alone(): Promise<void> {
  await using depot = await create(task.channel);
  const reader = depot.frames();
  measure(1, (round) => {
    handOver(depot, round);
    take(reader, round);
  });
}

async function receive(): Promise<void> {
  await using there = await create(task.channel);
  await using back = await create(`${task.channel}back`);
  const reader = there.frames();
  say({ ready: true });
  take(reader, 0);
  measure(2, (round) => {
    handOver(back, round);
    take(reader, round + 1);
  });
}

async function send(): Promise<void> {
  await using there = await FramesDepot.open(task.channel);
  await using back = await FramesDepot.open(`${task.channel}back`);
  const reader = back.frames({ from: "oldest" });
  const rounds = task.warmup + task.frames;
  for (let round = 0; round < rounds; round++) {
    handOver(there, round);
    take(reader, round);
  }
  handOver(there, rounds);
}

const roles: Record<string, () => Promise<void>> = { alone, receive, send };
await roles[role]();
