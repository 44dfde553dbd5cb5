/**
 * One run: a depot, survivors in both runtimes, and victims one after the other, until enough have died.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { FramesDepot, type WhenFull } from "../../mod.ts";
import { Board, NOTE, STATE } from "./board.ts";
import type { ModuleChild } from "../support/child.ts";
import { type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { type Purpose, start } from "./child.ts";
import type { Answer, Order } from "./forker.ts";
import type { HostTask } from "./host.ts";
import { type Entry, Ledger } from "./ledger.ts";
import { Observer } from "../support/observer.ts";
import { eachStep, eachThreadStep, ENDING_STEPS, hostPlansOf, LIVES_A_ROUND, planOf, STARTED_STEPS } from "./plan.ts";
import { Random } from "../support/random.ts";
import { END_LIFE, fill, METADATA_BYTES, metadataOf, numberOf, timestampOf } from "../support/stamp.ts";
import { holderPlan, stopAtRandom, stopHolder } from "./stops.ts";
import type { ReaderReport, SurvivorTask } from "./survivor.ts";
import type { VictimTask } from "./victim.ts";
import { Watchdog } from "./watchdog.ts";

/** How a run goes. */
export type RunOptions = {
  whenFull: WhenFull;
  /** Slots. With few, all processes meet. With many, producers never wait, and do not look after dead readers. */
  maxSize: number;
  /** Ends after this number of kills or of seconds, whichever comes first. */
  kills: number;
  seconds: number;
  seed: number;
  /** Begins with one victim for each step, one after the other. */
  eachStep: boolean;
  /** Told now and then how it goes. */
  tell?: (line: string) => void;
  signal?: AbortSignal;
};

/** When nothing moves for this time, a process hangs. */
const HANG_MS = 20_000;
/** 2 KiB a frame: long enough to be torn, short enough to look at every word. */
const FRAME_SIZE = [64, 32, 1] as const;
/** Rounds of forked victims between two looks at other things. */
const ROUNDS = 25;
const FREEZES = 2;
/** Rounds of workers in each of two processes meanwhile: a fifth of all deaths. */
const THREAD_ROUNDS = 6;
/** The longest time that its worker has been at work. */
const HOST_MS = 20;
/** A process that is killed while its worker ends, and not at a step, is so within this time. */
const ENDING_MS = 6;
/** Time for a started victim that has not died at its step. */
const VICTIM_MS = 1200;

let runs = 0;

class Run {
  readonly ledger = new Ledger();
  readonly #options: RunOptions;
  readonly #random: Random;
  readonly #depot: FramesDepot;
  readonly #board: Board;
  readonly #observer: Observer;
  readonly #watchdog: Watchdog;
  readonly #children: ModuleChild[] = [];
  readonly #started = performance.now();
  #lives = END_LIFE + 1;
  #cycle = 0;
  #ending = false;

