/**
 * A process that lives through a run: a producer that fills the depot until it is told to stop, or a reader that looks
 * at every frame until the last one. Meanwhile workers of a reader's process end, in rounds that it is told to do.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot, type ReadMode } from "../../mod.ts";
import { orders, say, taskOf } from "../support/parent.ts";
import { Board, NOTE } from "./board.ts";
import { Witness } from "./witness.ts";
import type { Answer, Order } from "./forker.ts";
import { Nursery } from "./nursery.ts";
import { Random } from "../support/random.ts";
import { END_LIFE, fill, flaw, lifeOf, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";

/** What it is told. */
export type SurvivorTask =
  & { name: string; board: string; seed: number }
  & ({ role: "producer"; life: number } | { role: "reader"; mode: ReadMode; rests: boolean });

/** A producer that is told to stop may have to wait for room; without readers there will be none. */
const ORPHANED_MS = 20_000;

/** What a producer answers. */
type ProducerReport = { stored: number; refused: number };
/** What a reader answers: frames by life, and what was wrong. */
export type ReaderReport = { frames: number; lost: number; lives: [life: number, next: number][]; wrong: string[] };

const WRONG = 20;

async function produce(depot: FramesDepot, board: Board, random: Random, life: number): Promise<void> {
  let stopping = false;
  process.stdin.on("end", () => {
    stopping = true;
    setTimeout(() => process.exit(1), ORPHANED_MS).unref();
  }).resume();
  const report: ProducerReport = { stored: 0, refused: 0 };
  const frame = new Uint8Array(depot.frameBytes);
  say({ ready: true });
  while (!stopping) {
    for (let left = random.integer(1, 40); left > 0; left--) {
      const frameNumber = numberOf(life, report.stored);
      const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
      board.write(life, NOTE.attempted, report.stored + 1);
      let stored: boolean;
      if (random.percent(80)) {
        fill(frame, frameNumber);
        stored = (await depot.enqueue({ ...details, frame })).state === "stored";
      } else {
        const slot = await depot.claim(details);
        if (slot !== undefined) fill(slot.data, frameNumber);
        slot?.publish();
        stored = slot !== undefined;
      }
      if (stored) board.write(life, NOTE.acknowledged, ++report.stored);
      else report.refused++;
    }
    await sleep(random.unit() * 6);
  }
  say(report);
}

/** Has workers live and end as it is told; once no orders can come, no more frames are awaited. */
async function raise(nursery: Nursery, orphaned: () => void): Promise<void> {
  for await (const order of orders<Order>()) {
    const answer: Answer = { deaths: await nursery.run(order) };
    say(answer);
  }
  orphaned();
}

async function read(depot: FramesDepot, board: string, random: Random, mode: ReadMode, rests: boolean): Promise<void> {
  const witness = new Witness(mode === "lossless" && depot.whenFull !== "overwrite", true);
  const wrong: string[] = [];
  const accuse = (what: string | undefined) => {
    if (what !== undefined && wrong.length < WRONG) wrong.push(what);
  };
  let lost = 0;
  const reader = depot.frames({ mode });
  let reading = true;
  void raise(new Nursery(depot.name, board, depot.whenFull, 1), () => reading && process.exit(1));
  say({ ready: true });
  for await (const frame of reader) {
    if (lifeOf(frame.frameNumber) === END_LIFE) break;
    accuse(flaw(frame));
    accuse(witness.see(frame));
    lost += frame.lost;
    if (rests && random.percent(1)) {
      await sleep(random.unit() * 4);
      accuse(flaw(frame)); // still leased: still whole
    }
  }
  reading = false;
  const report: ReaderReport = { frames: witness.frames, lost, lives: [...witness.next], wrong };
  say(report);
}

const task = taskOf<SurvivorTask>();
const depot = await FramesDepot.open(task.name, { timeoutMs: 20_000 });
const random = new Random(task.seed);
if (task.role === "producer") await produce(depot, new Board(task.board), random, task.life);
else await read(depot, task.board, random, task.mode, task.rests);
await depot.close();
