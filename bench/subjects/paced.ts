/**
 * Frames at a steady pace, as a camera sends them: how late a reader hears of each, and what its waiting costs.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot, type Waiting } from "../../mod.ts";
import { median } from "../../tools/support/statistics.ts";
import { monotonicNs } from "../peers/clock.ts";
import { assertSame, withDepot } from "./depot.ts";
import { startPartner } from "./partner.ts";

const RATES = [60, 240, 1000];
const WAITINGS: Waiting[] = ["spin", "adaptive", "park"];
const SECONDS = 1.5;
/** Frames at the beginning that do not count: a tenth. */
const WARM_UP = 0.1;
/** Longer than a sleep may end too late. */
const EARLY_MS = 2;
const LOST_MS = 10_000;
const IDLE_MS = 3000;

/** The producing process: a frame at each beat, with the moment of its publishing. */
export async function beat(name: string, hertz: string, frames: string): Promise<void> {
  await using depot = await FramesDepot.open(name);
  const never = new Int32Array(new SharedArrayBuffer(4));
  const started = monotonicNs();
  for (let frameNumber = 0; frameNumber < Number(frames); frameNumber++) {
    const due = started + (frameNumber + 1) * 1e9 / Number(hertz);
    const sleepMs = (due - monotonicNs()) / 1e6 - EARLY_MS;
    if (sleepMs > 0) Atomics.wait(never, 0, 0, sleepMs);
    while (monotonicNs() < due);
    const slot = depot.tryClaim({ frameNumber, timestampNs: monotonicNs() });
    if (slot === undefined) throw new Error("there is no room");
    slot.publish();
  }
}

/** Microseconds and percent of a core. */
async function follow(hertz: number, waiting: Waiting): Promise<{ lateUs: number; cpu: number }> {
  return await withDepot({ frameSize: [64, 1, 1], maxSize: 1024, whenFull: "wait" }, async (depot) => {
    const frames = Math.ceil(hertz * SECONDS);
    const reader = depot.frames({ waiting, timeoutMs: LOST_MS });
    const partner = startPartner("beat", depot.name, String(hertz), String(frames));
    const late: number[] = [];
    let usage = process.cpuUsage();
    let started = 0;
    let next = 0;
    for await (const frame of reader) {
      const lateNs = monotonicNs() - Number(frame.timestampNs);
      assertSame("the frame's number", frame.frameNumber, next++);
      if (next === Math.floor(frames * WARM_UP)) {
        usage = process.cpuUsage();
        started = performance.now();
      } else if (started > 0) late.push(lateNs / 1000);
      if (next === frames) break;
    }
    assertSame("frames", next, frames);
    const { user, system } = process.cpuUsage(usage);
    const cpu = (user + system) / 1000 / (performance.now() - started) * 100;
    await partner.end();
    return { lateUs: median(late), cpu };
  });
}

async function each(pick: "lateUs" | "cpu"): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const hertz of RATES) {
    for (const waiting of WAITINGS) found[`${hertz} Hz, ${waiting}`] = (await follow(hertz, waiting))[pick];
  }
  return found;
}

/** Microseconds from publishing until the loop has the frame, in the median, by rate and way of waiting. */
export const pacedLatency = (): Promise<Record<string, number>> => each("lateUs");

/** Percent of a core that the reading process takes, by rate and way of waiting. */
export const pacedCpu = (): Promise<Record<string, number>> => each("cpu");

/** Percent of a core of a reader for which nothing comes. */
export function idleCpu(): Promise<Record<string, number>> {
  return withDepot({ frameSize: [64, 1, 1] }, async (depot) => {
    await depot.frames({ timeoutMs: 500 }).next();
    const waiting = depot.frames({ timeoutMs: IDLE_MS }).next();
    const usage = process.cpuUsage();
    const started = performance.now();
    await waiting;
    const { user, system } = process.cpuUsage(usage);
    return { "a waiting reader": (user + system) / 1000 / (performance.now() - started) * 100 };
  });
}
