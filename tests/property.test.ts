/**
 * Random operations on a depot and on a plain model of it (`support/model.ts`): after thousands of steps both still
 * agree. A failure prints seed and last steps; FRAMES_DEPOT_TEST_SEED runs a seed again.
 */
import { assertEquals, assertRejects } from "@std/assert";
import process from "node:process";
import { FIRST_SEQUENCE } from "../depot/shape.ts";
import { DepotError, type Frame, type FrameReader, FramesDepot, type WhenFull } from "../mod.ts";
import { Random } from "../tools/support/random.ts";
import { depotTest } from "./support/harness.ts";
import { Model, type ModelFrame } from "./support/model.ts";

const STEPS = 2000;
const given = process.env.FRAMES_DEPOT_TEST_SEED;
/** Eight fixed seeds, and one that differs in every run. */
const SEEDS = given === undefined ? [1, 2, 3, 4, 5, 6, 7, 8, Date.now() >>> 0] : [Number(given)];

/** One run: the depot, its model, and a trail. */
class Run {
  readonly #depot: FramesDepot;
  readonly #first: number;
  readonly #model: Model;
  readonly #next: () => number;
  /** Whether the depot object looks after every step: it cannot tell a frame that it never saw from a gap. */
  readonly #looks: boolean;
  /** Whether the depot object ever calls getFrame, and so becomes a reader for good. */
  readonly #consumes: boolean;
  readonly #trail: string[] = [];
  #reader: FrameReader | undefined;
  #last = 0;

  /** @param first where the depot's sequences start; the model's start at 0 */
  constructor(depot: FramesDepot, model: Model, next: () => number, first: number) {
    this.#depot = depot;
    this.#first = first;
    this.#model = model;
    this.#next = next;
    this.#looks = next() % 2 === 0;
    this.#consumes = next() % 2 === 0;
  }

  get trail(): string {
    return this.#trail.slice(-25).join("\n");
  }

