/**
 * The lives of forked victims where depots end and their names are taken. Nothing here may find a depot that has lost
 * its name and goes on, and what is told to be stored is noted with the depot that has it.
 *
 * @module
 */
import { loadShim } from "../../ffi/load.ts";
import { Attachment } from "../../ring/attachment.ts";
import { createSegment } from "../../ring/naming.ts";
import { openSegment } from "../../ring/segment.ts";
import { Random } from "../support/random.ts";
import { fill, flaw, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";
import { Board, generationOf, NOTE, STATE } from "./board.ts";
import { die, sleepMs } from "./libc.ts";
import { pass, PAUSE_MS, RingDepot, take } from "./ring_depot.ts";
import { endAt, goOn } from "./steps.ts";
import { geometryOf, type TakingPlan } from "./taking_plan.ts";
import { Witness } from "./witness.ts";

/** Tries to open a name that other victims are taking, or that only the dead have. */
const OPENINGS = 100;
const MODE = 0o600;

/** A victim between its birth and its death. */
class Life {
  readonly #plan: TakingPlan;
  readonly #name: string;
  readonly #board: Board;
  readonly #random: Random;

  constructor(name: string, board: Board, plan: TakingPlan) {
    this.#name = name;
    this.#board = board;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  live(): void {
    const { life, end, freeze } = this.#plan;
    this.#board.write(life, NOTE.state, STATE.living);
    if (typeof end === "object" && "step" in end) {
      const value = freeze ? STATE.frozen : STATE.died;
      endAt(end, freeze, { file: this.#board.path, at: Board.at(life, NOTE.state), value }, () => this.#end());
    }
    this[this.#plan.role]();
    goOn();
    this.#board.write(life, NOTE.state, STATE.ended);
  }

  #end(): never {
    this.#board.write(this.#plan.life, NOTE.state, STATE.died);
    die();
  }

  #accuse(what: string | undefined): void {
    if (what !== undefined) this.#board.accuse(`life ${this.#plan.life}, ${this.#plan.role}: ${what}`);
  }

  #open(): RingDepot | undefined {
    for (let tries = 0; tries < OPENINGS; tries++) {
      const outcome = openSegment(loadShim(), this.#name, { stale: false, trustedOwners: [] });
      if (outcome instanceof Attachment) return new RingDepot(this.#name, outcome);
      sleepMs(PAUSE_MS);
    }
    return undefined;
  }

  producer(): void {
    const depot = this.#open();
    if (depot !== undefined) this.#store(depot);
  }

  replacer(): void {
    this.#take(true);
  }

  successor(): void {
    this.#take(false);
  }

  #take(always: boolean): void {
    for (let tries = 0; tries < OPENINGS; tries++) {
      const outcome = createSegment(loadShim(), this.#name, geometryOf(this.#random), MODE, always);
      if (outcome instanceof Attachment) return this.#store(new RingDepot(this.#name, outcome));
      if (outcome.refused === "busy") continue;
      if (always) this.#accuse(`the name was refused: ${outcome.error.message}`);
      return;
    }
  }

  /** Stores frames until they are all there, or until the depot takes no more. */
  #store(depot: RingDepot): void {
    const { life, frames, leaves } = this.#plan;
    this.#board.write(life, NOTE.generation, generationOf(depot.attachment.id));
    const frame = new Uint8Array(depot.frameBytes);
    for (let counter = 0; counter < frames; counter++) {
      const frameNumber = numberOf(life, counter);
      this.#board.write(life, NOTE.attempted, counter + 1);
      const sequence = depot.claim();
      if (sequence === undefined || sequence < 0) break;
      fill(frame, frameNumber);
      depot.copy(sequence, frame);
      const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
      if (!depot.publish(sequence, details)) break;
      this.#board.write(life, NOTE.sequence, sequence);
      this.#board.write(life, NOTE.acknowledged, counter + 1);
    }
    if (leaves) depot.leave();
  }

  ender(): void {
    const depot = this.#open();
    depot?.attachment.room.close();
    if (this.#plan.leaves) depot?.leave();
  }

  reader(): void {
    const depot = this.#open();
    if (depot === undefined) return;
    const follower = depot.follow(this.#random.pick(["lossless", "lossy"] as const), "oldest");
    const witness = new Witness(false);
    while (witness.frames < this.#plan.frames && take(follower, 100)) {
      this.#accuse(depot.look(follower.reader, follower.sequence, flaw));
      this.#accuse(witness.see(follower));
      pass(follower);
    }
    follower.reader.end();
    if (this.#plan.leaves) depot.leave();
  }
}

/** Lives a plan in this process, which does not come back from it. */
export function liveTaking(name: string, board: Board, plan: TakingPlan): void {
  try {
    new Life(name, board, plan).live();
  } catch (error) {
    const what = error instanceof Error ? error.stack : String(error);
    board.accuse(`life ${plan.life}, ${plan.role}: ${what}`.replaceAll("\n", " "));
  }
}
