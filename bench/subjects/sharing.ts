/**
 * Work that is shared among loops of different speed: in a group, and over a counter in plain memory.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { FramesDepot } from "../../mod.ts";
import { assertSame, withDepot } from "./depot.ts";

/** What a frame costs each worker, in milliseconds. */
const WORKERS = [3, 3, 20];
const FRAMES = 120;
const RUNS = 12;

/** Milliseconds until all work is done. */
async function timed(run: () => Promise<number>): Promise<number> {
  const started = performance.now();
  assertSame("work done", await run(), FRAMES);
  return performance.now() - started;
}

async function byCounter(): Promise<number> {
  let next = 0;
  let done = 0;
  await Promise.all(WORKERS.map(async (ms) => {
    while (next++ < FRAMES) {
      await sleep(ms);
      done++;
    }
  }));
  return done;
}

async function byGroup(depot: FramesDepot): Promise<number> {
  const frame = new Uint8Array(depot.frameBytes);
  const readers = WORKERS.map(() => depot.frames({ group: "workers", timeoutMs: 0 }));
  for (let n = 0; n < FRAMES; n++) depot.tryEnqueue({ frameNumber: n, frame });
  let done = 0;
  await Promise.all(readers.map(async (reader, index) => {
    for await (const _ of reader) {
      await sleep(WORKERS[index]);
      done++;
    }
  }));
  return done;
}

/** Milliseconds for 120 pieces of work, of the quickest of some runs that alternate. */
export async function sharing(): Promise<Record<string, number>> {
  let [counter, group] = [Infinity, Infinity];
  await withDepot({ frameSize: [64, 64, 1], maxSize: FRAMES, whenFull: "wait" }, async (depot) => {
    for (let index = 0; index < RUNS; index++) {
      counter = Math.min(counter, await timed(byCounter));
      group = Math.min(group, await timed(() => byGroup(depot)));
    }
  });
  return { "a counter in memory": counter, "frames({ group })": group };
}
