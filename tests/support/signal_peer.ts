/**
 * A process with an open depot that waits for a signal.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { startWorker } from "../../tools/support/worker.ts";

/** What it does. */
export type SignalTask = {
  name: string;
  /** Opens the depot, and holds a frame, a slot and a wait. */
  holds?: boolean;
  /** Hears signals itself, each time or once, and ends with 7. */
  listens?: "on" | "once";
  /** Waits for a frame, and catches no error. */
  waits?: boolean;
  /** Has nothing to do. */
  returns?: boolean;
  /** Does not call closeOnSignals. */
  alone?: boolean;
  /** Uses the library, and calls closeOnSignals this much later. */
  afterMs?: number;
  /** Closes its depot and ends with 7 after this time, whatever comes. */
  forMs?: number;
  /** Has the depot in a worker. */
  inWorker?: boolean;
};

const SHAPE = { frameSize: [2, 2, 1], whenFull: "wait" } as const;
const held: unknown[] = [];

async function hold(depot: FramesDepot): Promise<void> {
  const reader = depot.frames();
  held.push(reader, (await reader.next()).value, depot.tryClaim(), depot.frames({ from: "next" }).next());
}

async function main({ name, ...task }: SignalTask): Promise<void> {
  if (task.listens) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process[task.listens](signal, () => setTimeout(() => process.exit(7), 300));
    }
  }
  if (task.afterMs !== undefined) {
    FramesDepot.list();
    await new Promise((resolve) => setTimeout(resolve, task.afterMs));
  }
  if (!task.alone) {
    FramesDepot.closeOnSignals();
    FramesDepot.closeOnSignals();
  }
  if (task.inWorker) {
    const worker = startWorker(new URL("./depot_worker.ts", import.meta.url));
    await new Promise<void>((resolve) => {
      worker.onmessage = ({ data }) => data.answer === "made" && resolve();
      worker.postMessage({ order: { do: "create", name, options: SHAPE } });
    });
  } else {
    const depot = await (task.holds ? FramesDepot.open(name) : FramesDepot.create(name, SHAPE));
    held.push(depot);
    if (task.holds) await hold(depot);
    if (task.returns) await depot.close();
  }
  if (!task.returns) setInterval(() => {}, 1000);
  say({ ready: true });
  if (task.forMs !== undefined) {
    setTimeout(async () => {
      await (held[0] as FramesDepot).close();
      process.exit(7);
    }, task.forMs);
  }
  if (task.waits) await (held[0] as FramesDepot).waitFor(1);
}

await main(taskOf<SignalTask>());
