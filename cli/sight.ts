/**
 * Looks at depots without joining them: their counters, and how fast these grow.
 *
 * @module
 */
import { DepotError, type DepotInfo, type DepotInspection, type DepotStats, FramesDepot } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";

/** Per second, between two looks. Bytes are not known where lengths vary. */
export type Rates = { frames: number; bytes: number | undefined; dropped: number };

/** A depot at one moment. */
export type Sight = {
  info: DepotInspection;
  /** When, in milliseconds; only differences count. */
  atMs: number;
  /** Undefined until a live depot has been seen twice. */
  rates?: Rates;
  /** Since when there is no depot of that name any more, in milliseconds; `info` is then its shape alone. */
  goneMs?: number;
  /** The depot of that name that this one has followed, and when that was seen. */
  after?: { info: DepotInspection; atMs: number };
};

/** How long `top` shows that a depot has gone, or was replaced by another. Milliseconds. */
const REMEMBERED_MS = 10_000;

/** Looks at a depot, if there is one. `before` gives the rates. */
export function lookAt(name: string, before?: Sight): Sight | undefined {
  const info = FramesDepot.inspect(name);
  if (info === undefined) return undefined;
  const now: Sight = { info, atMs: performance.now() };
  if (before === undefined) return now;
  const isAnother = info.id !== before.info.id;
  const after = isAnother ? { info: before.info, atMs: now.atMs } : before.after;
  const isRemembered = after !== undefined && now.atMs - after.atMs < REMEMBERED_MS;
  return { ...now, rates: ratesBetween(before, now), ...isRemembered && { after } };
}

/** Why a name shows nothing: PERMISSION where it is a depot that this user may not look at. */
export async function whyMissing(name: string): Promise<Failure | DepotError> {
  try {
    await using _ = await FramesDepot.open(name); // which it can be only if it came just now
  } catch (error) {
    if (error instanceof DepotError && error.code === "PERMISSION") return error;
  }
  return new Failure(`there is no depot "${name}"; \`frames-depot ls\` shows what is there`, EXIT.notFound);
}

/** Throws {@linkcode whyMissing}. */
export async function refuseMissing(name: string): Promise<never> {
  throw await whyMissing(name);
}

/** Every depot. `before` gives the rates. */
export function lookAround(before: readonly Sight[] = []): Sight[] {
  return FramesDepot.list().map(({ name }) => lookAt(name, before.find(({ info }) => info.name === name)))
    .filter((sight) => sight !== undefined); // it may have been removed since it was listed
}

/** Every depot, and for a while those that have gone, in the order of their names. */
export function lookAgain(before: readonly Sight[]): Sight[] {
  const there = lookAround(before);
  const nowMs = performance.now();
  const gone = before.filter(({ info }) => !there.some((sight) => sight.info.name === info.name))
    .map((sight): Sight => ({ info: shapeOf(sight.info), atMs: sight.atMs, goneMs: sight.goneMs ?? nowMs }))
    .filter(({ goneMs }) => nowMs - goneMs! < REMEMBERED_MS);
  return [...there, ...gone].sort((one, other) => one.info.name < other.info.name ? -1 : 1);
}

/** What is still true of a depot that has gone. */
function shapeOf({ name, id, frameSize, elementType, pixelFormat, usable }: DepotInspection): DepotInspection {
  return { name, id, frameSize, elementType, pixelFormat, usable, stale: false, reason: "", bytes: 0 };
}

function ratesBetween(before: Sight, { info, atMs: nowMs }: Sight): Rates | undefined {
  const { stats: now, stale, frameBytes, variableLength } = info;
  const seconds = (nowMs - before.atMs) / 1000;
  if (now === undefined || stale || seconds <= 0) return undefined;
  // Another depot of the same name was made since: all that it has came since.
  const then = before.info.id === info.id ? before.info.stats : { stored: 0, dropped: 0 };
  if (then === undefined) return undefined;
  const frames = Math.max(0, now.stored - then.stored) / seconds;
  const bytes = variableLength ? undefined : frames * frameBytes!;
  return { frames, bytes, dropped: Math.max(0, now.dropped - then.dropped) / seconds };
}

/** One word for what a depot is: `live`, `stale` (its processes are dead) or `broken` (cannot be opened). */
export function stateOf({ usable, stale }: DepotInfo): "live" | "stale" | "broken" {
  return !usable ? "broken" : stale ? "stale" : "live";
}

/** What people see of its state: an `ended` one takes no more frames, a `gone` one was there a moment ago. */
export function conditionOf({ info, goneMs }: Sight): ReturnType<typeof stateOf> | "ended" | "gone" {
  const state = stateOf(info);
  return goneMs !== undefined ? "gone" : state === "live" && info.stats?.ended ? "ended" : state;
}

/** Whether every producer has left a live depot that takes frames: readers wait for the next one. */
export function waitsForProducer({ stats, stale }: DepotInspection): boolean {
  return stats !== undefined && !stale && !stats.ended && stats.producersGone;
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
