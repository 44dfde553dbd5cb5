/**
 * A process that lives through a run in which names are taken: it goes from one depot of the name to the next. A reader
 * reads each to its end; a producer fills each until it takes no more.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { DepotError, type FrameReader, FramesDepot, type ReadMode } from "../../mod.ts";
import { say, taskOf } from "../support/parent.ts";
import { Random } from "../support/random.ts";
import { fill, flaw, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";
import { Board, generationOf, NOTE } from "./board.ts";
import { LAST_LIFE } from "./taking_plan.ts";
import { Witness } from "./witness.ts";

/** What it is told. `life` is a reader's own, and the first of a producer's, which has one in each depot. */
export type HeirTask =
  & { name: string; board: string; seed: number; life: number }
  & ({ role: "reader"; mode: ReadMode } | { role: "producer" });

/** What a reader has seen of one depot. */
export type Inherited = {
  generation: number;
  /** The sequence from which it has seen all. */
  start: number;
  ended: FrameReader["ended"];
  /** Each life's counter that comes next. */
  lives: [life: number, next: number][];
};
/** What a reader answers. */
export type HeirReport = { frames: number; lost: number; depots: Inherited[]; wrong: string[] };

const WRONG = 20;
/** Time from the last word to the end. */
const ORPHANED_MS = 60_000;
/** How long a name that nothing alive has is waited for at a time. */
const OPENING = { timeoutMs: 100 } as const;
/** How long a depot that has lost its name may go on unmarked: some ticks. */
const MARKED_MS = 3000;

const task = taskOf<HeirTask>();
const board = new Board(task.board);
const random = new Random(task.seed);
let stopping = false;
process.stdin.on("end", () => {
  stopping = true;
  setTimeout(() => process.exit(1), ORPHANED_MS).unref(); // no last depot will come
}).resume();

async function open(): Promise<FramesDepot | undefined> {
  try {
    return await FramesDepot.open(task.name, OPENING);
  } catch (error) {
    if (error instanceof DepotError && (error.code === "NOT_FOUND" || error.code === "NOT_READY")) return undefined;
    throw error;
  }
}

async function readAll(mode: ReadMode): Promise<void> {
  const report: HeirReport = { frames: 0, lost: 0, depots: [], wrong: [] };
  const accuse = (what: string | undefined) => {
    if (what !== undefined && report.wrong.length < WRONG) report.wrong.push(what);
  };
  for (let isLast = false; !isLast;) {
    const depot = await open();
    if (depot === undefined) continue;
    isLast = generationOf(depot.id) === board.read(LAST_LIFE, NOTE.generation);
    try {
      await read(depot, mode, report, accuse);
    } finally {
      await depot.close();
    }
  }
  say(report);
}

async function read(
  depot: FramesDepot,
  mode: ReadMode,
  report: HeirReport,
  accuse: (what: string | undefined) => void,
): Promise<void> {
  const generation = generationOf(depot.id);
  const reader = depot.frames({ mode });
  board.write(task.life, NOTE.generation, generation);
  const start = depot.stats().peers.find(({ self }) => self)!.readers[0]?.cursor ?? 0;
  const witness = new Witness(mode === "lossless");
  for await (const frame of reader) {
    accuse(flaw(frame));
    accuse(witness.see(frame));
    report.lost += frame.lost;
    if (random.percent(3)) {
      await sleep(random.unit() * 3);
      accuse(flaw(frame)); // still leased: still whole
    }
  }
  const { ended } = reader;
  board.write(task.life, NOTE.generation, 0);
  report.frames += witness.frames;
  report.depots.push({ generation, start, ended, lives: [...witness.next] });
  if (ended === "ended") { while (depot.linked && !stopping) await sleep(1); }
  // Nothing here removes a name but what takes it: no depot that this process has open is stale.
  const lostName = performance.now();
  while (!depot.linked && !depot.replaced) {
    if (performance.now() - lostName > MARKED_MS) {
      accuse(`depot ${depot.id} has lost its name, and is not marked`);
      return;
    }
    await sleep(5);
  }
}

/** Fills each depot, in a life of its own, until it takes no more. */
async function produceAll(): Promise<void> {
  let life = task.life;
  while (!stopping) {
    const depot = await open();
    if (depot === undefined) continue;
    board.write(++life, NOTE.generation, generationOf(depot.id));
    try {
      while (!stopping) await produce(depot, life);
    } catch (error) {
      if (!(error instanceof DepotError) || (error.code !== "ENDED" && error.code !== "REPLACED")) throw error;
      if (error.code === "REPLACED" && !depot.replaced) {
        throw new Error(`told REPLACED of a depot that is not: ${error}`);
      }
    }
    // A producer that has closed it is gone: others may take the name then.
    if (random.percent(50)) { while (depot.linked && !stopping) await sleep(random.unit() * 10); }
    await depot.close();
    if (!stopping) await sleep(random.unit() * 10);
  }
  const said: { lives: number } = { lives: life - task.life };
  say(said);
}

async function produce(depot: FramesDepot, life: number): Promise<void> {
  for (let left = random.integer(1, 20); left > 0; left--) {
    const counter = board.read(life, NOTE.acknowledged);
    const frameNumber = numberOf(life, counter);
    const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
    board.write(life, NOTE.attempted, counter + 1);
    let sequence: number | undefined;
    if (random.percent(60)) {
      const frame = new Uint8Array(depot.frameBytes);
      fill(frame, frameNumber);
      const stored = await depot.enqueue({ ...details, frame }, { timeoutMs: 50 });
      if (stored.state === "stored") sequence = stored.sequence;
    } else {
      const slot = await depot.claim({ ...details, timeoutMs: 50 });
      if (slot === undefined) continue;
      fill(slot.data, frameNumber);
      if (random.percent(20)) await sleep(random.unit() * 4);
      slot.publish();
      sequence = slot.sequence;
    }
    if (sequence === undefined) continue;
    board.write(life, NOTE.sequence, sequence);
    board.write(life, NOTE.acknowledged, counter + 1);
  }
  await sleep(random.unit() * 3);
}

say({ ready: true });
if (task.role === "reader") await readAll(task.mode);
else await produceAll();
