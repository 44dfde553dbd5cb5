/**
 * Looks at depots without joining them: their counters, and how fast these grow.
 *
 * @module
 */
import { type DepotInfo, type DepotInspection, type DepotStats, FramesDepot } from "../mod.ts";

/** Per second, between two looks. Bytes are not known where lengths vary. */
export type Rates = { frames: number; bytes: number | undefined; dropped: number };

/** A depot at one moment. */
export type Sight = {
  info: DepotInspection;
  /** When, in milliseconds; only differences count. */
  atMs: number;
  /** Undefined until a live depot has been seen twice. */
  rates?: Rates;
};

/** Looks at a depot, if there is one. `before` gives the rates. */
export function lookAt(name: string, before?: Sight): Sight | undefined {
  const info = FramesDepot.inspect(name);
  if (info === undefined) return undefined;
  const now: Sight = { info, atMs: performance.now() };
  return before === undefined ? now : { ...now, rates: ratesBetween(before, now) };
}

/** Every depot. `before` gives the rates. */
export function lookAround(before: readonly Sight[] = []): Sight[] {
  return FramesDepot.list().map(({ name }) => lookAt(name, before.find(({ info }) => info.name === name)))
    .filter((sight) => sight !== undefined); // it may have been removed since it was listed
}

function ratesBetween({ info: { stats: then }, atMs }: Sight, { info, atMs: nowMs }: Sight): Rates | undefined {
  const { stats: now, stale, frameBytes, variableLength } = info;
  const seconds = (nowMs - atMs) / 1000;
  if (then === undefined || now === undefined || stale || seconds <= 0) return undefined;
  // Fewer frames than before: it is another depot of the same name.
  if (then.stored > now.stored) return undefined;
  const frames = (now.stored - then.stored) / seconds;
  const bytes = variableLength ? undefined : frames * frameBytes!;
  return { frames, bytes, dropped: Math.max(0, now.dropped - then.dropped) / seconds };
}

/** One word for what a depot is: `live`, `stale` (its processes are dead) or `broken` (cannot be opened). */
export function stateOf({ usable, stale }: DepotInfo): "live" | "stale" | "broken" {
  return !usable ? "broken" : stale ? "stale" : "live";
}

/** Whether frames find no room, because of a reader that is behind or one that is missing. */
export function isFull(
  { length, maxSize, slowest, waitsForReader }: DepotStats,
  { stale, whenFull }: DepotInfo,
): boolean {
  if (stale || whenFull === "overwrite") return false;
  return waitsForReader || slowest !== undefined && length === maxSize;
}

/** Peers that are alive. */
export function livePeers({ stats }: DepotInspection) {
  return stats?.peers.filter(({ alive }) => alive) ?? [];
}
