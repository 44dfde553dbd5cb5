/**
 * The peers of a depot: their processes and roles, how far behind each reader is, and which one blocks the queue.
 *
 * @module
 */
import type { DepotInfo, DepotStats, PeerStats, ReaderStats } from "../mod.ts";
import { groupName } from "./group_line.ts";
import { commandOf } from "./processes.ts";
import { isFull } from "./sight.ts";
import { paintOutput } from "./terminal/output.ts";
import { table } from "./terminal/table.ts";
import { count, duration } from "./terminal/units.ts";

/** A role of a peer: producer, one of its readers, or idle. */
type Part = { peer: PeerStats; role: string; reader?: ReaderStats; first: boolean };

function partsOf(peer: PeerStats): Part[] {
  const produces = peer.stored > 0 || peer.dropped > 0;
  const parts: Omit<Part, "first">[] = [
    ...(produces ? [{ peer, role: "producer" }] : []),
    ...peer.readers.map((reader) => ({ peer, role: roleOf(reader), reader })),
  ];
  if (parts.length === 0) parts.push({ peer, role: "idle" });
  return parts.map((part, index) => ({ ...part, first: index === 0 }));
}

function roleOf({ mode, group }: ReaderStats): string {
  return group === undefined ? mode : `${mode} of ${groupName(group)}`;
}

/** A word beside the numbers of a role. */
function noteOn(part: Part, stats: DepotStats, { whenFull }: DepotInfo): string {
  if (!part.peer.alive) return "dead";
  return whenFull !== "overwrite" && blocks(part, stats) ? "blocks" : "";
}

/** Whether producers wait for this reader, or drop because of it. */
export function blocks(
  { reader, peer }: { reader?: ReaderStats; peer: PeerStats },
  { slowest, length, maxSize }: DepotStats,
): boolean {
  return reader?.gating === true && length === maxSize && slowest?.pid === peer.pid && reader.lag >= slowest.lag;
}

/** The command line of a peer; where its pid is another's here, nothing that would lead to the wrong process. */
function commandText({ pid, alive, here }: PeerStats): string {
  if (!alive) return "";
  return here === false ? "(in another pid namespace, or a fork)" : commandOf(pid) ?? "";
}

/** Draws the peers, and a sentence about a full queue. */
export function peersTable(stats: DepotStats, info: DepotInfo): string {
  const paint = paintOutput();
  const parts = stats.peers.flatMap(partsOf);
  const nowMs = Date.now();
  const ofPeer = (text: (peer: PeerStats) => string) => ({ peer, first }: Part) => first ? text(peer) : "";
  const ofReader = (text: (reader: ReaderStats) => string) => ({ reader }: Part) => reader ? text(reader) : "";
  const ofProducer = (text: (peer: PeerStats) => string) => ({ peer, role }: Part) =>
    role === "producer" ? text(peer) : "";
  const drawn = table(parts, [
    { title: "PID", text: ofPeer(({ pid }) => String(pid)), align: "right" },
    { title: "RUNTIME", text: ofPeer(({ runtime }) => runtime), spare: 1 },
    {
      title: "SINCE",
      text: ofPeer(({ joinedMs }) => duration(Math.max(0, nowMs - joinedMs))),
      align: "right",
      spare: 2,
    },
    { title: "ROLE", text: ({ role }) => role },
    { title: "STORED", text: ofProducer(({ stored }) => count(stored)), align: "right" },
    { title: "DROPPED", text: ofProducer(({ dropped }) => count(dropped)), align: "right" },
    { title: "READ", text: ofReader(({ read }) => count(read)), align: "right" },
    { title: "LOST", text: ofReader(({ lost }) => count(lost)), align: "right" },
    { title: "LAG", text: ofReader(({ lag }) => count(lag)), align: "right" },
    ...parts.some((part) => noteOn(part, stats, info) !== "")
      ? [{ title: "", text: (part: Part) => noteOn(part, stats, info), style: paint.red }]
      : [],
    // The pid of a dead process may belong to another one by now.
    ...info.stale ? [] : [
      { title: "COMMAND", text: ofPeer((peer) => commandText(peer)), spare: 3, least: 20 },
    ],
  ]);
  return `\n${drawn}${holdUp(stats, info)}`;
}

/** The process of the slowest reader. Its pid may be another's here. */
function blocker({ slowest, peers }: DepotStats): string {
  const pid = slowest!.pid;
  const isElsewhere = peers.some((peer) => peer.alive && peer.pid === pid && peer.here === false);
  return isElsewhere ? `pid ${pid} of another pid namespace, or a fork,` : `pid ${pid}`;
}

function holdUp(stats: DepotStats, info: DepotInfo): string {
  if (!isFull(stats, info)) return "";
  const { slowest } = stats;
  const { red, yellow } = paintOutput();
  if (slowest !== undefined) return `\n${red("full:")} ${blocker(stats)} holds the queue up, ${slowest.lag} behind\n`;
  const missing = info.whenFull === "wait" ? "no lossless reader" : "no reader";
  return `\n${yellow("full:")} ${missing} is attached, so the frames wait for one\n`;
}
