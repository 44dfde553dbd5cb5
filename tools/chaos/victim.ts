/**
 * A victim with everything that a user's process has: the public interface, its promises, the runtime's threads. Killed
 * from outside at any moment, or by itself at a step; stopped and continued, too.
 *
 * @module
 */
import process from "node:process";
import { say, taskOf } from "../support/parent.ts";
import { Board, NOTE, STATE } from "./board.ts";
import type { Plan } from "./plan.ts";
import { endAt, goOn } from "./steps.ts";
import { Work } from "./work.ts";

/** What it is told. A holder holds a lease or a claim until it hears a line, then goes on for a while. */
export type VictimTask = { name: string; board: string; plan: Plan; holds: boolean };

const task = taskOf<VictimTask>();
const { life, end, leaves } = task.plan;
const board = new Board(task.board);

if (typeof end === "object" && "step" in end) {
  endAt(end, false, { file: board.path, at: Board.at(life, NOTE.state), value: STATE.died }, () => {
    board.write(life, NOTE.state, STATE.died);
    process.kill(process.pid, "SIGKILL");
    for (;;);
  });
}

/** Until the other side says so; meanwhile this process is stopped and continued. */
async function hold(): Promise<void> {
  const heard = new Promise<void>((resolve) => process.stdin.once("data", () => resolve()));
  say({ holding: true });
  await heard;
  process.stdin.destroy();
}

const manner = {
  who: task.plan.role,
  ready: () => say({ ready: true }),
  holds: task.holds ? hold : undefined,
  rests: false,
};
const depot = await new Work(task.name, board, task.plan, manner).run();
if (!leaves) goOn();
if (leaves) await depot?.close();
board.write(life, NOTE.state, STATE.ended);
say({ done: true });
await new Promise((resolve) => setTimeout(resolve, 60_000)); // to be killed
