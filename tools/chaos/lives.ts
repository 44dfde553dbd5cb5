/**
 * The lives of forked victims. A fork has no event loop: they use the ring itself.
 *
 * @module
 */
import type { Reader } from "../../ring/reader.ts";
import { Random } from "../support/random.ts";
import { fill, flaw, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { die, sleepMs } from "./libc.ts";
import type { Plan } from "./plan.ts";
import { type Details, pass, PAUSE_MS, RingDepot, take } from "./ring_depot.ts";
import { endAt, goOn } from "./steps.ts";
import { Witness } from "./witness.ts";

/** A victim between its birth and its death. */
class Life {
  readonly #plan: Plan;
  readonly #name: string;
  readonly #board: Board;
  readonly #random: Random;

  constructor(name: string, board: Board, plan: Plan) {
    this.#name = name;
    this.#board = board;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  live(): void {
    const { life, end, freeze } = this.#plan;
    this.#board.write(life, NOTE.state, STATE.living);
    if (typeof end === "object" && "step" in end) {
      const note = {
        file: this.#board.path,
        at: Board.at(life, NOTE.state),
        value: freeze ? STATE.frozen : STATE.died,
      };
      endAt(end, freeze, note, () => this.#end());
    }
    this[this.#plan.role]();
    goOn();
    this.#board.write(life, NOTE.state, STATE.ended);
  }

  #end(): never {
    const { life, freeze } = this.#plan;
    this.#board.write(life, NOTE.state, freeze ? STATE.frozen : STATE.died);
    while (freeze) sleepMs(1000);
    die();
  }

  #verify(depot: RingDepot, reader: Reader, sequence: number): void {
    const found = depot.look(reader, sequence, flaw);
    if (found !== undefined) this.#board.accuse(`life ${this.#plan.life}, ${this.#plan.role}: ${found}`);
  }

  producer(): void {
    const { life, frames, leaves } = this.#plan;
    const depot = new RingDepot(this.#name);
    const frame = new Uint8Array(depot.frameBytes);
    for (let counter = 0; counter < frames;) {
      this.#board.write(life, NOTE.attempted, counter + 1);
      if (this.#random.percent(10)) this.#burn(depot);
      if (!this.#store(depot, frame, this.#detailsOf(counter))) break;
      this.#board.write(life, NOTE.acknowledged, ++counter);
    }
    if (leaves) depot.leave();
  }

  /** Writes into a slot and gives it back. */
  #burn(depot: RingDepot): void {
    const sequence = depot.claim();
    if (sequence === undefined) return;
    depot.write(sequence, (data) => data.fill(255));
    depot.attachment.producer.giveBack(sequence);
  }

  #store(depot: RingDepot, frame: Uint8Array, details: Details): boolean {
    const copies = this.#random.percent(60);
    if (copies) fill(frame, details.frameNumber);
    const sequence = depot.claim();
    if (sequence === undefined) return false;
    if (copies) depot.copy(sequence, frame);
    else depot.write(sequence, (data) => fill(data, details.frameNumber));
    depot.publish(sequence, details);
    return true;
  }

  #detailsOf(counter: number): Details {
    const frameNumber = numberOf(this.#plan.life, counter);
    return { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
  }

  reader(): void {
    const { life, frames, mode, leaves } = this.#plan;
    const depot = new RingDepot(this.#name);
    for (let left = frames; left > 0;) {
      const stay = this.#random.integer(1, left);
      left -= stay;
      this.#board.write(life, NOTE.read, this.#follow(depot, mode, stay));
    }
    if (leaves) depot.leave();
  }

  /** Follows for some frames. @returns how many came */
  #follow(depot: RingDepot, mode: Plan["mode"], frames: number): number {
    const follower = depot.follow(mode, this.#random.pick(["oldest", "next"]));
    const witness = new Witness(mode === "lossless" && depot.attachment.geometry.whenFull !== "overwrite");
    while (witness.frames < frames && take(follower, 250)) {
      this.#verify(depot, follower.reader, follower.sequence);
      const wrong = witness.see(follower);
      if (wrong !== undefined) this.#board.accuse(`life ${this.#plan.life}, ${mode} reader: ${wrong}`);
      if (this.#random.percent(10)) {
        sleepMs(this.#random.unit() * 3);
        this.#verify(depot, follower.reader, follower.sequence);
      }
      pass(follower);
    }
    follower.reader.end();
    return witness.frames;
  }

  lookup(): void {
    const { frames, leaves } = this.#plan;
    const depot = new RingDepot(this.#name);
    const newest = depot.follow("lossy", "next");
    const finder = depot.find();
    const held: number[] = [];
    const release = (sequence: number) => {
      this.#verify(depot, finder.reader, sequence);
      finder.reader.unpin(finder.reader.slotOf(sequence));
    };
    for (let index = 0; index < frames && take(newest, 100); index++) {
      const number = newest.frameNumber;
      pass(newest);
      const consumes = this.#random.percent(30);
      if (consumes) finder.gate();
      const sequence = finder.pin(number);
      if (consumes) finder.consume(number);
      finder.statusOf(number - 1);
      if (sequence >= 0) held.push(sequence);
      if (held.length > 2) release(held.shift()!);
    }
    held.forEach(release);
    if (leaves) depot.leave();
  }

  visitor(): void {
    for (let index = 0; index < 4; index++) {
      const depot = new RingDepot(this.#name);
      const follower = depot.follow("lossless", "oldest");
      if (follower.take() >= 0) {
        this.#verify(depot, follower.reader, follower.sequence);
        if (this.#random.percent(70)) pass(follower);
      }
      if (this.#random.percent(70)) follower.reader.end();
      depot.leave();
      depot.attachment.unmap();
    }
  }

  recoverer(): void {
    const { life, frames, leaves } = this.#plan;
    const depot = new RingDepot(this.#name);
    this.#board.write(life, NOTE.state, STATE.frozen); // ready: from now on another may die
    for (let index = 0; index < frames; index++) {
      depot.attachment.peers.recoverDead();
      sleepMs(PAUSE_MS / 2);
    }
    if (leaves) depot.leave();
  }
}

/** Lives a plan in this process, which does not come back from it. */
export function live(name: string, board: Board, plan: Plan): void {
  try {
    new Life(name, board, plan).live();
  } catch (error) {
    board.accuse(
      `life ${plan.life}, ${plan.role}: ${error instanceof Error ? error.stack : String(error)}`.replaceAll("\n", " "),
    );
  }
}
