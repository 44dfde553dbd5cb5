/**
 * Waiting for the garbage collector.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { collect } from "../../tools/support/runtimes.ts";

/** Collects until `done`, or for two seconds: leases are watched once they are 100 ms old. @returns whether it is */
export async function collectUntil(done: () => boolean): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (done()) return true;
    collect();
    await sleep(20);
  }
  return false;
}
