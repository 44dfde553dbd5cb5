/**
 * Holders: segments whose names were removed under them, forks that hold the locks of processes that have ended,
 * and holders in other pid namespaces. It names no process of which it is not sure.
 *
 * @module
 */
import type { DepotInspection, PeerStats } from "../../mod.ts";
import { commandOf } from "../processes.ts";
import { livePeers } from "../sight.ts";
import { counted } from "../terminal/units.ts";
import type { Finding } from "./finding.ts";
import type { MappedSegment, Mapper } from "./processes.ts";

/** Times, because the system counts them in hundredths and a peer keeps what it was told. */
const isPeer = ({ innerPid, started }: Mapper, { pid, startTime }: PeerStats) =>
  innerPid === pid && started === startTime;

const namesOf = (mappers: readonly Mapper[]) =>
  mappers.map(({ pid }) => `${pid} (${commandOf(pid) ?? "its command is not known"})`).join(", ");

/** The process of a peer, by its id here; undefined where it is not known for sure. */
export function pidHere(peer: PeerStats, mappers: readonly Mapper[]): number | undefined {
  return peer.here === true ? peer.pid : mappers.find((mapper) => isPeer(mapper, peer))?.pid;
}

/** The processes that have a depot mapped. */
export function mappersOf(name: string, segments: readonly MappedSegment[]): Mapper[] {
  return segments.find((segment) => !segment.removed && segment.name === name)?.mappers ?? [];
}

/** Segments that processes still have, and that no other finds any more. */
export function removedNames(segments: readonly MappedSegment[]): Finding[] {
  return segments.filter(({ removed }) => removed).map(({ name, mappers }): Finding => {
    const check = name === undefined ? "a lost depot" : `depot ${name}`;
    if (name !== undefined && segments.some((other) => !other.removed && other.name === name)) {
      const says = `another depot has its name; process ${namesOf(mappers)} still has the one before open`;
      return { id: "name-taken", check, verdict: "ok", says };
    }
    return {
      id: "name-removed",
      check,
      verdict: "warning",
      says: `its name was removed or taken while process ${namesOf(mappers)} has it open: no other process finds it`,
      remedy:
        "restart these processes. Names are removed by `rm`, by cleaners of /dev/shm, and by systemd when a user " +
        "logs out (RemoveIPC=no in logind.conf, or a system user, prevents it)",
    };
  });
}

/** Peers whose pid is not theirs here. */
export function strangers(info: DepotInspection, mappers: readonly Mapper[]): Finding[] {
  const unknown = livePeers(info).filter((peer) => peer.here === false && pidHere(peer, mappers) === undefined);
  if (unknown.length === 0) return [];
  const check = `depot ${info.name}`;
  const peers = livePeers(info);
  // A fork has the mapping and the lock of its parent, and no entry of its own.
  const forks = mappers.filter((mapper) => mapper.here && !peers.some((peer) => isPeer(mapper, peer)));
  if (forks.length > 0) {
    const pids = unknown.map(({ pid }) => pid).join(", ");
    return [{
      id: "fork-holds",
      check,
      verdict: "warning",
      says: `process ${pids} has ended, and its fork ${namesOf(forks)} holds on to its lock: to all others it lives, ` +
        "and what it held is not given back",
      remedy: `end the fork: \`kill ${
        forks.map(({ pid }) => pid).join(" ")
      }\`; a program that forks should exec at once`,
    }];
  }
  return [{
    id: "other-namespace",
    check,
    verdict: "ok",
    says:
      `${counted(unknown.length, "holder")} in another pid namespace, or out of this user's sight: pids shown for ` +
      "them are not those of processes here",
  }];
}
