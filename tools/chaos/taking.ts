/**
 * One run in which depots end and names are taken: readers and producers that go from depot to depot, and victims that
 * take the name, end what has it, fill it and read it, and die while they do.
 *
 * @module
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import type { ModuleChild } from "../support/child.ts";
import { Random } from "../support/random.ts";
import { type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { Board, generationOf, NOTE } from "./board.ts";
import { start } from "./child.ts";
import type { HeirReport, HeirTask, Inherited } from "./heir.ts";
import { Ledger } from "./ledger.ts";
import type { TakerAnswer, TakerOrder, TakerTask } from "./taker.ts";
import { eachTakingStep, LAST_LIFE, TAKERS_A_ROUND } from "./taking_plan.ts";

/** How a run goes. */
export type TakingOptions = {
  /** Ends after this number of kills or of seconds, whichever comes first. */
  kills: number;
  seconds: number;
  seed: number;
  /** Begins with one victim for each step. */
  eachStep: boolean;
  /** Told now and then how it goes. */
  tell?: (line: string) => void;
  signal?: AbortSignal;
};

/** An answer that takes longer does not come. */
const HANG_MS = 60_000;
const ROUNDS = 25;
/** Lives of the producers that live on, one for each depot: far above those of victims. */
const PRODUCERS_FROM = 2 ** 20;
const FIRST_LIFE = 16;

let runs = 0;

class TakingRun {
  readonly ledger = new Ledger();
  readonly #options: TakingOptions;
  readonly #random: Random;
  readonly #name: string;
  readonly #board: Board;
  readonly #children: ModuleChild[] = [];
  readonly #started = performance.now();
  #lives = FIRST_LIFE;
  readonly #held = new Map<ModuleChild, number>();

