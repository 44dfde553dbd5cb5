/**
 * Looking at depots without disturbing them. A look is a short visit: a depot that is held open counts as live, so its
 * name could not be taken over for as long as somebody watches.
 *
 * @module
 */
import { DepotError, type DepotInfo, type DepotStats, FramesDepot } from "../mod.ts";

/** What a depot counted at one moment. The visitor itself is not among the peers. */
export type Visit = {
  /** When, in milliseconds; only differences count. */
  atMs: number;
  stats: DepotStats;
  /** Bytes of metadata beside each frame at most. */
  metadataBytes: number;
};

/** Per second, between two visits. */
export type Rates = { frames: number; bytes: number; dropped: number };

/** A depot as it is listed, with what could be counted. */
export type Sight = {
  info: DepotInfo;
  /** Undefined for what is stale, broken or could not be opened. */
  visit?: Visit;
  /** Undefined until it has been visited twice. */
  rates?: Rates;
  /** Why there is no visit, where `info` does not say it. */
  problem?: string;
};

/** Opens a live depot, reads its counters and leaves. @throws {DepotError} */
export async function visit(name: string): Promise<Visit> {
  const depot = await FramesDepot.open(name);
  try {
    const stats = depot.stats();
    stats.peers = stats.peers.filter(({ self }) => !self);
    return { atMs: performance.now(), stats, metadataBytes: depot.metadataBytes };
  } finally {
    await depot.close();
  }
}

/** What was stored and refused between two visits, per second. */
export function ratesBetween(before: Visit, after: Visit, frameBytes: number): Rates {
  const seconds = (after.atMs - before.atMs) / 1000;
  const perSecond = (count: number) => seconds > 0 ? Math.max(0, count) / seconds : 0;
  const frames = perSecond(after.stats.stored - before.stats.stored);
  return { frames, bytes: frames * frameBytes, dropped: perSecond(after.stats.dropped - before.stats.dropped) };
}

/** Every depot, those that live visited. `before` gives the rates. */
export async function lookAround(before: readonly Sight[] = []): Promise<Sight[]> {
  return await Promise.all(FramesDepot.list().map((info) => lookAt(info, before)));
}

async function lookAt(info: DepotInfo, before: readonly Sight[]): Promise<Sight> {
  if (!info.usable || info.stale) return { info };
  try {
    const now = await visit(info.name);
    const then = before.find(({ info: { name } }) => name === info.name)?.visit;
    // Fewer frames than before: it is another depot of the same name.
    const same = then !== undefined && then.stats.stored <= now.stats.stored;
    return { info, visit: now, rates: same ? ratesBetween(then, now, info.frameBytes!) : undefined };
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    return { info, problem: error.message };
  }
}

/** One word for what a depot is: `live`, `stale` (its processes are dead) or `broken` (cannot be opened). */
export function stateOf({ usable, stale }: DepotInfo): "live" | "stale" | "broken" {
  return !usable ? "broken" : stale ? "stale" : "live";
}
