/**
 * A victim that is a worker of a process which lives on. It ends by itself where its plan says so, or in the way of its
 * plan when it is told to, or it is terminated.
 *
 * @module
 */
import { existsSync, readlinkSync } from "node:fs";
import process from "node:process";
import { trace } from "../../ring/trace.ts";
import { type Scope, workerScope } from "../support/worker.ts";
import { Board, NOTE, STATE } from "./board.ts";
import { type ThreadPlan, type Way, whoIs } from "./plan.ts";
import { Work } from "./work.ts";

/** What it is told first. */
export type ThreadTask = { name: string; board: string; plan: ThreadPlan };
/** And later: to end in the way of its plan. */
export type ThreadOrder = ThreadTask | "end";
/** What it says: its number as the system has it; what it has come to. */
export type ThreadNews = { thread: number } | "ready" | "holding" | "done";

const scope: Omit<Scope, "postMessage"> & { postMessage(news: ThreadNews): void } = workerScope();
const SELF = "/proc/thread-self";

let task: ThreadTask;
/** After process.exit() a worker of Deno goes on for a moment, and finds its depots closed. */
let isExiting = false;
let fails = 0;

/** Ends this thread, or has it wait for its end; where `now`, nothing more of the caller is done. */
function end(way: Way, now: boolean): void {
  if (way === "reject" || way === "throw") new Board(task.board, false).write(task.plan.life, NOTE.fails, ++fails);
  if (way === "exit") {
    isExiting = true;
    process.exit(3);
  } else if (way === "close") scope.close();
  else if (way === "reject") Promise.reject(new Error("on purpose"));
  else if (way === "throw") {
    setTimeout(() => {
      throw new Error("on purpose");
    }, 0);
  }
  while (now);
}

async function live(): Promise<void> {
  const { name, plan } = task;
  const { life, end: when, way, freeze, leaves } = plan;
  const board = new Board(task.board, false);
  if (typeof when === "object" && "step" in when) {
    let left = when.count;
    trace.at = (step) => {
      if (step !== when.step || --left !== 0) return;
      board.write(life, NOTE.state, STATE.died);
      end(way, true);
    };
  }
  if (typeof when === "object" && "afterMs" in when && way !== "terminate") {
    setTimeout(() => end(way, false), when.afterMs);
  }
  const holds = () => {
    board.write(life, NOTE.state, STATE.frozen);
    scope.postMessage("holding");
    return new Promise<void>(() => {});
  };
  const manner = {
    who: whoIs(plan),
    ready: () => scope.postMessage("ready"),
    holds: freeze ? holds : undefined,
    rests: true,
    isOver: () => isExiting,
  };
  const depot = await new Work(name, board, plan, manner).run();
  if (leaves) await depot?.close();
  trace.at = undefined;
  board.write(life, NOTE.state, STATE.ended);
  scope.postMessage("done");
}

scope.onmessage = ({ data }: { data: ThreadOrder }) => {
  if (data === "end") return end(task.plan.way, false);
  task = data;
  void live();
};
scope.postMessage({ thread: existsSync(SELF) ? Number(readlinkSync(SELF).split("/").at(-1)) : 0 });