  /** Mostly the next number; sometimes a repeated one, a gap, or an earlier one. */
  #number(): number {
    const kind = this.#next() % 10;
    if (kind < 6) return this.#last + 1;
    if (kind < 8) return this.#last + this.#next() % 6;
    return this.#last - this.#next() % 12;
  }

  #agree(what: string, actual: unknown, expected: unknown): void {
    this.#trail.push(`${what}: ${JSON.stringify(actual)}`);
    assertEquals(actual, expected, what);
  }

  #frame(frame: Frame | undefined): Partial<ModelFrame> | undefined {
    using held = frame;
    if (held === undefined) return undefined;
    const { sequence, frameNumber, data } = held;
    return {
      sequence: sequence - this.#first,
      number: frameNumber,
      value: data.every((byte) => byte === data[0]) ? data[0] : NaN,
    };
  }

  async #enqueue(): Promise<void> {
    const frameNumber = this.#number();
    const value = this.#next() & 255;
    const frame = new Uint8Array(4).fill(value);
    const [expected, isWaiting] = [this.#model.enqueue(frameNumber, value), this.#depot.whenFull === "wait"];
    const result = await this.#depot.enqueue({ frameNumber, frame }, { timeoutMs: 0 });
    const refused = isWaiting ? { state: "timeout" } : { state: "dropped", droppedFrames: this.#model.dropped };
    this.#agree(
      `enqueue ${frameNumber}`,
      result,
      (expected === undefined
        ? refused
        : { state: "stored", sequence: expected.sequence + this.#first }) as typeof result,
    );
    if (expected !== undefined) this.#last = Math.max(this.#last, frameNumber);
  }

  #follow(): void {
    if (!this.#model.hasLoop) {
      this.#trail.push("frames()");
      this.#reader = this.#depot.frames();
      this.#model.startLoop();
    } else if (this.#next() % 40 === 0) {
      this.#trail.push("release()");
      this.#reader!.release();
      this.#model.endLoop();
    } else {
      const frame = this.#reader!.tryNext();
      const lost = frame?.lost;
      const seen = this.#frame(frame);
      this.#agree("tryNext", seen && { ...seen, lost }, this.#model.next());
    }
  }

  async step(): Promise<void> {
    const number = this.#number();
    const kind = this.#next() % 100;
    if (kind < 40) await this.#enqueue();
    else if (kind < 52 && this.#consumes) {
      this.#agree(`getFrame ${number}`, this.#frame(this.#depot.getFrame(number)), this.#model.get(number));
    } else if (kind < 62) {
      this.#agree(`peekFrame ${number}`, this.#frame(this.#depot.peekFrame(number)), this.#model.peek(number));
    } else if (kind < 72) {
      const [actual, expected] = [this.#depot.statusOf(number), this.#model.statusOf(number)];
      if (this.#looks) this.#agree(`statusOf ${number}`, actual, expected);
      else this.#agree(`statusOf ${number} is stored`, actual === "stored", expected === "stored");
    } else if (kind < 73) {
      this.#trail.push("clearQueue");
      await this.#depot.clearQueue();
      this.#model.clear();
    } else if (kind < 82) {
      const [actual, expected] = [this.#depot.length, this.#model.lengths()];
      this.#agree("length", expected.includes(actual) ? expected[0] : actual, expected[0]);
    } else if (kind < 88) this.#agree("queueIsFull", this.#depot.queueIsFull, this.#model.isFull);
    else this.#follow();
    if (this.#looks) this.#depot.peekFrame(-1e6);
  }
}

/** First sequences: 0, and shortly before 2^32, before 2^52, and before the last one. */
const FIRSTS = [0, 2 ** 32 - 700, 2 ** 52 - 700, Number.MAX_SAFE_INTEGER - 1 - STEPS];

for (const whenFull of ["drop", "wait", "overwrite"] satisfies WhenFull[]) {
  for (const maxSize of [1, 2, 5, 8]) {
    depotTest(`FramesDepot of ${maxSize} agrees with a plain model of it, ${whenFull}`, async (_, another) => {
      for (const [i, seed] of SEEDS.entries()) {
        const first = FIRSTS[i % FIRSTS.length];
        const options = { frameSize: [2, 2, 1], maxSize, whenFull, [FIRST_SEQUENCE]: first } as const;
        await using depot = await FramesDepot.create(another(), options);
        const random = new Random(seed);
        const run = new Run(depot, new Model(maxSize, whenFull), () => random.word(), first);
        for (let step = 0; step < STEPS; step++) {
          try {
            await run.step();
          } catch (error) {
            throw new Error(`FRAMES_DEPOT_TEST_SEED=${seed}, step ${step}; the last ones:\n${run.trail}`, {
              cause: error,
            });
          }
        }
      }
    });
  }
}

depotTest("FramesDepot that has used its last sequence says so, and what is in it can be read", async (name) => {
  const first = Number.MAX_SAFE_INTEGER - 3;
  const options = { frameSize: [2, 2, 1], maxSize: 2, whenFull: "overwrite", [FIRST_SEQUENCE]: first } as const;
  await using depot = await FramesDepot.create(name, options);
  for (let n = 1; n <= 3; n++) {
    assertEquals(await depot.enqueue({ frameNumber: n, frame: new Uint8Array(4) }), {
      state: "stored",
      sequence: first + n - 1,
    });
  }
  for (const put of [() => depot.enqueue({ frame: new Uint8Array(4) }), () => depot.claim()]) {
    const error = await assertRejects(put, DepotError, "has used its last sequence, 2^53 - 2");
    assertEquals([error.code, error.depot], ["UNSUPPORTED", name]);
  }
  const seen: number[] = [];
  for await (const { frameNumber } of depot.frames({ timeoutMs: 0 })) seen.push(frameNumber);
  assertEquals([seen, depot.statusOf(3), depot.length], [[2, 3], "stored", 0]);
});
