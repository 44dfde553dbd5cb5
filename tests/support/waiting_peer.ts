/**
 * A process that waits for frames of many depots, and says what that costs it: threads, and what else goes on.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { FramesDepot, type Waiting } from "../../mod.ts";
import { orders, say, taskOf } from "../../tools/support/parent.ts";

/** What it is told at its start. */
export type WaitingTask = { names: string[]; waiting?: Waiting };

/** What it is told later, a line each. */
export type WaitingOrder = "wait" | "look" | "open files" | "close files" | "close";

/** What it says to `look`: threads in all, those that sleep for words, and that files can be read meanwhile. */
export type WaitingState = { threads: number; asleep: number; read: number };

/** What it says of each frame. */
export type WaitingFrame = { name: string; frameNumber: number; bytes: number[] };

/** `futex_waitv`, the same number on every machine. */
const FUTEX_WAITV = "449";
const TASKS = "/proc/self/task";

const task = taskOf<WaitingTask>();

/** How many threads there are, and how many of them sleep on words; -1 where the system does not say. */
function threads(): { threads: number; asleep: number } {
  if (process.platform !== "linux") return { threads: -1, asleep: -1 };
  try {
    const ids = readdirSync(TASKS);
    const calls = ids.map((id) => {
      try {
        return readFileSync(`${TASKS}/${id}/syscall`, "utf8");
      } catch {
        return ""; // a thread that has ended
      }
    });
    return { threads: ids.length, asleep: calls.filter((call) => call.startsWith(`${FUTEX_WAITV} `)).length };
  } catch {
    return { threads: -1, asleep: -1 };
  }
}

async function look(): Promise<WaitingState> {
  // More at once than a pool has threads to spare.
  const reads = await Promise.all(Array.from({ length: 40 }, () => readFile(import.meta.filename!)));
  return { ...threads(), read: reads.length };
}

const depots = await Promise.all(
  task.names.map((name) => FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 8 })),
);
const files: number[] = [];
let loops: Promise<void>[] = [];

const ORDERS: Record<WaitingOrder, () => unknown> = {
  wait: () => {
    loops = depots.map(async (depot) => {
      for await (const { frameNumber, data } of depot.frames({ waiting: task.waiting })) {
        say({ name: depot.name, frameNumber, bytes: [...data] } satisfies WaitingFrame);
      }
    });
    return { waits: loops.length };
  },
  look,
  "open files": () => {
    try {
      for (;;) files.push(openSync("/dev/null", "r"));
    } catch (error) {
      return { refused: (error as { code?: string }).code };
    }
  },
  "close files": () => {
    for (const file of files.splice(0)) closeSync(file);
    return {};
  },
  close: async () => {
    await Promise.all(depots.map((depot) => depot.close()));
    await Promise.all(loops);
    return { closed: true };
  },
};
say({ made: depots.length });
for await (const order of orders<WaitingOrder>()) {
  say(await ORDERS[order]());
  if (order === "close") break;
}
