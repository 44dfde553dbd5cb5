/**
 * Peers of a benchmark that go wrong: `bench_peer.ts FAULT [receive|send] TASK`.
 *
 * @module
 */
import { existsSync, writeFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Sink, Source } from "../../bench/peers/payload.ts";
import type { Task } from "../../bench/peers/task.ts";
import { say, taskOf } from "../../tools/support/parent.ts";

const [fault, role] = process.argv.slice(2);
const task = taskOf<Task>();
const mark = `${task.folder}/failed`;

async function untilThere(path: string): Promise<void> {
  while (!existsSync(path)) await sleep(5);
}

/** Moves frames within this process, and does something to each on the way. */
async function move(spoil: (frame: Uint8Array, number: number) => Uint8Array): Promise<void> {
  const source = new Source(task), sink = new Sink(task);
  const frame = new Uint8Array(task.frameBytes);
  for (let number = 0; await source.next(); number++) {
    source.write(frame);
    sink.read(spoil(frame, number));
  }
  say(sink.outcome());
}

const FAULTS: Record<string, () => Promise<void>> = {
  "nothing": () => move((frame) => frame),
  // One byte of one cache line in the middle, of one frame.
  "torn": () =>
    move((frame, number) => {
      if (number === 3) frame[64 * 40_000]++;
      return frame;
    }),
  "short": () => move((frame) => frame.subarray(0, -64)),
  "dies": async () => {
    say({ ready: true });
    await sleep(50);
    throw new Error("out of frames");
  },
  "hangs": async () => {
    writeFileSync(`${process.env.FRAMES_DEPOT_TEST_MARKS}/${process.pid}`, "");
    if (role === "receive") say({ ready: true });
    await sleep(600_000);
  },
  "silent": async () => {},
  // The sender fails first, because of what the receiver is about to complain of.
  "both": async () => {
    if (role === "send") {
      writeFileSync(mark, "");
      throw new Error("no reader is left");
    }
    say({ ready: true });
    await untilThere(mark);
    await sleep(300);
    throw new Error("wrong checksum: frame 2 instead of 1");
  },
};

await FAULTS[fault]();
