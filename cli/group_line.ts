/**
 * Groups of readers that share frames, in a line each.
 *
 * @module
 */
import type { DepotInspection, GroupStats } from "../mod.ts";
import { count, counted } from "./terminal/units.ts";

/** A group's name as a terminal may show it: any process may have written it. */
export const groupName = (name: string): string => JSON.stringify(name).replaceAll(/\p{C}/gu, "?");

/** `"detectors": 3 members hold 2 frames, 5 behind; 1 redelivered, 0 dropped, 0 lost; from oldest`. */
export function groupLine({ name, from, members, held, lag, redelivered, dropped, lost }: GroupStats): string {
  const has = members === 1 ? "holds" : "hold";
  const now = members === 0
    ? "no members"
    : `${counted(members, "member")} ${has} ${counted(held, "frame")}, ${count(lag)} behind`;
  const past = `${count(redelivered)} redelivered, ${count(dropped)} dropped, ${count(lost)} lost`;
  return `${groupName(name)}: ${now}; ${past}; from ${from}`;
}

/** A line for each group that has members, with its depot's name. */
export function groupNotes({ name, stale, stats }: DepotInspection): string[] {
  if (stale || stats === undefined) return [];
  return stats.groups.filter(({ members }) => members > 0).map((group) => `${name}: group ${groupLine(group)}`);
}
