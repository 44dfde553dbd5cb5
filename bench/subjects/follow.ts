/**
 * Following a name: how soon a reader has the first frame of the depot that is made next, and what a frame costs.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import process from "node:process";
import { type Frame, FramesDepot } from "../../mod.ts";
import { median, quantile } from "../../tools/support/statistics.ts";
import { monotonicNs } from "../peers/clock.ts";
import { assertSame, withDepot } from "./depot.ts";
import { startPartner } from "./partner.ts";

/** How the next frame comes: in the same depot, or in one that is made for it. */
type How = "same depot" | "create" | "createOrOpen";

const SHAPE = { maxSize: 4, whenFull: "overwrite" } as const;
const ROUNDS = 400;
const WARM_UP = 40;
/** Long enough for the reader to sleep, and of no fixed length: a reader that polls must not meet the beat. */
const [SHORTEST_MS, VARIES_MS] = [8, 8];
/** The part of all frames that must come. */
const MOST = 0.95;
/** As people poll for a name today. */
const POLL_MS = 5;
const LOST_MS = 20_000;

/** The first is made, too. Each width differs from the one before. */
const optionsOf = (round: number) => ({ ...SHAPE, frameSize: [64 + round % 2, 1, 1] as const, replace: true });

/** The producing process: a frame a round, with the moment at which it, or its depot, was begun. */
export async function remake(name: string, how: How): Promise<void> {
  let depot = await FramesDepot.create(name, { ...optionsOf(0), replace: false });
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(SHORTEST_MS + Math.random() * VARIES_MS);
    const timestampNs = monotonicNs();
    const before = depot;
    if (how !== "same depot" && round > 0) depot = await FramesDepot[how](name, optionsOf(round));
    const slot = depot.tryClaim({ frameNumber: round, timestampNs });
    if (slot === undefined) throw new Error("there is no room");
    slot.publish();
    if (depot !== before) await before.close();
  }
  depot.end();
  await sleep(LOST_MS / 100); // until the last one has been opened
  await depot.close();
}

/** What people write without `follow`: opens the name every few milliseconds, for the first frame of a new depot. */
async function* polled(name: string): AsyncGenerator<Frame> {
  for (let id = "";;) {
    await using depot = await FramesDepot.open(name).catch(() => undefined);
    if (depot !== undefined && depot.id !== id) {
      id = depot.id;
      for await (const frame of depot.frames({ timeoutMs: LOST_MS })) {
        yield frame;
        break;
      }
    }
    await sleep(POLL_MS);
  }
}

/** Microseconds until the frames of all rounds are there. */
async function lateUs(how: How, framesOf: (name: string) => AsyncIterable<Frame>): Promise<number[]> {
  const name = `bench-${process.pid}-${how.replace(" ", "-")}`;
  const late: number[] = [];
  const partner = startPartner("remake", name, how);
  for await (const { frameNumber, timestampNs } of framesOf(name)) {
    late.push((monotonicNs() - Number(timestampNs)) / 1000);
    if (frameNumber === ROUNDS - 1) break;
  }
  await partner.end();
  // On a busy machine a depot may be replaced before it has been opened.
  if (late.length < MOST * ROUNDS) assertSame("frames", late.length, ROUNDS);
  return late.slice(WARM_UP);
}

/** Microseconds to make a depot in place of another one and to store a frame, with no reader. */
async function makingUs(): Promise<number[]> {
  const name = `bench-${process.pid}-alone`;
  const took: number[] = [];
  let depot = await FramesDepot.create(name, optionsOf(0));
  for (let round = 1; round < ROUNDS; round++) {
    await sleep(1);
    const started = monotonicNs();
    const before = depot;
    depot = await FramesDepot.create(name, optionsOf(round));
    depot.tryClaim({ frameNumber: round, timestampNs: started })!.publish();
    if (round >= WARM_UP) took.push((monotonicNs() - started) / 1000);
    await before.close();
  }
  await depot.close();
  return took;
}

const follower = (name: string) => FramesDepot.follow(name, { timeoutMs: LOST_MS, waiting: "park" });

/** Microseconds until a reader that sleeps has the next frame: p50 and p99. */
export async function following(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const note = (what: string, late: number[]) => {
    found[`half of the frames, ${what}`] = median(late);
    found[`99 of 100 frames, ${what}`] = quantile(late, 0.99);
  };
  note("same depot", await lateUs("same depot", follower));
  note("made, no reader", await makingUs());
  note("create", await lateUs("create", follower));
  note("createOrOpen", await lateUs("createOrOpen", follower));
  note(`create, open every ${POLL_MS} ms`, await lateUs("create", polled));
  return found;
}

const BATCH = 1000;
const TRIES_MS = 2000;

/** Nanoseconds to publish a frame and to await it, of the quickest of several tries. */
async function nsPerFrame(depot: FramesDepot, frames: AsyncIterator<Frame>): Promise<number> {
  let best = Infinity;
  let next = 0;
  for (const end = performance.now() + TRIES_MS; performance.now() < end;) {
    const started = performance.now();
    for (let count = 0; count < BATCH; count++) {
      depot.tryClaim({ frameNumber: next + count, timestampNs: 0 })!.publish();
    }
    for (let count = 0; count < BATCH; count++) {
      const { value: frame } = await frames.next();
      if (frame?.frameNumber !== next++) assertSame("the frame's number", frame?.frameNumber, next - 1);
    }
    best = Math.min(best, (performance.now() - started) * 1e6 / BATCH);
  }
  await frames.return?.();
  return best;
}

/** Nanoseconds a frame, published and awaited in one process, by `frames()` and by `follow()`. */
export function followStream(): Promise<Record<string, number>> {
  return withDepot({ frameSize: [64, 64, 1], maxSize: 1024, whenFull: "wait" }, async (depot) => {
    const of = { "frames()": () => depot.frames(), "follow()": () => FramesDepot.follow(depot.name) };
    const found: Record<string, number> = {};
    for (const [what, open] of Object.entries(of)) {
      const frames = open();
      depot.tryClaim({ frameNumber: -1 })!.publish();
      await frames.next(); // it has its place now
      found[what] = await nsPerFrame(depot, frames);
    }
    return found;
  });
}
