/**
 * A depot as the page gets it: what `ls` and `stat` say in JSON, and what a page wants beside it.
 *
 * @module
 */
import type { DepotInspection, DepotStats, PeerStats, ReaderStats } from "../../mod.ts";
import { asJson } from "../ls.ts";
import { blocks } from "../peers_table.ts";
import { commandOf } from "../processes.ts";
import { isFull, type Sight } from "../sight.ts";
import { statAsJson } from "../stat.ts";
import { whyNoPicture } from "../video/frame_picture.ts";
import { isSelf } from "./presence.ts";

/** A reader that counts as behind: a loop of another process. */
const isLoop = ({ mode }: ReaderStats): boolean => mode !== "lookup";

/** The readers of other processes that are alive, with their processes. */
function readersOf(stats: DepotStats): { peer: PeerStats; reader: ReaderStats }[] {
  return stats.peers.filter((peer) => peer.alive && !isSelf(peer))
    .flatMap((peer) => peer.readers.filter(isLoop).map((reader) => ({ peer, reader })));
}

/** How many frames the slowest reader is behind, whatever its mode. */
export function readersLag(stats: DepotStats | undefined): number {
  return stats === undefined ? 0 : Math.max(0, ...readersOf(stats).map(({ reader }) => reader.lag));
}

/** A depot in a list. */
export function listed(sight: Sight, newest: number | undefined) {
  const { info: { stats, ...info } } = sight;
  return {
    ...asJson(sight),
    full: stats !== undefined && isFull(stats, info),
    picture: whyNone(info),
    lag: readersLag(stats),
    newest,
    slow: stats === undefined || info.stale ? [] : slowOf(stats, info),
  };
}

/** Why there are no pictures of it; undefined where there are. */
function whyNone({ usable, stale, reason, pixelFormat, elementType, frameSize, name, color }: DepotInspection) {
  if (!usable || stale) return reason;
  if (pixelFormat === undefined || elementType === undefined || frameSize === undefined) return undefined;
  return whyNoPicture({ name, pixelFormat, elementType, frameSize, color: color ?? {} });
}

/** The maximum of slow readers that a list names. */
const SLOW = 4;

/** Readers that are behind, the slowest first. A reader that has a frame in hand is one behind. */
function slowOf(stats: DepotStats, { whenFull }: DepotInspection) {
  return readersOf(stats).filter(({ reader }) => reader.lag > 1)
    .sort((one, other) => other.reader.lag - one.reader.lag).slice(0, SLOW)
    .map(({ peer, reader }) => ({
      pid: peer.pid,
      runtime: peer.runtime,
      mode: reader.mode,
      group: reader.group,
      lag: reader.lag,
      blocks: whenFull !== "overwrite" && blocks({ peer, reader }, stats),
      command: commandText(peer),
    }));
}

/** Its pid may be another process's here. */
const commandText = ({ pid, alive, here }: PeerStats) => alive && here !== false ? commandOf(pid) : undefined;

/** A depot in full. */
export function inFull(sight: Sight, lags: readonly number[], range: [first: number, last: number] | undefined) {
  const { info: { stats, whenFull } } = sight;
  return {
    ...statAsJson(sight),
    peers: stats?.peers.map((peer) => ({
      ...peer,
      command: commandText(peer),
      serves: isSelf(peer) || undefined,
      readers: peer.readers.map((reader) => ({
        ...reader,
        blocks: whenFull !== "overwrite" && blocks({ peer, reader }, stats) || undefined,
      })),
    })) ?? [],
    lag: readersLag(stats),
    lags,
    range,
  };
}