  constructor(options: RunOptions, depot: FramesDepot, board: Board) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#depot = depot;
    this.#board = board;
    this.#observer = new Observer(depot.name);
    this.#watchdog = new Watchdog(this.#observer, HANG_MS, options.signal);
  }

  #start(runtime: Runtime, module: string, task: unknown, purpose?: Purpose): ModuleChild {
    const child = start(runtime, module, task, purpose);
    this.#children.push(child);
    return child;
  }

  async #survivor(runtime: Runtime, task: SurvivorTask): Promise<ModuleChild> {
    const child = this.#start(runtime, "./survivor.ts", task);
    void this.#watchdog.guard(child, () => this.#ending);
    await this.#watchdog.until(child.line());
    return child;
  }

  get #isOver(): boolean {
    const { kills, seconds } = this.#options;
    return this.ledger.kills >= kills || performance.now() - this.#started > seconds * 1000;
  }

  async go(): Promise<void> {
    const { whenFull } = this.#options;
    const { name } = this.#depot;
    const common = () => ({ name, board: this.#board.path, seed: this.#random.seed() });
    const readers: ModuleChild[] = [];
    for (const runtime of RUNTIMES) {
      const rests = runtime === "bun";
      readers.push(await this.#survivor(runtime, { ...common(), role: "reader", mode: "lossless", rests }));
    }
    readers.push(await this.#survivor("deno", { ...common(), role: "reader", mode: "lossy", rests: true }));
    const producers: ModuleChild[] = [];
    for (const runtime of RUNTIMES) {
      producers.push(await this.#survivor(runtime, { ...common(), role: "producer", life: this.#lives++ }));
    }
    const forkers: ModuleChild[] = [];
    for (const runtime of RUNTIMES) {
      const task = { name, board: this.#board.path, whenFull };
      const forker = this.#start(runtime, "./forker.ts", task, { forks: true, traced: true });
      void this.#watchdog.guard(forker, () => this.#ending);
      await this.#watchdog.until(forker.line());
      forkers.push(forker);
    }
    // The reader in Deno and the one in Bun that see every frame.
    const parents = readers.slice(0, RUNTIMES.length);
    if (this.#options.eachStep) {
      await this.#watchdog.until(Promise.all([
        ...forkers.map((forker) => this.#order(forker, "each", eachStep().length)),
        ...parents.map((parent) => this.#order(parent, "each", Math.ceil(eachThreadStep().length / 2), "worker")),
      ]));
      for (const step of ENDING_STEPS) await this.#watchdog.until(this.#host(this.#random.pick(RUNTIMES), step));
    }
    while (!this.#isOver) await this.#watchdog.until(this.#round(forkers, parents, [...producers, ...readers]));
    this.#ending = true;
    await this.#watchdog.until(this.#settle(producers, readers, forkers));
  }

  /**
   * Forked and started victims and workers at once; then, alone, one that stands still; then, now and then, one that is
   * stopped.
   */
  async #round(forkers: ModuleChild[], parents: ModuleChild[], survivors: ModuleChild[]): Promise<void> {
    const cycle = this.#cycle++;
    let busy = true;
    const crowds = Promise.all([
      ...forkers.map((forker) => this.#order(forker, "crowd", ROUNDS)),
      ...parents.map((parent) => this.#order(parent, "crowd", THREAD_ROUNDS, "worker")),
    ]);
    const started = (async () => {
      do await this.#victim(this.#random.pick(RUNTIMES)); while (busy);
    })();
    await crowds;
    busy = false;
    await started;
    await this.#order(forkers[cycle % forkers.length], "freeze", FREEZES);
    await this.#order(parents[cycle % parents.length], "freeze", 1, "worker");
    await this.#host(RUNTIMES[cycle % RUNTIMES.length], this.#random.pick([...ENDING_STEPS, undefined]));
    if (cycle % 3 < 2) await this.#hold(cycle % 3 === 0 ? "reader" : "producer", RUNTIMES[cycle % 2]);
    if (cycle % 3 === 2) await stopAtRandom(this.#random, this.ledger, this.#random.pick(survivors));
    const { head } = this.#observer.progress();
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const recovery = this.ledger.recoveries().length;
    this.#options.tell?.(
      `${this.#options.whenFull}, ${this.#options.maxSize} slots: ${this.ledger.kills} kills, ${head} sequences, ${recovery} recoveries timed, ` +
        `${seconds} s`,
    );
  }

  async #order(
    child: ModuleChild,
    orders: Order["kind"],
    rounds: number,
    kind: Entry["kind"] = "forked",
  ): Promise<void> {
    const order: Order = { kind: orders, rounds, firstLife: this.#lives, seed: this.#random.seed() };
    this.#lives += rounds * LIVES_A_ROUND;
    child.send(order);
    const { deaths } = await child.line<Answer>();
    for (const death of deaths) this.ledger.deaths.push({ ...death, runtime: child.runtime, kind });
  }

  /** A process that is killed while one of its workers ends; the others die with it. */
  async #host(runtime: Runtime, step: string | undefined): Promise<void> {
    const plans = hostPlansOf(this.#random, this.#lives, runtime);
    this.#lives += plans.length;
    const end = step === undefined ? undefined : { step, count: 1 };
    const afterMs = this.#random.unit() * HOST_MS;
    const task: HostTask = { name: this.#depot.name, board: this.#board.path, plans, afterMs, end };
    const child = this.#start(runtime, "./host.ts", task, { traced: true });
    await child.next(); // it ends
    if (step === undefined) await sleep(this.#random.unit() * ENDING_MS);
    else await Promise.race([child.next(), sleep(VICTIM_MS)]);
    await child.kill();
    const { signal, code } = await child.ending;
    if (signal !== "SIGKILL") this.ledger.wrong.push(`${child} ended with code ${code}, ${signal}: ${child.errors}`);
    for (const [index, { life, role }] of plans.entries()) {
      const isAtStep = index === 0 && step !== undefined && this.#board.read(life, NOTE.state) === STATE.killed;
      const at = isAtStep ? step : "any moment";
      this.ledger.deaths.push({ life, role, at, signal: 9, way: "with its process", runtime, kind: "worker" });
    }
  }

  /** A victim with a process of its own from the start. */
  async #victim(runtime: Runtime): Promise<void> {
    const plan = planOf(this.#random, this.#lives++, STARTED_STEPS, ["producer", "reader", "lookup"]);
    const task: VictimTask = { name: this.#depot.name, board: this.#board.path, plan, holds: false };
    const early = this.#random.percent(15);
    const delay = early ? this.#random.integer(0, 300) : 0;
    const child = this.#start(runtime, "./victim.ts", task, { traced: true });
    if (early) await sleep(delay);
    else if (await child.next() !== undefined) {
      const { end } = plan;
      if (typeof end === "object" && "afterMs" in end) await sleep(end.afterMs);
      else await Promise.race([child.next(), sleep(VICTIM_MS)]);
    }
    await child.kill();
    const { signal, code } = await child.ending;
    if (signal !== "SIGKILL") this.ledger.wrong.push(`${child} ended with code ${code}, ${signal}: ${child.errors}`);
    const state = this.#board.read(plan.life, NOTE.state);
    const at = state === STATE.died && typeof plan.end === "object" && "step" in plan.end
      ? plan.end.step
      : state === STATE.ended
      ? "work done"
      : state === STATE.unborn
      ? "start"
      : "any moment";
    this.ledger.deaths.push({ life: plan.life, role: plan.role, at, signal: 9, runtime, kind: "started" });
  }

  async #hold(role: "producer" | "reader", runtime: Runtime): Promise<void> {
    const plan = holderPlan(this.#random, this.#lives++, role);
    const task: VictimTask = { name: this.#depot.name, board: this.#board.path, plan, holds: true };
    const child = this.#start(runtime, "./victim.ts", task, { traced: true });
    await stopHolder(this.#depot, this.#observer, this.ledger, child, role);
    this.ledger.deaths.push({ life: plan.life, role, at: "work done", signal: 9, runtime, kind: "started" });
  }

  /** All processes end; their reports are compared, and what they leave behind is looked at. */
  async #settle(producers: ModuleChild[], readers: ModuleChild[], forkers: ModuleChild[]): Promise<void> {
    for (const forker of forkers) await forker.kill();
    for (const producer of producers) producer.hangUp();
    for (const producer of producers) await producer.line();
    const frame = new Uint8Array(this.#depot.frameBytes);
    const frameNumber = numberOf(END_LIFE, 0);
    fill(frame, frameNumber);
    const last = { frame, frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
    while (this.#depot.tryEnqueue(last) === undefined) await sleep(5);
    const reports: ReaderReport[] = [];
    for (const reader of readers) {
      reports.push(await reader.line());
      reader.hangUp();
    }
    const lossy = reports.pop()!;
    this.ledger.wrong.push(...lossy.wrong.map((what) => `lossy reader: ${what}`));
    this.ledger.settle(this.#board, this.#options.whenFull, this.#lives, reports);
    for (const child of [...producers, ...readers]) {
      const { code } = await child.ending;
      if (code !== 0) this.ledger.wrong.push(`${child} ended with code ${code}: ${child.errors}`);
    }
    const { stored } = this.#depot.stats(); // and gives back what the dead held
    if (stored < this.ledger.stored) {
      this.ledger.wrong.push(`the segment counts ${stored} frames where ${this.ledger.stored} were acknowledged`);
    }
    this.ledger.wrong.push(...this.#observer.remains(1).map((what) => `left behind: ${what}`));
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.#watchdog.rest();
    await Promise.all(this.#children.map((child) => child.kill()));
    this.#observer.close();
  }
}

/** Runs until it is over. Whatever happens, its processes end and its files are removed. */
export async function chaosRun(options: RunOptions): Promise<Ledger> {
  const name = `chaos-${process.pid}-${runs++}`;
  const board = Board.make(name);
  try {
    await using depot = await FramesDepot.create(name, {
      frameSize: FRAME_SIZE,
      maxSize: options.maxSize,
      metadataBytes: METADATA_BYTES,
      whenFull: options.whenFull,
    });
    const run = new Run(options, depot, board);
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