  constructor(options: TakingOptions, name: string, board: Board) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#name = name;
    this.#board = board;
  }

  #heir(runtime: Runtime, task: Omit<HeirTask, "name" | "board" | "seed">): ModuleChild {
    const common = { name: this.#name, board: this.#board.path, seed: this.#random.seed() };
    const child = start(runtime, "./heir.ts", { ...task, ...common });
    this.#children.push(child);
    return child;
  }

  async #in<T>(what: string, promise: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: hangs`)), HANG_MS);
      this.#options.signal?.addEventListener("abort", () => reject(new Error("interrupted")), { once: true });
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async go(): Promise<void> {
    const first = await FramesDepot.create(this.#name, { frameSize: [32, 16, 1], maxSize: 3, metadataBytes: 16 });
    const readers = [
      this.#heir("deno", { role: "reader", mode: "lossless", life: 1 } as HeirTask),
      this.#heir("bun", { role: "reader", mode: "lossless", life: 2 } as HeirTask),
      this.#heir("deno", { role: "reader", mode: "lossy", life: 3 } as HeirTask),
    ];
    const producers = RUNTIMES.map((runtime, index) =>
      this.#heir(runtime, { role: "producer", life: PRODUCERS_FROM * (index + 1) } as HeirTask)
    );
    for (const child of [...readers, ...producers]) await this.#in(`${child}`, child.line());
    const task: TakerTask = { name: this.#name, board: this.#board.path, heirs: [1, 2] };
    const takers = RUNTIMES.map((runtime) => start(runtime, "./taker.ts", task, { forks: true, traced: true }));
    this.#children.push(...takers);
    for (const taker of takers) await this.#in(`${taker}`, taker.line());
    await first.close();
    if (this.#options.eachStep) {
      await Promise.all(takers.map((taker) => this.#order(taker, "each", eachTakingStep().length)));
    }
    while (!this.#isOver) {
      await Promise.all(takers.map((taker) => this.#order(taker, "crowd", ROUNDS)));
      for (const taker of takers) await this.#order(taker, "held", 1);
      const seconds = Math.round((performance.now() - this.#started) / 1000);
      this.#options.tell?.(`taking names: ${this.ledger.kills} kills, ${seconds} s`);
    }
    await this.#settle(readers, producers, takers);
  }

  get #isOver(): boolean {
    const { kills, seconds } = this.#options;
    return this.ledger.kills >= kills || performance.now() - this.#started > seconds * 1000;
  }

  async #order(taker: ModuleChild, kind: TakerOrder["kind"], rounds: number): Promise<void> {
    const order: TakerOrder = { kind, rounds, firstLife: this.#lives, seed: this.#random.seed() };
    this.#lives += rounds * TAKERS_A_ROUND;
    taker.send(order);
    const { deaths, held } = await this.#in(`${taker}, ${kind}`, taker.line<TakerAnswer>());
    this.#held.set(taker, held);
    for (const death of deaths) this.ledger.deaths.push({ ...death, runtime: taker.runtime, kind: "forked" });
  }

  /** The last depot takes the name and ends; all that has gone from depot to depot comes to it, and tells. */
  async #settle(readers: ModuleChild[], producers: ModuleChild[], takers: ModuleChild[]): Promise<void> {
    for (const taker of takers) await taker.kill();
    for (const producer of producers) producer.hangUp();
    const counts = [];
    for (const producer of producers) {
      counts.push((await this.#in(`${producer}`, producer.line<{ lives: number }>())).lives);
    }
    const last = await FramesDepot.create(this.#name, { frameSize: [4, 4, 1], replace: true });
    this.#board.write(LAST_LIFE, NOTE.generation, generationOf(last.id));
    last.end();
    for (const reader of readers) reader.hangUp();
    const reports: HeirReport[] = [];
    for (const reader of readers) reports.push(await this.#in(`${reader}`, reader.line<HeirReport>()));
    for (const child of [...readers, ...producers]) {
      const { code } = await this.#in(`${child}`, child.ending);
      if (code !== 0) this.ledger.wrong.push(`${child} ended with code ${code}: ${child.errors}`);
    }
    await last.close();
    for (const held of this.#held.values()) this.ledger.stops += held;
    const lives = Array.from({ length: this.#lives - FIRST_LIFE }, (_, index) => FIRST_LIFE + index);
    for (const [index, count] of counts.entries()) {
      for (let at = 1; at <= count; at++) lives.push(PRODUCERS_FROM * (index + 1) + at);
    }
    this.#compare(lives, reports, generationOf(last.id));
    for (const path of [`/dev/shm/frames-depot.${this.#name}`, `/dev/shm/.frames-depot.${this.#name}`]) {
      if (existsSync(path)) this.ledger.wrong.push(`left behind: ${path}`);
    }
  }

  /** Each reader that had begun before a frame was stored has seen it, and the end of each of its depots. */
  #compare(lives: number[], reports: HeirReport[], last: number): void {
    const { wrong } = this.ledger;
    wrong.push(...this.#board.accusations());
    const byDepot = new Map<number, number[]>();
    for (const life of lives) {
      this.ledger.stored += this.#board.read(life, NOTE.acknowledged);
      const generation = this.#board.read(life, NOTE.generation);
      if (generation !== 0) byDepot.set(generation, [...byDepot.get(generation) ?? [], life]);
    }
    for (const [reader, report] of reports.entries()) {
      this.ledger.read += report.frames;
      wrong.push(...report.wrong.map((what) => `reader ${reader}: ${what}`));
      if (report.depots.at(-1)?.generation !== last) wrong.push(`reader ${reader} has not come to the last depot`);
      for (const depot of report.depots) {
        if (depot.ended !== "ended" && depot.ended !== "replaced") {
          wrong.push(`reader ${reader} ended as ${depot.ended}`);
        }
        for (const life of byDepot.get(depot.generation) ?? []) this.#compareLife(life, depot, reader, reader === 2);
      }
    }
    if (reports[0].depots.length < 2) wrong.push("no name was taken");
  }

  #compareLife(life: number, depot: Inherited, reader: number, isLossy: boolean): void {
    const acknowledged = this.#board.read(life, NOTE.acknowledged), attempted = this.#board.read(life, NOTE.attempted);
    const next = new Map(depot.lives).get(life) ?? 0;
    const isDue = !isLossy && acknowledged > 0 && this.#board.read(life, NOTE.sequence) >= depot.start;
    if (next <= attempted && (!isDue || next >= acknowledged)) return;
    this.ledger.wrong.push(
      `reader ${reader} saw ${next} frames of life ${life}, of which ${acknowledged} were acknowledged and ${attempted} ` +
        `begun, the last at ${
          this.#board.read(life, NOTE.sequence)
        } in depot ${depot.generation}, read from ${depot.start}`,
    );
  }

  async end(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
  }
}

/** Runs until it is over. Whatever happens, its processes end and its files are removed. */
export async function takingRun(options: TakingOptions): Promise<Ledger> {
  const name = `chaos-${process.pid}-taking-${runs++}`;
  const board = Board.make(name);
  try {
    const run = new TakingRun(options, name, board);
    try {
      await run.go();
    } catch (error) {
      run.ledger.wrong.push(...board.accusations(), error instanceof Error ? error.message : String(error));
    } finally {
      await run.end();
    }
    return run.ledger;
  } finally {
    FramesDepot.unlink(name);
    board.remove();
  }
}
