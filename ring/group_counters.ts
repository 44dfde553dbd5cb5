/**
 * What is known of the groups of a segment: the same in every process.
 *
 * @module
 */
import type { Attachment } from "./attachment.ts";
import type { From } from "./from.ts";
import { GROUP, GROUP_OWNER, LAST_SEQUENCE, READER } from "./layout.ts";

/** Loops that share frames. */
export interface GroupStats {
  /** As its members say it. */
  name: string;
  /** Where its first member had it begin. */
  from: From;
  /** Its members in all processes. None: it is no more, and its counters stay until another group takes its place. */
  members: number;
  /** How many sequences its cursor is behind the newest. What its members have in their hands lies before it. */
  lag: number;
  /** Frames that its members have in their hands. */
  held: number;
  /** Frames that were offered again because their member died. */
  redelivered: number;
  /** Frames that were offered again, and no member took, when the last one left. */
  dropped: number;
  /** Frames missed by all its members: cleared, or overwritten. */
  lost: number;
}

/** The oldest sequence that a group has neither given out nor passed; undefined where the group is no more. */
export function groupPlace({ words, groups, room }: Attachment, group: number): number | undefined {
  const entry = groups.isFormed(group) ? groups.entryOf(group) : undefined;
  if (entry === undefined) return undefined;
  return Math.max(words.mapping.load(words.reader(entry) + READER.cursor), room.cleared());
}

/** Every group that there is, and those that were. */
export function groupStats(attachment: Attachment, head: number): GroupStats[] {
  const { words, geometry, groups } = attachment;
  const found: GroupStats[] = [];
  for (let group = 0; group < geometry.maxGroups; group++) {
    const at = words.group(group);
    const name = groups.nameOf(group);
    if (name === "") continue;
    const place = groupPlace(attachment, group);
    found.push({
      name,
      from: groups.placeOf(group),
      members: place === undefined ? 0 : groups.membersOf(group).length,
      lag: place === undefined ? 0 : Math.max(0, head - place),
      held: place === undefined ? 0 : holders(attachment, group).length,
      redelivered: words.f64[(at + GROUP.redelivered) >> 3],
      dropped: words.f64[(at + GROUP.dropped) >> 3],
      lost: words.mapping.load(at + GROUP.lost),
    });
  }
  return found;
}

/** The members that have frames of a group, the oldest frame first: indices of reader entries. */
function holders({ geometry, groups }: Attachment, group: number): number[] {
  const held: { sequence: number; reader: number }[] = [];
  for (let slot = 0; slot < geometry.maxSize; slot++) {
    const { sequence, reader } = groups.takeOf(group, slot);
    if (reader !== undefined && sequence <= LAST_SEQUENCE) held.push({ sequence, reader });
  }
  return held.sort((a, b) => a.sequence - b.sequence).map(({ reader }) => reader);
}

/**
 * The process to look at when a group is behind: that of the member that has the oldest frame, or of any member.
 *
 * @param owner of a reader entry @returns undefined unless it is a group's; 0 where it has no members
 */
export function pidOfGroup(attachment: Attachment, owner: number): number | undefined {
  const { words, geometry, peers, groups } = attachment;
  const group = owner - GROUP_OWNER;
  if (group < 0 || group >= geometry.maxGroups) return undefined;
  const [index] = [...holders(attachment, group), ...groups.membersOf(group)];
  if (index === undefined || index >= geometry.maxReaders) return 0;
  return peers.pidOf(words.load32(words.reader(index) + READER.owner));
}
