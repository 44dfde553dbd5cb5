/**
 * Victims that were forked: born together, killed when their time is up, buried.
 *
 * @module
 */
import { fork, kill, reap, SIGKILL, sleepMs } from "./libc.ts";

/** Time for a victim that neither dies nor ends. */
const LIFE_MS = 3000;
const TICK_MS = 0.2;
/** Forks that do nothing, at the beginning: of Deno's first forks many end at birth, until its heap has settled. */
const [WARM_UPS, MOST_WARM_UPS] = [10, 100];

/** Waits until the kernel has taken a process's things. @returns the signal that ended it */
export function bury(pid: number): number {
  for (;;) {
    const ending = reap(pid);
    if (ending !== undefined) return ending.signal;
    sleepMs(TICK_MS);
  }
}

/** Forks that do nothing, until several in a row have lived to their end. */
export function warmUp(): void {
  let inARow = 0;
  for (let left = MOST_WARM_UPS; left > 0 && inARow < WARM_UPS; left--) {
    inARow = bury(fork(() => {})) === SIGKILL ? inARow + 1 : 0;
  }
}

/** Waits until something is so. @returns false when the time is up */
export function until(condition: () => boolean, limitMs: number): boolean {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > limitMs) return false;
    sleepMs(TICK_MS);
  }
  return true;
}

/**
 * Several victims at once, each until it dies or is killed.
 *
 * @param bear starts one, and returns its process id
 * @param death what is said of one that a signal has ended
 */
export function crowd<P extends { end: unknown }, D>(
  plans: readonly P[],
  bear: (plan: P) => number,
  death: (plan: P, signal: number) => D,
): D[] {
  const living = plans.map((plan) => ({ plan, pid: bear(plan), killed: false }));
  const deaths: D[] = [];
  const started = performance.now();
  while (living.length > 0) {
    const elapsed = performance.now() - started;
    for (const victim of [...living]) {
      if (!victim.killed && elapsed > limitOf(victim.plan.end)) {
        kill(victim.pid);
        victim.killed = true;
      }
      const ending = reap(victim.pid);
      if (ending === undefined) continue;
      living.splice(living.indexOf(victim), 1);
      deaths.push(death(victim.plan, ending.signal));
    }
    sleepMs(TICK_MS);
  }
  return deaths;
}

function limitOf(end: unknown): number {
  return typeof end === "object" && end !== null && "afterMs" in end ? end.afterMs as number : LIFE_MS;
}
