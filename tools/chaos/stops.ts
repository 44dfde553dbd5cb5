/**
 * Processes that are stopped and continued: a stopped process is alive, keeps what it holds, and is named.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { FramesDepot } from "../../mod.ts";
import type { Child } from "../support/child.ts";
import type { Ledger } from "./ledger.ts";
import type { Observer } from "../support/observer.ts";
import type { Plan } from "./plan.ts";
import type { Random } from "../support/random.ts";

/** Longer than any process sleeps before it looks after the dead. */
const SLICES_MS = 600;
/** When nothing moves for this time, all wait. Long, because the machine may be busy. */
const HALT_MS = 300;
const HALT_LIMIT_MS = 20_000;

async function halted(observer: Observer): Promise<boolean> {
  const started = performance.now();
  let last = observer.progress();
  for (let since = started; performance.now() - since < HALT_MS;) {
    if (performance.now() - started > HALT_LIMIT_MS) return false;
    await sleep(10);
    const now = observer.progress();
    if (now.head !== last.head || now.cursor !== last.cursor) since = performance.now();
    last = now;
  }
  return true;
}

/** The plan of a process that holds what it has until it is told to go on. */
export function holderPlan(random: Random, life: number, role: "producer" | "reader"): Plan {
  const frames = random.integer(20, 60);
  return { life, role, end: "work done", freeze: false, mode: "lossless", frames, leaves: true, seed: random.seed() };
}

/** Stops a process that holds a lease or a claim, looks at what the others do, and continues it. */
export async function stopHolder(
  depot: FramesDepot,
  observer: Observer,
  ledger: Ledger,
  child: Child,
  role: "producer" | "reader",
): Promise<void> {
  const accuse = (what: string) => ledger.wrong.push(`stopped ${role} ${child}: ${what}`);
  await child.line(); // ready
  await child.line(); // holding
  child.signal("SIGSTOP");
  const waits = depot.whenFull !== "overwrite";
  if (waits && !await halted(observer)) accuse("the others have not come to a halt");
  const before = observer.progress();
  await sleep(SLICES_MS);
  const { peers, slowest } = depot.stats();
  if (!peers.some(({ pid, alive }) => pid === child.pid && alive)) accuse("it is not among the living peers");
  if (waits && role === "reader" && slowest?.pid !== child.pid) accuse(`process ${slowest?.pid} is named as slowest`);
  const after = observer.progress();
  // A stopped reader holds up all others at its frame; a stopped producer holds up the readers.
  if (waits && after.cursor !== before.cursor) {
    accuse(`the slowest cursor went from ${before.cursor} to ${after.cursor} meanwhile`);
  }
  if (!waits && after.head === before.head) accuse("producers of an overwriting depot have come to a halt");
  if (!waits && role === "producer" && after.cursor === before.cursor) {
    accuse("readers of an overwriting depot have come to a halt");
  }
  child.signal("SIGCONT");
  child.send({ go: true });
  await child.line(); // done
  await child.kill();
  ledger.stops++;
}

/** Stops a process in the middle of its work. */
export async function stopAtRandom(random: Random, ledger: Ledger, child: Child): Promise<void> {
  child.signal("SIGSTOP");
  await sleep(random.integer(20, 500));
  child.signal("SIGCONT");
  ledger.stops++;
}
