/**
 * What a victim does with the public interface, in a process or a thread of its own, until it is ended or has done it.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { trace } from "../../ring/trace.ts";
import { type Board, NOTE, STATE } from "./board.ts";
import { Witness } from "./witness.ts";
import type { Plan } from "./plan.ts";
import { Random } from "../support/random.ts";
import { fill, flaw, metadataOf, numberOf, type Seen, timestampOf } from "../support/stamp.ts";

/** How it goes about it. */
export type Manner = {
  /** What it is, for accusations. */
  who: string;
  /** Called when it is in. */
  ready: () => void;
  /** Awaited once, with a slot half filled or with the third frame in its hands. */
  holds?: () => Promise<void>;
  /** Whether it rests now and then with what it has in its hands: a thread mostly ends while it awaits something. */
  rests: boolean;
  /** Whether what it sees is of no account any more. */
  isOver?: () => boolean;
};

const OPENING = { timeoutMs: 20_000 } as const;

/** One victim at its work. */
export class Work {
  readonly #name: string;
  readonly #board: Board;
  readonly #plan: Plan;
  readonly #manner: Manner;
  readonly #random: Random;

  constructor(name: string, board: Board, plan: Plan, manner: Manner) {
    this.#name = name;
    this.#board = board;
    this.#plan = plan;
    this.#manner = manner;
    this.#random = new Random(plan.seed);
  }

  /** Does it all. @returns the depot, if it has one open still */
  async run(): Promise<FramesDepot | undefined> {
    const { life, role } = this.#plan;
    if (role === "visitor") {
      this.#in();
      await this.#guarded(() => this.#visit());
      return undefined;
    }
    const depot = await FramesDepot.open(this.#name, OPENING);
    this.#in();
    await this.#guarded(async () => {
      if (role === "producer") await this.#produce(depot);
      else if (role === "lookup") await this.#look(depot);
      else if (role === "recoverer") await this.#recover(depot);
      else this.#board.write(life, NOTE.read, await this.#read(depot));
    });
    return depot;
  }

  #in(): void {
    this.#board.write(this.#plan.life, NOTE.state, STATE.living);
    this.#manner.ready();
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#accuse(String((error as Error).stack).replaceAll("\n", " "));
    }
  }

  #accuse(what: string | undefined): void {
    if (what === undefined || this.#manner.isOver?.()) return;
    this.#board.accuse(`life ${this.#plan.life}, ${this.#manner.who}: ${what}`);
  }

  async #rest(): Promise<void> {
    if (this.#manner.rests && this.#random.percent(20)) await sleep(this.#random.unit() * 4);
  }

  async #produce(depot: FramesDepot): Promise<void> {
    const { life, frames } = this.#plan;
    const { holds } = this.#manner;
    for (let counter = 0; counter < frames; counter++) {
      const frameNumber = numberOf(life, counter);
      const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
      this.#board.write(life, NOTE.attempted, counter + 1);
      for (let stored = false; !stored;) {
        if (holds !== undefined || this.#random.percent(40)) {
          using slot = await depot.claim(details);
          if (slot === undefined) {
            await sleep(0);
            continue;
          }
          trace.at?.("C8");
          const words = slot.data.byteLength >> 2;
          fill(slot.data, frameNumber, 0, words >> 1);
          if (counter === 0) await holds?.();
          await this.#rest();
          fill(slot.data, frameNumber, words >> 1);
          slot.publish();
          stored = true;
        } else {
          const frame = new Uint8Array(depot.frameBytes);
          fill(frame, frameNumber);
          stored = (await depot.enqueue({ ...details, frame })).state === "stored";
          if (!stored) await sleep(0);
        }
      }
      this.#board.write(life, NOTE.acknowledged, counter + 1);
    }
  }

  /** @returns how many it has read */
  async #read(depot: FramesDepot): Promise<number> {
    const { mode, frames } = this.#plan;
    const witness = new Witness(mode === "lossless" && depot.whenFull !== "overwrite");
    for await (const frame of depot.frames({ mode, timeoutMs: 1000 })) {
      trace.at?.("R4");
      this.#accuse(flaw(frame));
      this.#accuse(witness.see(frame));
      if (witness.frames === 3 && this.#manner.holds !== undefined) {
        await this.#manner.holds();
        this.#accuse(flaw(frame));
      }
      await this.#rest();
      this.#accuse(flaw(frame));
      if (witness.frames >= frames) break;
    }
    return witness.frames;
  }

  async #look(depot: FramesDepot): Promise<void> {
    await using reader = depot.frames({ mode: "lossy", from: "next", timeoutMs: 1000 });
    for (let index = 0; index < this.#plan.frames; index++) {
      const { value } = await reader.next();
      if (value === undefined) break;
      using frame: (Seen & Disposable) | undefined = this.#random.percent(70)
        ? depot.peekFrame(value.frameNumber)
        : depot.getFrame(value.frameNumber);
      if (frame === undefined) continue;
      trace.at?.("R4");
      if (this.#random.percent(20)) await sleep(1);
      this.#accuse(flaw(frame));
    }
  }

  async #recover(depot: FramesDepot): Promise<void> {
    for (let index = 0; index < this.#plan.frames; index++) {
      depot.stats();
      await sleep(this.#random.unit() * 2);
    }
  }

  async #visit(): Promise<void> {
    for (let index = 0; index < 4; index++) {
      await using depot = await FramesDepot.open(this.#name, OPENING);
      const reader = depot.frames({ mode: "lossless" });
      const frame = reader.tryNext();
      if (frame !== undefined) this.#accuse(flaw(frame));
      await this.#rest();
      if (this.#random.percent(70)) reader.release();
    }
  }
}
