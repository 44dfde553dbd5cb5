/**
 * A process that is killed while one of its workers ends: at a step of that end, or at any moment of it.
 *
 * @module
 */
import { say, taskOf } from "../support/parent.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { Thread } from "./nursery.ts";
import type { ThreadPlan } from "./plan.ts";
import { endAt, goOn, type Step } from "./steps.ts";

/** What it is told: it ends the first of its workers then, and dies at a step of that, or when it is killed. */
export type HostTask = { name: string; board: string; plans: ThreadPlan[]; afterMs: number; end: Step | undefined };

const task = taskOf<HostTask>();
const board = new Board(task.board);
const threads = task.plans.map((plan) => new Thread(task.name, board, plan));
const [first] = threads;
await first.start();
await new Promise((resolve) => setTimeout(resolve, task.afterMs));
if (task.end !== undefined) {
  const at = Board.at(first.plan.life, NOTE.state);
  endAt(task.end, false, { file: board.path, at, value: STATE.killed }, () => {});
}
say({ ending: true });
await first.end();
goOn();
say({ ended: true });
await new Promise((resolve) => setTimeout(resolve, 60_000)); // to be killed
