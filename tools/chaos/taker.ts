/**
 * A process that forks victims which take names, end depots and fill them, and kills them, in rounds that it is told to
 * do.
 *
 * @module
 */
import { Board, generationOf, NOTE, STATE } from "./board.ts";
import type { Death } from "./forker.ts";
import { FramesDepot } from "../../mod.ts";
import { bury, crowd, until, warmUp } from "./crowd.ts";
import { fork, kill } from "./libc.ts";
import { orders, say, taskOf } from "../support/parent.ts";
import { Random } from "../support/random.ts";
import { prepareToEnd } from "./steps.ts";
import { liveTaking } from "./taker_lives.ts";
import {
  eachTakingStep,
  heldPlanOf,
  TAKERS_A_ROUND,
  type TakingPlan,
  takingPlanFor,
  takingPlanOf,
  type TakingRole,
} from "./taking_plan.ts";

/** What it is started with. `heirs`: the lives of the readers that go from depot to depot. */
export type TakerTask = { name: string; board: string; heirs: number[] };
/**
 * One order. `each`: for every step a victim that dies there; `crowd`: several victims at once; `held`: a producer
 * stands still with a slot in its hands while the name is taken, and no reader may wait for it.
 */
export type TakerOrder = { kind: "each" | "crowd" | "held"; rounds: number; firstLife: number; seed: number };
/** What it answers. */
export type TakerAnswer = { deaths: Death[]; held: number };

/** Time for a victim to come to its step, and for readers to leave a depot that was replaced. */
const STAND_MS = 2000, LEAVE_MS = 10_000;

class Taker {
  /** Producers that stood still while readers left their depot. */
  held = 0;
  readonly #task: TakerTask;
  readonly #board: Board;

  constructor(task: TakerTask) {
    this.#task = task;
    this.#board = new Board(task.board);
  }

  run({ kind, rounds, firstLife, seed }: TakerOrder): Death[] {
    const random = new Random(seed);
    const deaths: Death[] = [];
    const steps = eachTakingStep();
    for (let round = 0; round < rounds; round++) {
      const life = firstLife + round * TAKERS_A_ROUND;
      if (kind === "held") deaths.push(...this.#hold(random, life));
      else if (kind === "crowd") deaths.push(...this.#crowd(crowdOf(random, life)));
      else {
        const { role, step } = steps[round % steps.length];
        deaths.push(...this.#at(random, life, role, step));
      }
    }
    return deaths;
  }

  /**
   * A victim for a step. A replacer may not come to it, as the name is free at that moment, or it is slow beside
   * others: then there is another one.
   */
  #at(random: Random, firstLife: number, role: TakingRole, step: string): Death[] {
    const deaths: Death[] = [];
    const most = role === "replacer" && step.startsWith("T") ? TAKERS_A_ROUND : 1;
    for (let tries = 0; tries < most && deaths.at(-1)?.at !== step; tries++) {
      deaths.push(...this.#crowd([takingPlanFor(random, firstLife + tries, role, step)]));
    }
    return deaths;
  }

  #bear(plan: TakingPlan): number {
    return fork(() => liveTaking(this.#task.name, this.#board, plan));
  }

  #crowd(plans: TakingPlan[]): Death[] {
    return crowd(plans, (plan) => this.#bear(plan), (plan, signal) => this.#death(plan, signal));
  }

  #death({ life, role, end }: TakingPlan, signal: number): Death {
    const state = this.#board.read(life, NOTE.state);
    const planned = typeof end === "object" && "step" in end ? end.step : undefined;
    const when = state === STATE.ended ? "work done" : state === STATE.unborn ? "birth" : "any moment";
    const at = (state === STATE.died || state === STATE.frozen) && planned !== undefined ? planned : when;
    return { life, role, at, signal };
  }

  /** A stopped producer holds no reader of a depot up that has lost its name. */
  #hold(random: Random, life: number): Death[] {
    const held = heldPlanOf(random, life);
    const replacer: TakingPlan = { ...takingPlanFor(random, life + 1, "replacer", "T2"), end: "work done", frames: 1 };
    const pid = this.#bear(held);
    const areIn = (depot: number) => this.#task.heirs.map((heir) => this.#board.read(heir, NOTE.generation) === depot);
    const isHeld = until(() => this.#board.read(life, NOTE.state) === STATE.frozen, STAND_MS);
    const depot = this.#board.read(life, NOTE.generation);
    const haveCome = isHeld && until(() => areIn(depot).every((isIn) => isIn), STAND_MS);
    const deaths = this.#crowd([{ ...replacer, leaves: false }]);
    const next = FramesDepot.inspect(this.#task.name)?.id;
    if (haveCome && next !== undefined && generationOf(next) !== depot) {
      if (until(() => !areIn(depot).some((isIn) => isIn), LEAVE_MS)) this.held++;
      else {this.#board.accuse(
          `life ${life}: readers wait for a producer that stands still at ${JSON.stringify(held.end)}`,
        );}
    }
    kill(pid);
    return [...deaths, this.#death(held, bury(pid))];
  }
}

function crowdOf(random: Random, firstLife: number): TakingPlan[] {
  const count = random.integer(1, TAKERS_A_ROUND);
  return Array.from({ length: count }, (_, at) => takingPlanOf(random, firstLife + at));
}

prepareToEnd();
warmUp();
const taker = new Taker(taskOf());
say({ ready: true });
for await (const order of orders<TakerOrder>()) {
  const answer: TakerAnswer = { deaths: taker.run(order), held: taker.held };
  say(answer);
}
