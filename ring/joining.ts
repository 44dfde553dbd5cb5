/**
 * Joining a group, and forming it where there is none of the name: steps B of docs/internals/protocol.md.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import type { Attachment } from "./attachment.ts";
import { beginningOf } from "./beginning.ts";
import type { Following, From } from "./from.ts";
import { FATE } from "./fate.ts";
import { GroupCursor } from "./group_cursor.ts";
import { FORMED, GROUP, GROUP_FROM, GROUP_OWNER, READER } from "./layout.ts";
import { MemberReader } from "./member_reader.ts";
import type { Reader } from "./reader.ts";
import { trace } from "./trace.ts";

/** How long joining waits for processes that change the membership: each takes microseconds. */
const BUSY_MS = 2000;

/** A member's part in its group. */
export type Membership = { reader: MemberReader; cursor: GroupCursor; group: number; entry: number };

/** Of which table no entry is left. */
type Full = "groups" | "readers";

/**
 * Joins the group of a name, or forms it.
 *
 * @param from where it begins; undefined takes the place of a group that is there, else "oldest"
 * @param following where members follow a name: then a group that is there is joined wherever it began, and one that is
 *   the first of its name has lost what lies before its place, except in the first depot
 * @throws {DepotError} TOO_MANY_PEERS, NOT_READY, CORRUPT @throws {RangeError} when the group has begun elsewhere
 */
export function join(
  attachment: Attachment,
  name: string,
  from: From | undefined,
  following: Following | undefined,
): Membership {
  const joining = new Joining(attachment, name, from, following);
  const joined = attachment.peers.takeOrRecover(() => joining.try());
  if (joined === undefined) throw joining.refusal();
  return joined;
}

class Joining {
  readonly #attachment: Attachment;
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #from: From | undefined;
  readonly #following: Following | undefined;
  #full: Full = "groups";

  constructor(attachment: Attachment, name: string, from: From | undefined, following: Following | undefined) {
    this.#attachment = attachment;
    this.#name = name;
    this.#bytes = new TextEncoder().encode(name);
    this.#from = from;
    this.#following = following;
  }

  /** @returns undefined where no entry is left */
  try(): Membership | undefined {
    const { peers, mapping } = this.#attachment;
    const until = performance.now() + BUSY_MS;
    let answer = peers.underLock(() => this.#enter());
    while (answer === "busy" && performance.now() < until) {
      mapping.yield();
      answer = peers.underLock(() => this.#enter());
    }
    if (answer === "busy") {
      throw this.#error("NOT_READY", `its membership has been changing for ${BUSY_MS / 1000} seconds`, "try again");
    }
    if (typeof answer !== "string") return answer;
    this.#full = answer;
    return undefined;
  }

  #enter(): Membership | Full {
    const { peers, readers, groups } = this.#attachment;
    const group = groups.find(this.#bytes);
    if (group !== undefined) this.#compare(group);
    const index = readers.enter(peers.id, "member"); // B1
    if (index === undefined) return "readers";
    trace.at?.("B1");
    const entered = group === undefined ? this.#form(index) : this.#member(group, index);
    if (typeof entered !== "string") this.#enroll(entered); // B5
    else readers.free(index);
    return entered;
  }

  #compare(group: number): void {
    const from = this.#attachment.groups.placeOf(group);
    if (this.#from === undefined || this.#from === from || this.#following !== undefined) return;
    throw new RangeError(
      `group ${JSON.stringify(this.#name)} of depot "${this.#attachment.name}" began with from ` +
        `${JSON.stringify(from)}, as its first member said, and this one says ${JSON.stringify(this.#from)}: say the ` +
        "same, leave `from` out, or take another group",
    );
  }

  /** A member of a formed group. */
  #member(group: number, index: number): Membership {
    const { groups, readers } = this.#attachment;
    const entry = groups.entryOf(group);
    if (entry === undefined) {
      throw this.#error("CORRUPT", "the group has no entry in the table of readers", "make the depot anew");
    }
    const reader = new MemberReader(this.#attachment, readers, groups, group, index);
    return { reader, cursor: new GroupCursor(this.#attachment, group, entry), group, entry };
  }

  #form(index: number): Membership | Full {
    const { words, room, groups, readers, geometry } = this.#attachment;
    groups.dissolveUnformed();
    const group = groups.free(this.#bytes);
    if (group === undefined) return "groups";
    const from = this.#from ?? "oldest";
    const isNumber = typeof from === "number";
    const countsAll = this.#following?.lost !== undefined && !groups.isNamed(group, this.#bytes); // before it gets its name
    groups.prepare(group, this.#bytes, GROUP_FROM.indexOf(isNumber ? "number" : from), isNumber ? from : 0); // B2
    const entry = readers.enter(GROUP_OWNER + group, "group"); // B3
    if (entry === undefined) return "readers";
    trace.at?.("B3");
    const member = this.#member(group, index);
    const { sequence, skipsBelow } = beginningOf(member.reader, room, geometry, from);
    const place = room.startGating(entry, sequence);
    if (countsAll) member.cursor.startLosses(0, place - geometry.firstSequence);
    else member.cursor.startLosses(burnedBefore(member.reader, place, room.head()), 0);
    words.store32(words.group(group) + GROUP.formed, skipsBelow === undefined ? FORMED.yes : FORMED.skips); // B4
    trace.at?.("B4");
    return member;
  }

  #enroll({ reader, group }: Membership): void {
    const { words } = this.#attachment;
    words.store32(words.reader(reader.index) + READER.group, group + 1);
    trace.at?.("B5");
  }

  /** Why it could not join. */
  refusal(): DepotError {
    const { geometry, groups } = this.#attachment;
    if (this.#full === "readers") {
      return this.#error(
        "TOO_MANY_PEERS",
        `all ${geometry.maxReaders} readers are in use (maxReaders); each member takes one, and each group one more`,
        "release some, or make the depot with more maxReaders",
      );
    }
    if (geometry.maxGroups === 0) {
      return this.#error("TOO_MANY_PEERS", "the depot has maxGroups 0", "make it with as many as you need");
    }
    const names = groups.all().map((group) => JSON.stringify(groups.nameOf(group)));
    return this.#error(
      "TOO_MANY_PEERS",
      `all ${geometry.maxGroups} groups are in use (maxGroups): ${names.join(", ")}`,
      "join one of those, end the loops of one, or make the depot with more maxGroups",
    );
  }

  #error(code: "TOO_MANY_PEERS" | "NOT_READY" | "CORRUPT", why: string, remedy: string): DepotError {
    const { name } = this.#attachment;
    return new DepotError(code, `cannot join group ${JSON.stringify(this.#name)} of depot "${name}": ${why}`, {
      depot: name,
      remedy,
    });
  }
}

/** How many burned numbers had been counted before a place, as the first frame from there on tells. */
function burnedBefore(reader: Reader, place: number, head: number): number {
  let gone = 0;
  for (let sequence = place; sequence < head; sequence++) {
    const slot = reader.seems(sequence) ? reader.pin(sequence) : -1;
    if (slot >= 0) {
      const skipped = reader.skippedAt(slot);
      reader.unpin(slot);
      return skipped - gone;
    }
    if (reader.fate(sequence, false) === FATE.GONE) gone++;
  }
  return reader.skippedNow() - gone;
}
