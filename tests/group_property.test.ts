/**
 * Random operations on a depot and the members of one group: each frame is with one member, in order, and what was
 * stored, taken and lost adds up. A failure prints its seed; FRAMES_DEPOT_TEST_SEED runs a seed again.
 */
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import type { Frame, FrameReader, FramesDepot, WhenFull } from "../mod.ts";
import { Random } from "../tools/support/random.ts";
import { depotTest } from "./support/harness.ts";
import { make, member, pixels } from "./support/group_scene.ts";

const STEPS = 400;
const given = process.env.FRAMES_DEPOT_TEST_SEED;
const SEEDS = given === undefined ? [...Array(30).keys(), Date.now() >>> 0] : [Number(given)];

/** One group, which has at least one member throughout, and what it should have had. */
class Run {
  readonly #depot: FramesDepot;
  readonly #random: Random;
  readonly #members: FrameReader[];
  /** Clones of members' frames, and leases that no member has. */
  readonly #held: Frame[] = [];
  #stored = 0;
  #taken = 0;
  #lost = 0;
  #last = -1;
  /** The first number that no clearing has taken. */
  #cleared = 0;

  constructor(depot: FramesDepot, random: Random) {
    this.#depot = depot;
    this.#random = random;
    this.#members = [member(depot)];
  }

  step(): Promise<void> | void {
    const turn = this.#random.integer(0, 99);
    if (turn < 35) return this.#put();
    if (turn < 70) return this.#take(this.#random.pick(this.#members));
    if (turn < 80) return this.#hold();
    if (turn < 88) return this.#held.splice(this.#random.integer(0, this.#held.length), 1)[0]?.release();
    if (turn < 94) return this.#join();
    if (turn < 98) return this.#leave();
    return this.#clear();
  }

  #put(): void {
    if (this.#depot.tryEnqueue({ frame: pixels(this.#stored), frameNumber: this.#stored }) !== undefined) {
      this.#stored++;
    }
  }

  #take(reader: FrameReader): void {
    const frame = reader.tryNext();
    if (frame === undefined) return;
    const { frameNumber, data } = frame;
    assertEquals([data[0], frame.redelivered], [frameNumber & 255, false]);
    assert(frameNumber > this.#last && frameNumber >= this.#cleared, `${frameNumber} after ${this.#last}`);
    this.#last = frameNumber;
    this.#taken++;
    this.#lost += frame.lost;
    assertEquals(this.#taken + this.#lost, frameNumber + 1);
    if (this.#random.percent(25)) this.#keep(frame.clone());
  }

  #keep(frame: Frame | undefined): void {
    if (frame !== undefined && this.#held.push(frame) > 3) this.#held.shift()!.release();
  }

  #hold(): void {
    this.#keep(this.#depot.peekFrame(this.#random.integer(Math.max(0, this.#stored - 6), this.#stored)));
  }

  #join(): void {
    if (this.#members.length < 4) this.#members.push(member(this.#depot));
  }

  #leave(): void {
    if (this.#members.length > 1) this.#members.splice(this.#random.integer(0, 1), 1)[0].release();
  }

  async #clear(): Promise<void> {
    await this.#depot.clearQueue();
    this.#cleared = this.#stored;
  }

  /** Takes what is there, until no member gets one: then none has a frame. */
  #drain(): void {
    for (let before = -1; before < this.#taken;) {
      before = this.#taken;
      this.#members.forEach((reader) => this.#take(reader));
    }
  }

  /** Takes what is left, and one more frame, which says what was lost before it. */
  end(): void {
    this.#held.splice(0).forEach((frame) => frame.release());
    this.#drain();
    this.#held.splice(0).forEach((frame) => frame.release());
    this.#put();
    this.#drain();
    assertEquals(this.#last, this.#stored - 1);
    assertEquals(this.#depot.stats().groups.map(({ lost }) => lost), [this.#lost]);
  }
}

for (const whenFull of ["drop", "wait", "overwrite"] as WhenFull[]) {
  depotTest(`frames({ group }) is in order and adds up after random operations, ${whenFull}`, async (name) => {
    for (const seed of SEEDS) {
      const random = new Random(seed);
      const maxSize = random.integer(1, 6);
      await using depot = await make(`${name}-${seed}`, [], { whenFull, maxSize, maxReaders: 16 });
      const run = new Run(depot, random);
      try {
        for (let step = 0; step < STEPS; step++) await run.step();
        run.end();
      } catch (error) {
        console.error(`seed ${seed}, maxSize ${maxSize}: FRAMES_DEPOT_TEST_SEED=${seed} runs it again`);
        throw error;
      }
    }
  });
}
