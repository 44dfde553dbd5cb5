/**
 * Victims that are workers of this process, which lives on.
 *
 * @module
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { WhenFull } from "../../mod.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { HERE } from "../support/runtimes.ts";
import { type ModuleWorker, startWorker } from "../support/worker.ts";
import type { Death, Order } from "./forker.ts";
import { Observer } from "../support/observer.ts";
import {
  eachThreadStep,
  frozenThreadPlanOf,
  LIVES_A_ROUND,
  type ThreadPlan,
  threadPlanFor,
  threadPlanOf,
  whoIs,
} from "./plan.ts";
import { Random } from "../support/random.ts";
import { type Resources, resourcesOf } from "../support/resources.ts";
import { haltOf, movesPast, PATIENCE_MS, RECOVERY_MS } from "./halt.ts";
import type { ThreadNews, ThreadOrder } from "./thread.ts";

/** A worker that has not begun to run: on a busy machine that takes its time. */
const BIRTH_MS = 30_000;
/** Time for a worker that neither ends nor has done its work. */
const LIFE_MS = 3000;
/** A worker that has been told to end, and has not. */
const END_MS = 10_000;
const TICK_MS = 1;
/** Descriptors that the runtime may open for itself after the first workers. */
const MORE_FILES = 10;

async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > limitMs) return false;
    await sleep(TICK_MS);
  }
  return true;
}

/** One worker, from its birth to the end of its thread. */
export class Thread {
  readonly plan: ThreadPlan;
  readonly #board: Board;
  readonly #worker: ModuleWorker;
  readonly #news: ThreadNews[] = [];
  #errors = 0;

  constructor(name: string, board: Board, plan: ThreadPlan) {
    this.plan = plan;
    this.#board = board;
    this.#worker = startWorker(new URL("./thread.ts", import.meta.url));
    this.#worker.onmessage = ({ data }) => this.#news.push(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      if (++this.#errors > this.#board.read(plan.life, NOTE.fails)) this.accuse(event.message);
    };
    this.#tell({ name, board: board.path, plan });
  }

  #tell(order: ThreadOrder): void {
    this.#worker.postMessage(order);
  }

  /** Notes what must not be. */
  accuse(what: string): void {
    this.#board.accuse(`life ${this.plan.life}, ${whoIs(this.plan)}: ${what}`);
  }

  /** Whether it has said so. */
  has(news: ThreadNews): boolean {
    return this.#news.includes(news);
  }

  get #thread(): number | undefined {
    const birth = this.#news[0];
    return typeof birth === "object" ? birth.thread : undefined;
  }

  get isGone(): boolean {
    return this.#thread !== undefined && !existsSync(`/proc/self/task/${this.#thread}`);
  }

  async #birth(): Promise<void> {
    if (!await until(() => this.#thread !== undefined, BIRTH_MS)) this.accuse("it has not begun to run");
  }

  /** Waits until it is at its work. */
  async start(): Promise<void> {
    await this.#birth();
    await until(() => this.has("ready"), LIFE_MS);
  }

  /** Waits until it must be ended, unless it ends by itself. */
  async live(): Promise<void> {
    const { end, way, life } = this.plan;
    // What a worker has said and its parent has not yet heard is lost when Bun terminates it.
    await this.#birth();
    if (typeof end === "object" && "afterMs" in end && way === "terminate") return await sleep(end.afterMs);
    const isAtStep = () => way === "terminate" && this.#board.read(life, NOTE.state) === STATE.died;
    await until(() => this.isGone || this.has("done") || isAtStep(), LIFE_MS);
  }

  /** Has it end in its way. @returns when the system has its thread no more */
  async end(): Promise<void> {
    this.begin();
    if (!await until(() => this.isGone, END_MS)) this.accuse("its thread has not ended");
  }

  /** Has its end begin. */
  begin(): void {
    if (this.isGone) return;
    if (this.plan.way === "terminate") this.#worker.terminate();
    else this.#tell("end");
  }

  /** The report of its death. */
  death(): Death {
    const { life, role, end, way } = this.plan;
    const state = this.#board.read(life, NOTE.state);
    const step = typeof end === "object" && "step" in end ? end.step : undefined;
    const when = state === STATE.ended ? "work done" : state === STATE.unborn ? "birth" : "any moment";
    const held = role === "producer" ? "C8" : "R4";
    const at = state === STATE.frozen ? held : state === STATE.died && step !== undefined ? step : when;
    return { life, role, at, signal: 9, way };
  }
}

