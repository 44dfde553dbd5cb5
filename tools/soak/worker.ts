/**
 * One process of a soak run. It does one kind of work until its standard input closes (readers: until the last frame)
 * and then says what it did.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot, type ReadMode } from "../../mod.ts";
import { say, taskOf } from "../support/parent.ts";
import { Random } from "../support/random.ts";
import { collect } from "../support/runtimes.ts";
import { END_LIFE, fill, flaw, lifeOf, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";

/** How fast a producer is: frames a second, or in turns as fast as it can and at 100 a second. */
export type Pace = number | "mixed";
/** What it is told. */
export type WorkerTask =
  & { depot: string; seed: number }
  & (
    | { role: "producer"; life: number; pace: Pace }
    | { role: "reader"; mode: ReadMode }
    | { role: "asker"; life: number }
    | { role: "visitor"; others: string[] }
  );
/** What it answers at its end: counts by name, the megabytes in use after each collection, and what was wrong. */
export type Report = { counts: Record<string, number>; heap: number[]; wrong: string[] };

const WRONG = 10;
/** Numbers that were burned and are not counted yet: one a producer, and a depot here has at most two. */
const UNCOUNTED = 2;
const MIXED_MS = { full: 5000, moderate: 10_000 };

const task = taskOf<WorkerTask>();
const random = new Random(task.seed);
/** Between two garbage collections. */
const COLLECT_MS = 5000;

const wrong: string[] = [];
let stopping = false;

function accuse(what: string | undefined): void {
  if (what !== undefined && wrong.length < WRONG) wrong.push(what);
}

async function produce(depot: FramesDepot, life: number, pace: Pace): Promise<Report["counts"]> {
  const frame = new Uint8Array(depot.frameBytes);
  const counts = { attempted: 0, stored: 0, dropped: 0 };
  const began = performance.now();
  let due = began;
  while (!stopping) {
    const frameNumber = numberOf(life, counts.stored);
    const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
    counts.attempted++;
    let stored: boolean;
    if (random.percent(50)) {
      fill(frame, frameNumber);
      stored = (await depot.enqueue({ ...details, frame })).state === "stored";
    } else {
      using slot = await depot.claim(details);
      if (slot !== undefined) fill(slot.data, frameNumber);
      slot?.publish();
      stored = slot !== undefined;
    }
    if (stored) counts.stored++;
    else counts.dropped++;
    const now = performance.now();
    const phase = (now - began) % (MIXED_MS.full + MIXED_MS.moderate);
    const fps = pace !== "mixed" ? pace : phase < MIXED_MS.full ? Infinity : 100;
    due = Math.max(now - 100, due + 1000 / fps);
    if (due > now) await sleep(due - now);
    else if (counts.attempted % 64 === 0) await sleep(0);
  }
  return counts;
}

async function read(depot: FramesDepot, mode: ReadMode): Promise<Report["counts"]> {
  const counts = { read: 0, lost: 0 };
  let before = -1;
  let reported = 0;
  for await (const frame of depot.frames({ mode })) {
    reported += frame.lost;
    if (lifeOf(frame.frameNumber) === END_LIFE) {
      // The count is put right with every frame; what a frame has once reported is only made up for at a later loss.
      counts.lost = depot.stats().peers.find(({ self }) => self)!.readers[0].lost;
      const ahead = reported - counts.lost;
      if (ahead < 0 || ahead > UNCOUNTED) accuse(`frames reported ${reported} lost, of ${counts.lost}`);
      break;
    }
    counts.read++;
    accuse(flaw(frame));
    if (frame.sequence <= before) accuse(`sequence ${frame.sequence} after ${before}`);
    before = frame.sequence;
    if (counts.read % 1000 === 0) {
      await sleep(random.unit() * 20);
      accuse(flaw(frame)); // under lease all the time
    }
  }
  return counts;
}

/** Asks for one frame after the other by its number. */
async function ask(depot: FramesDepot, life: number): Promise<Report["counts"]> {
  const counts = { found: 0, evicted: 0 };
  for (let counter = 0; !stopping;) {
    const number = numberOf(life, counter);
    if (random.percent(20)) {
      using peeked = depot.peekFrame(number);
      if (peeked !== undefined) accuse(flaw(peeked));
    }
    using frame = depot.getFrame(number);
    if (frame !== undefined) {
      accuse(flaw(frame));
      counts.found++;
      counter++;
    } else {
      const status = depot.statusOf(number);
      if (status === "pending" || status === "stored") await sleep(2);
      else {
        counts.evicted++;
        counter++;
      }
    }
  }
  return counts;
}

/** Opens, looks, closes; makes depots of its own, too. */
async function visit(names: string[]): Promise<Report["counts"]> {
  const counts = { opened: 0, made: 0, frames: 0 };
  while (!stopping) {
    await using depot = await FramesDepot.open(random.pick(names), { timeoutMs: 10_000 });
    counts.opened++;
    const mode = random.pick(["lossless", "lossy", "latest"] as const);
    let left = random.integer(0, 5);
    if (left > 0) {
      for await (const frame of depot.frames({ mode, timeoutMs: 50 })) {
        accuse(flaw(frame));
        counts.frames++;
        if (--left <= 0) break;
      }
    }
    if (random.percent(20)) {
      await using own = await FramesDepot.create(`${names[0]}-${process.pid}`, { frameSize: [320, 240, 3] });
      await own.enqueue({ frameNumber: 1, frame: new Uint8Array(own.frameBytes) });
      using frame = own.getFrame(1);
      if (frame?.data.length !== own.frameBytes) accuse("a frame of its own is not there");
      counts.made++;
    }
    depot.stats();
    await depot.close();
    await sleep(random.unit() * 40);
  }
  return counts;
}

// A heap without pressure grows for hours before it is swept; what counts is what is left after that.
const heap: number[] = [];
setInterval(() => {
  collect();
  heap.push(process.memoryUsage().heapUsed / 1e6);
}, COLLECT_MS).unref();
process.on("SIGINT", () => {}); // Ctrl-C goes to every process: it is meant for the parent
process.stdin.on("end", () => stopping = true).resume();
const depot = await FramesDepot.open(task.depot, { timeoutMs: 20_000 });
say({ ready: true });
let counts: Report["counts"];
switch (task.role) {
  case "producer":
    counts = await produce(depot, task.life, task.pace);
    break;
  case "reader":
    counts = await read(depot, task.mode);
    break;
  case "asker":
    counts = await ask(depot, task.life);
    break;
  case "visitor":
    counts = await visit([task.depot, ...task.others]);
}
const report: Report = { counts, heap, wrong };
say(report);
await depot.close();
