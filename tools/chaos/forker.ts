/**
 * A process that forks victims and kills them, in rounds that it is told to do. It has no depot open itself: a fork
 * would share its locks.
 *
 * @module
 */
import type { WhenFull } from "../../mod.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { bury, crowd, until, warmUp } from "./crowd.ts";
import { fork, kill } from "./libc.ts";
import { live } from "./lives.ts";
import { Observer } from "../support/observer.ts";
import { orders, say, taskOf } from "../support/parent.ts";
import {
  eachStep,
  frozenPlanOf,
  LIVES_A_ROUND,
  type Plan,
  planFor,
  planOf,
  recovererPlanOf,
  type Way,
} from "./plan.ts";
import type { TakingRole } from "./taking_plan.ts";
import { Random } from "../support/random.ts";
import { haltOf, movesPast, PATIENCE_MS, RECOVERY_MS } from "./halt.ts";
import { prepareToEnd } from "./steps.ts";

/** What it is started with. */
type ForkerTask = { name: string; board: string; whenFull: WhenFull };
/**
 * One order. `each`: for every step a victim that dies there; `crowd`: several victims at once; `freeze`: one that
 * others have to wait for, timed, while no other victim dies.
 */
export type Order = { kind: "each" | "crowd" | "freeze"; rounds: number; firstLife: number; seed: number };
/** How a victim ended. */
export type Death = {
  life: number;
  role: Plan["role"] | TakingRole;
  /** The step at which it died, or how else. */
  at: string;
  /** The signal that ended it: 9, unless something is wrong. A thread that ended as it was to counts as killed by 9. */
  signal: number;
  /** How a thread ended; undefined for a process. */
  way?: Way | "with its process";
  /** From the kill until the others moved again; only where they had come to a halt. */
  recoveryMs?: number;
};
/** What it answers. */
export type Answer = { deaths: Death[] };

/** Time for one that has to stand still, to come to its step. */
const FREEZE_MS = 400;

class Forker {
  readonly #task: ForkerTask;
  readonly #board: Board;
  readonly #observer: Observer;

  constructor(task: ForkerTask) {
    this.#task = task;
    this.#board = new Board(task.board);
    this.#observer = new Observer(task.name);
  }

  run({ kind, rounds, firstLife, seed }: Order): Death[] {
    const random = new Random(seed);
    const deaths: Death[] = [];
    for (let round = 0; round < rounds; round++) {
      const life = firstLife + round * LIVES_A_ROUND;
      if (kind === "freeze") deaths.push(...this.#freeze(random, life));
      else deaths.push(...this.#crowd(kind === "crowd" ? crowdOf(random, life) : eachOf(random, life, round)));
    }
    return deaths;
  }

  #bear(plan: Plan): number {
    return fork(() => live(this.#task.name, this.#board, plan));
  }

  #state(life: number): number {
    return this.#board.read(life, NOTE.state);
  }

  /** Waits until the kernel has taken a victim's things. */
  #bury(plan: Plan, pid: number): Death {
    return this.#death(plan, bury(pid));
  }

  #crowd(plans: Plan[]): Death[] {
    return crowd(plans, (plan) => this.#bear(plan), (plan, signal) => this.#death(plan, signal));
  }

  #death({ life, role, end }: Plan, signal: number): Death {
    const state = this.#state(life);
    const planned = typeof end === "object" && "step" in end ? end.step : undefined;
    const stood = state === STATE.died || (state === STATE.frozen && role !== "recoverer");
    const when = state === STATE.ended ? "work done" : state === STATE.unborn ? "birth" : "any moment";
    const at = stood && planned !== undefined ? planned : when;
    return { life, role, at, signal };
  }

  /** A victim stands still until all others wait for it, and dies; sometimes a second one dies while it recovers it. */
  #freeze(random: Random, firstLife: number): Death[] {
    const plan = frozenPlanOf(random, firstLife, this.#task.whenFull);
    const recovererPlan = random.percent(50) ? recovererPlanOf(random, firstLife + 1) : undefined;
    const pid = this.#bear(plan);
    until(() => this.#state(plan.life) === STATE.frozen, FREEZE_MS);
    const moves = movesPast(plan);
    const halted = until(haltOf(this.#observer, moves), PATIENCE_MS);
    const recoverer = recovererPlan === undefined ? undefined : this.#bear(recovererPlan);
    if (recovererPlan !== undefined) until(() => this.#state(recovererPlan.life) === STATE.frozen, FREEZE_MS);
    const before = this.#observer.progress();
    kill(pid);
    const killed = performance.now();
    const moved = halted && until(() => moves(before, this.#observer.progress()), RECOVERY_MS);
    const recoveryMs = moved ? performance.now() - killed : undefined;
    if (halted && !moved) this.#board.accuse(`life ${plan.life}, ${plan.role}: dead, and still waited for`);
    const deaths = [{ ...this.#bury(plan, pid), recoveryMs }];
    if (recovererPlan === undefined || recoverer === undefined) return deaths;
    const { end } = recovererPlan;
    const isDead = () => this.#state(recovererPlan.life) === STATE.died;
    until(isDead, typeof end === "object" && "afterMs" in end ? end.afterMs : 20);
    kill(recoverer);
    return [...deaths, this.#bury(recovererPlan, recoverer)];
  }
}

function crowdOf(random: Random, firstLife: number): Plan[] {
  return Array.from({ length: random.integer(1, LIVES_A_ROUND) }, (_, at) => planOf(random, firstLife + at));
}

/** One victim a step, each with one that dies while it writes, so that there is a dead process to recover. */
function eachOf(random: Random, life: number, round: number): Plan[] {
  const steps = eachStep();
  const { role, step } = steps[round % steps.length];
  return [planFor(random, life, "producer", "C8"), planFor(random, life + 1, role, step)];
}

prepareToEnd();
warmUp();
const forker = new Forker(taskOf());
say({ ready: true });
for await (const order of orders<Order>()) {
  const answer: Answer = { deaths: forker.run(order) };
  say(answer);
}
