/**
 * One depot for one measurement, in this process, removed whatever happens.
 *
 * @module
 */
import process from "node:process";
import { type DepotOptions, FramesDepot } from "../../mod.ts";

let counter = 0;

/** Makes a depot, measures, removes it. */
export async function withDepot<T>(options: DepotOptions, measure: (depot: FramesDepot) => T | Promise<T>): Promise<T> {
  await using depot = await FramesDepot.create(`bench-${process.pid}-${counter++}`, options);
  return await measure(depot);
}

/** The number of tries, or the time after which no more are made: engines compile what is hot more than once. */
const TRIES = 30;
const TRIES_MS = 1000;

/** Nanoseconds a round, of the quickest of several tries: what disturbs a run only ever makes it slower. */
export function nsPerRound(rounds: number, work: (rounds: number) => void): number {
  let best = Infinity;
  work(rounds);
  const end = performance.now() + TRIES_MS;
  for (let index = 0; index < TRIES && performance.now() < end; index++) {
    const started = performance.now();
    work(rounds);
    best = Math.min(best, (performance.now() - started) * 1e6 / rounds);
  }
  return best;
}

/** @throws {Error} when what was moved is not what was sent */
export function assertSame(what: string, is: number | undefined, should: number): void {
  if (is !== should) throw new Error(`${what} is ${is}, not ${should}: the measurement is void`);
}
