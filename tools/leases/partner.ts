/**
 * The other process of a storm: it produces and follows in every depot, holds some of its frames for a while, and looks
 * at all it sees.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { DepotError, type Frame, type FrameReader, FramesDepot } from "../../mod.ts";
import { orders, say } from "../support/parent.ts";
import { Random } from "../support/random.ts";
import { metadataOf, numberOf, timestampOf } from "../support/stamp.ts";
import { draw, frameFlaw, framePixels } from "./marks.ts";

/** What it is told: where to go, and to leave. */
export type PartnerOrder = { join: { name: string; life: number; seed: number } } | { leave: true };
/** What it did there. */
export type PartnerReport = { stored: number; seen: number; looks: number; wrong: string[] };

const HELD = 2;
const READERS = 3;

class Visit {
  readonly report: PartnerReport = { stored: 0, seen: 0, looks: 0, wrong: [] };
  readonly #depot: FramesDepot;
  readonly #random: Random;
  readonly #life: number;
  #counter = 0;
  #held: Frame[] = [];
  readonly #readers: FrameReader[] = [];
  #last = 0;

  constructor(depot: FramesDepot, life: number, random: Random) {
    this.#depot = depot;
    this.#life = life;
    this.#random = random;
  }

  #look(frame: Frame): void {
    this.report.looks++;
    const found = frameFlaw(frame);
    if (found !== undefined && this.report.wrong.length < 5) this.report.wrong.push(`in the other process: ${found}`);
  }

  #put(): boolean {
    const frameNumber = numberOf(this.#life, this.#counter++);
    const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
    if (this.#random.percent(50)) {
      const frame = framePixels(frameNumber, this.#depot.frameBytes);
      if (this.#depot.tryEnqueue({ ...details, frame }) === undefined) return false;
    } else {
      using slot = this.#depot.tryClaim(details);
      if (slot === undefined) return false;
      draw(slot.data, frameNumber);
      if (this.#random.percent(90)) slot.publish();
    }
    this.#last = frameNumber;
    this.report.stored++;
    return true;
  }

  /** Opens and ends readers all the time: their entries go from one to the other, and to the other process. */
  #changeReaders(): void {
    const random = this.#random;
    if (this.#readers.length > 0 && random.percent(30)) this.#readers.shift()!.release();
    if (this.#readers.length >= READERS) return;
    try {
      this.#readers.push(this.#depot.frames({ mode: random.pick(["lossless", "lossy", "latest"] as const) }));
    } catch (error) {
      if (!(error instanceof DepotError && error.code === "TOO_MANY_PEERS")) throw error;
    }
  }

  #follow(): void {
    for (const reader of this.#readers) {
      for (let left = 20; left > 0; left--) {
        const frame = reader.tryNext();
        if (frame === undefined) break;
        this.report.seen++;
        this.#look(frame);
        if (this.#held.length < HELD && this.#random.percent(5)) this.#held.push(frame.clone());
      }
    }
  }

  #ask(): void {
    if (this.#held.length >= HELD) return;
    try {
      const frame = this.#depot.peekFrame(this.#last - this.#random.integer(0, 3));
      if (frame !== undefined) this.#held.push(frame);
    } catch (error) {
      if (!(error instanceof DepotError && error.code === "TOO_MANY_PEERS")) throw error;
    }
  }

  /** One round. */
  round(): void {
    for (let left = this.#random.integer(0, 12); left > 0 && this.#put(); left--);
    this.#changeReaders();
    this.#follow();
    this.#ask();
    for (const frame of this.#held) this.#look(frame);
    if (this.#random.percent(40)) this.#held.shift()?.release();
  }

  end(): void {
    for (const frame of this.#held) {
      this.#look(frame);
      frame.release();
    }
    this.#held = [];
  }
}

let leaving = false;
let done: Promise<void> = Promise.resolve();

async function join({ name, life, seed }: { name: string; life: number; seed: number }): Promise<void> {
  await using depot = await FramesDepot.open(name, { timeoutMs: 20_000 });
  const random = new Random(seed);
  const visit = new Visit(depot, life, random);
  say({ joined: true });
  while (!leaving) {
    visit.round();
    await sleep(random.percent(50) ? 0 : random.unit() * 2);
  }
  visit.end();
  await depot.close();
  say(visit.report);
}

process.on("SIGINT", () => {}); // it is meant for the parent
for await (const order of orders<PartnerOrder>()) {
  leaving = "leave" in order;
  if ("join" in order) {
    done = done.then(() => join(order.join)).catch((error) => {
      console.error(error);
      process.exit(1);
    });
  }
}
leaving = true;
await done;
process.exit(0);
