/**
 * One process that waits for many depots at once: how late it hears of each frame, whether its files wait as well, and
 * how many threads it takes.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { median, quantile } from "../../tools/support/statistics.ts";
import { monotonicNs } from "../peers/clock.ts";
import { assertSame } from "./depot.ts";
import { startPartner } from "./partner.ts";

const COUNTS = [0, 8, 64, 256];
const SHAPE = { frameSize: [64, 1, 1], maxSize: 64, whenFull: "wait" } as const;
/** Of all depots together: so that what differs is how many wait, and not how often they are woken. */
const INTERVAL_MS = 4;
const FRAMES = 1000;
/** Frames at the beginning that do not count. */
const WARM_UP = 100;
/** A prime, so that depots far from each other follow one another. */
const STEP = 37;
const READS = 200;
const SETTLE_MS = 300;
const LOST_MS = 20_000;

const nameOf = (prefix: string, index: number) => `${prefix}-${index}`;

/** The producing process: a frame at each beat, into one depot after the other, with the moment of its publishing. */
export async function scatter(prefix: string, count: string): Promise<void> {
  const depots = await Promise.all(
    Array.from({ length: Number(count) }, (_, index) => FramesDepot.open(nameOf(prefix, index))),
  );
  const never = new Int32Array(new SharedArrayBuffer(4));
  const started = monotonicNs();
  for (let frameNumber = 0; frameNumber < FRAMES; frameNumber++) {
    const leftMs = (started - monotonicNs()) / 1e6 + frameNumber * INTERVAL_MS;
    if (leftMs > 0) Atomics.wait(never, 0, 0, leftMs);
    const slot = depots[frameNumber * STEP % depots.length].tryClaim({ frameNumber, timestampNs: monotonicNs() });
    if (slot === undefined) throw new Error("there is no room");
    slot.publish();
  }
  await Promise.all(depots.map((depot) => depot.close()));
}

/** What came, and when all has. */
type Arrivals = { prefix: string; lateUs: number[]; all: Promise<void> };

/** Measures while loops wait for depots, one loop for each of `count`. */
async function waitingFor<T>(count: number, measure: (arrivals: Arrivals) => Promise<T>): Promise<T> {
  const prefix = `bench-${process.pid}-${count}`;
  const depots = await Promise.all(
    Array.from({ length: count }, (_, index) => FramesDepot.create(nameOf(prefix, index), SHAPE)),
  );
  try {
    const lateUs: number[] = [];
    let came = 0;
    let [done, failed] = [() => {}, (_: Error) => {}];
    const all = new Promise<void>((resolve, reject) => [done, failed] = [resolve, reject]);
    all.catch(() => {}); // also where it is not waited for
    for (const depot of depots) {
      (async () => {
        for await (const { frameNumber, timestampNs } of depot.frames({ timeoutMs: LOST_MS })) {
          if (frameNumber >= WARM_UP) lateUs.push((monotonicNs() - Number(timestampNs)) / 1000);
          if (++came === FRAMES) done();
        }
        failed(new Error(`only ${came} frames of ${FRAMES} have come`));
      })();
    }
    await sleep(SETTLE_MS);
    return await measure({ prefix, lateUs, all });
  } finally {
    await Promise.all(depots.map((depot) => depot.close()));
  }
}

/** Microseconds to read a small file, in the median. */
async function readUs(): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < READS; index++) {
    const started = performance.now();
    const { length } = await readFile(process.argv[1]);
    times.push((performance.now() - started) * 1000);
    if (length === 0) throw new Error("an empty file");
    await sleep(1);
  }
  return median(times);
}

/** Microseconds to read a file meanwhile, and from publishing until the loop has the frame. */
export async function manyDepots(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const count of COUNTS) {
    await waitingFor(count, async ({ prefix, lateUs, all }) => {
      found[`readFile, ${count} depots`] = await readUs();
      if (count === 0) return;
      const partner = startPartner("scatter", prefix, String(count));
      await all;
      await partner.end();
      assertSame("frames that count", lateUs.length, FRAMES - WARM_UP);
      found[`half of the frames, ${count} depots`] = median(lateUs);
      found[`99 of 100 frames, ${count} depots`] = quantile(lateUs, 0.99);
    });
  }
  return found;
}

/** Threads of this process. */
export async function manyDepotsThreads(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const count of COUNTS) {
    await waitingFor(count, () => {
      found[`${count} depots`] = readdirSync("/proc/self/task").length;
      return Promise.resolve();
    });
  }
  return found;
}