/** All workers of this process. */
export class Nursery {
  readonly #name: string;
  readonly #board: Board;
  readonly #observer: Observer;
  readonly #whenFull: WhenFull;
  readonly #own: number;
  /** After the first round. */
  #first: Resources | undefined;

  /** @param own depots that this process itself has open */
  constructor(name: string, board: string, whenFull: WhenFull, own: number) {
    this.#name = name;
    this.#board = new Board(board);
    this.#observer = new Observer(name);
    this.#whenFull = whenFull;
    this.#own = own;
  }

  /** Does as the forker does. */
  async run({ kind, rounds, firstLife, seed }: Order): Promise<Death[]> {
    const random = new Random(seed);
    const deaths: Death[] = [];
    for (let round = 0; round < rounds; round++) {
      const life = firstLife + round * LIVES_A_ROUND;
      if (kind === "freeze") deaths.push(await this.#freeze(random, life));
      else {deaths.push(
          ...await this.#crowd(kind === "crowd" ? crowdOf(random, life) : eachOf(random, life, 2 * round)),
        );}
    }
    this.#look();
    return deaths;
  }

  /** Its workers are gone: nothing of them may be left. */
  #look(): void {
    const accuse = (what: string) => this.#board.accuse(`a process in ${HERE}, its workers gone: ${what}`);
    const living = this.#observer.livingOf(process.pid);
    if (living !== this.#own) accuse(`${living} peers live where ${this.#own} should`);
    const now = resourcesOf();
    const first = this.#first ??= now;
    if (now.files > first.files + MORE_FILES) accuse(`${now.files} descriptors, ${first.files} after the first ones`);
    if (now.segments > first.segments) accuse(`${now.segments} segments, ${first.segments} after the first ones`);
  }

  async #crowd(plans: ThreadPlan[]): Promise<Death[]> {
    return await Promise.all(plans.map(async (plan) => {
      const thread = new Thread(this.#name, this.#board, plan);
      await thread.live();
      await thread.end();
      return thread.death();
    }));
  }

  /** A worker keeps what it has until all others wait for it, and ends. */
  async #freeze(random: Random, life: number): Promise<Death> {
    const plan = frozenThreadPlanOf(random, life, HERE, this.#whenFull);
    const thread = new Thread(this.#name, this.#board, plan);
    await thread.start();
    await until(() => thread.has("holding"), LIFE_MS);
    const moves = movesPast(plan);
    const halted = await until(haltOf(this.#observer, moves), PATIENCE_MS);
    const before = this.#observer.progress();
    const ended = thread.end().then(() => performance.now());
    const moved = halted && await until(() => moves(before, this.#observer.progress()), END_MS + RECOVERY_MS);
    const movedAt = performance.now();
    const goneAt = await ended;
    if (halted && !moved) thread.accuse("gone, and still waited for");
    return { ...thread.death(), recoveryMs: moved ? Math.max(0, movedAt - goneAt) : undefined };
  }
}

function crowdOf(random: Random, firstLife: number): ThreadPlan[] {
  return Array.from(
    { length: random.integer(1, LIVES_A_ROUND) },
    (_, at) => threadPlanOf(random, firstLife + at, HERE),
  );
}

/** Every other step: the other runtime has the rest. A recoverer gets a producer that dies while it writes. */
function eachOf(random: Random, life: number, place: number): ThreadPlan[] {
  const steps = eachThreadStep();
  const { role, step } = steps[(place + (HERE === "bun" ? 1 : 0)) % steps.length];
  const plan = threadPlanFor(random, life, HERE, role, step);
  return role === "recoverer" ? [threadPlanFor(random, life + 1, HERE, "producer", "C8"), plan] : [plan];
}
