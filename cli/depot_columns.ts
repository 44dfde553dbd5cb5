/**
 * The columns that `ls` and `top` have in common.
 *
 * @module
 */
import process from "node:process";
import type { DepotInfo, DepotStats } from "../mod.ts";
import { paintOutput } from "./terminal/output.ts";
import type { Column } from "./terminal/table.ts";
import { bytes, gigabytesPerSecond, rate, size } from "./terminal/units.ts";
import { conditionOf, isFull, livePeers, type Sight, stateOf, waitsForProducer } from "./sight.ts";

/** A depot in a row. Without a terminal nothing is left out. */
export function depotColumns(): Column<Sight>[] {
  const paint = paintOutput();
  const colours = { live: paint.green, ended: paint.blue, stale: paint.yellow, broken: paint.red, gone: paint.dim };
  return [
    { title: "NAME", text: ({ info }) => info.name, least: 24, style: paint.bold },
    {
      title: "STATE",
      text: conditionOf,
      style: (text, sight) => colours[conditionOf(sight)](text),
    },
    { title: "FRAME", text: ({ info }) => size(info.frameSize) },
    { title: "FORMAT", text: ({ info }) => info.pixelFormat || (info.elementType ?? ""), spare: 1 },
    {
      title: "QUEUE",
      text: ({ info }) => info.maxSize === undefined ? "" : `${info.length}/${info.maxSize}`,
      align: "right",
      style: (text, { info }) => info.stats !== undefined && isFull(info.stats, info) ? paint.yellow(text) : text,
    },
    { title: "FPS", text: ({ rates }) => rates === undefined ? "" : rate(rates.frames), align: "right" },
    {
      title: "GB/S",
      text: ({ rates }) => rates?.bytes === undefined ? "" : gigabytesPerSecond(rates.bytes),
      align: "right",
      spare: 3,
    },
    {
      title: "DROPS/S",
      text: ({ rates }) => rates === undefined ? "" : rate(rates.dropped),
      align: "right",
      spare: 2,
      style: (text, { rates }) => rates !== undefined && rates.dropped > 0 ? paint.red(text) : text,
    },
    {
      title: "PEERS",
      text: ({ info }) => String(info.peers ?? ""),
      align: "right",
    },
    {
      title: "MEMORY",
      text: ({ info, goneMs }) => goneMs === undefined ? bytes(info.bytes) : "",
      align: "right",
      spare: 4,
    },
    {
      title: "SLOWEST (LAG)",
      text: ({ info: { stats, stale } }) =>
        !stale && stats?.slowest ? `${pidText(stats, stats.slowest.pid)} (${stats.slowest.lag})` : "",
      spare: 5,
    },
    { title: "FULL", text: ({ info }) => info.whenFull ?? "", spare: 6 },
    { title: "HELD BY", text: heldBy, spare: 7, least: 20 },
  ];
}

/** A pid, unless it would be another process's here. */
function pidText({ peers }: DepotStats, pid: number): string {
  return peers.some((peer) => peer.alive && peer.pid === pid && peer.here === false) ? "elsewhere" : String(pid);
}

/** Pids by runtime: `deno 71 72, bun 80`. In another pid namespace the number would be another process's here. */
function heldBy({ info }: Sight): string {
  const pids = new Map<string, Set<number | string>>();
  for (const { runtime, pid, here } of livePeers(info)) {
    pids.set(runtime, (pids.get(runtime) ?? new Set()).add(here === false ? "elsewhere" : pid));
  }
  return [...pids].map(([runtime, of]) => [runtime, ...of].join(" ")).join(", ");
}

/** A line for each depot that is stale, broken, another user's or without producers; empty where there is none. */
export function notesOn(sights: Sight[]): string {
  const paint = paintOutput();
  const notes = sights.flatMap(({ info, goneMs }) => {
    if (goneMs !== undefined) return [];
    if (stateOf(info) === "live") {
      return [
        ...isOthers(info) ? [`${paint.bold(info.name)}: of user ${info.owner}\n`] : [],
        ...waitsForProducer(info)
          ? [`${paint.bold(info.name)}: its producers are gone, readers wait for the next one\n`]
          : [],
      ];
    }
    return info.usable ? [`${paint.bold(info.name)}: ${stateOf(info)}, ${info.reason}\n`] : [`${info.reason}\n`];
  });
  const stale = sights.some(({ info }) => info.stale);
  if (stale) notes.push(`${paint.dim("`frames-depot rm --stale` removes what only dead processes held")}\n`);
  return notes.length === 0 ? "" : `\n${notes.join("")}`;
}

/** Whether a depot belongs to another user than this one. */
function isOthers({ owner }: DepotInfo): boolean {
  return owner !== undefined && owner !== process.getuid?.();
}
