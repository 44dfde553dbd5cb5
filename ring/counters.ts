/**
 * Counters and peers as the segment has them: the same numbers in every process.
 *
 * @module
 */
import type { Attachment } from "./attachment.ts";
import { groupPlace, type GroupStats, groupStats, pidOfGroup } from "./group_counters.ts";
import { isHere } from "./holders.ts";
import { GATING, HEADER, PEER, PEER_FLAGS, READER, READER_MODES, RUNTIMES } from "./layout.ts";

/** One place in the sequence. */
export interface ReaderStats {
  /**
   * `lossless`, `lossy` and `latest` are loops; `lookup` serves getFrame and peekFrame; a `member` shares the frames of
   * a `group`.
   */
  mode: "lookup" | "lossless" | "lossy" | "latest" | "group" | "member";
  /** The group whose frames it shares, of which cursor and lag are; undefined where it is no member. */
  group: string | undefined;
  /** Whether producers wait for it. */
  gating: boolean;
  /** The oldest sequence that it still wants. */
  cursor: number;
  /** How many sequences it is behind the newest. */
  lag: number;
  /** Frames leased by it. */
  read: number;
  /** Frames missed by it. */
  lost: number;
}

/** One open depot object. */
export interface PeerStats {
  /** As its own pid namespace has it. */
  pid: number;
  /** When the process started, in the system's unit; with `pid` it tells a process from others. 0 where not known. */
  startTime: number;
  /** Which runtime or library the process has. */
  runtime: "other" | "deno" | "bun" | "c" | "python" | "node" | "rust";
  /** Whether it is the depot object that was asked. */
  self: boolean;
  /** Whether the kernel still holds its lock. */
  alive: boolean;
  /**
   * Whether the process of that pid here is this peer. Not so in another pid namespace, and where a fork of a process
   * that has ended holds its lock. Undefined where the system does not say.
   */
  here: boolean | undefined;
  /** Milliseconds since 1970. */
  joinedMs: number;
  /** Whether it has ever asked for a slot or stored a frame. */
  producer: boolean;
  /** Frames published by it. */
  stored: number;
  /** Frames of it that were refused. */
  dropped: number;
  /** Its loops, and its look-ups if it has asked for a frame by number. */
  readers: ReaderStats[];
}

/** What {@linkcode FramesDepot.stats} returns. */
export interface DepotStats {
  /** The depot's name. */
  name: string;
  /** 16 hexadecimal digits: the same in every process, and another for the next depot of that name. */
  id: string;
  /** Slots. */
  maxSize: number;
  /** Frames that wait for the slowest lossless reader. */
  length: number;
  /** The next sequence. */
  head: number;
  /** Frames stored since the depot was made. */
  stored: number;
  /** Frames refused since the depot was made. */
  dropped: number;
  /** Sequences that carry no frame: leased slots passed over, claims given back or lost with their process. */
  skipped: number;
  /** Bytes of the segment. */
  bytes: number;
  /** Whether it takes no more frames: `end()` was called, or it was replaced. */
  ended: boolean;
  /** Whether another depot has the name. */
  replaced: boolean;
  /** Whether the name still leads here. */
  linked: boolean;
  /**
   * Whether something was claimed, and every depot object that has claimed was closed or its process died. Readers then
   * wait for the next producer, unless it has `ended`. False while the first producer is still to come.
   */
  producersGone: boolean;
  /** Every open depot object, in all processes. */
  peers: PeerStats[];
  /** Every group of readers that share frames. */
  groups: GroupStats[];
  /**
   * The process whose lossless reader is furthest behind, and by how many frames; of a group, the process that has its
   * oldest frame. Undefined without such a reader.
   */
  slowest: { pid: number; lag: number } | undefined;
  /** Whether the queue is full until a reader comes: a lossless one, or in a depot that drops one of any mode. */
  waitsForReader: boolean;
}

function sum(attachment: Attachment, offset: number): number {
  const { words, layout } = attachment;
  let total = 0;
  for (let index = 0; index < layout.maxPeers; index++) total += words.f64[(words.peer(index) + offset) >> 3];
  return total;
}

/** Frames refused since the depot was made, by all its producers. */
export function droppedFrames(attachment: Attachment): number {
  return sum(attachment, PEER.dropped);
}

/** Frames that wait for the slowest lossless reader, or for one to come. */
export function queueLength(attachment: Attachment): number {
  const { room, words, geometry } = attachment;
  const slowest = room.slowest();
  const cursor = slowest?.cursor ?? words.mapping.load(HEADER.tail);
  const from = Math.max(cursor, room.cleared(), room.head() - geometry.maxSize);
  // What was consumed out of order counts from the reader's own cursor; it is void once that has been overtaken.
  const ahead = slowest === undefined || from > cursor ? 0 : words.load32(words.reader(slowest.index) + READER.ahead);
  return Math.min(geometry.maxSize, Math.max(0, room.head() - from - ahead));
}

/** Whether frames fill the queue that are kept for a reader to come. */
export function waitsForReader(attachment: Attachment): boolean {
  const { room, geometry } = attachment;
  const { whenFull, maxSize } = geometry;
  if (whenFull === "overwrite" || room.end() !== undefined || queueLength(attachment) < maxSize) return false;
  return whenFull === "wait" ? !room.isGated() : room.isUnattended();
}

/** The slowest reader, as people need it: a process to look at. */
export function slowestReader(attachment: Attachment): { pid: number; lag: number } | undefined {
  const { room, words } = attachment;
  const slowest = room.slowest();
  if (slowest === undefined) return undefined;
  const owner = words.load32(words.reader(slowest.index) + READER.owner);
  const pid = pidOfGroup(attachment, owner) ?? attachment.peers.pidOf(owner);
  return { pid, lag: Math.max(0, room.head() - Math.max(slowest.cursor, room.cleared())) };
}

function readersOf(attachment: Attachment, owner: number, head: number): ReaderStats[] {
  const { words, geometry, room } = attachment;
  const found: ReaderStats[] = [];
  for (let index = 0; index < geometry.maxReaders; index++) {
    const entry = words.reader(index);
    if (words.load32(entry + READER.owner) !== owner) continue;
    const group = words.load32(entry + READER.group) - 1;
    const place = group < 0 || group >= geometry.maxGroups ? undefined : groupPlace(attachment, group);
    const cursor = place ?? Math.max(words.mapping.load(entry + READER.cursor), room.cleared());
    found.push({
      mode: READER_MODES[words.load32(entry + READER.mode) % READER_MODES.length],
      group: place === undefined ? undefined : attachment.groups.nameOf(group),
      gating: words.load32(entry + READER.gating) === GATING.gates,
      cursor,
      lag: Math.max(0, head - cursor),
      read: words.f64[(entry + READER.read) >> 3] - words.f64[(entry + READER.readBase) >> 3],
      lost: words.f64[(entry + READER.lost) >> 3] - words.f64[(entry + READER.lostBase) >> 3],
    });
  }
  return found;
}

/** Everything, read word by word while others go on: each number is right, their moment may differ. */
export function depotStats(attachment: Attachment): DepotStats {
  const { words, room, peers, geometry, layout, name, id } = attachment;
  const head = room.head();
  const entries = peers.entries();
  const replaced = attachment.isReplaced; // first: it closes one whose name was taken by a process that died meanwhile
  const end = room.end();
  const produces = (index: number) => (words.load32(words.peer(index) + PEER.flags) & PEER_FLAGS.produces) !== 0;
  return {
    name,
    id,
    maxSize: geometry.maxSize,
    length: queueLength(attachment),
    head,
    stored: sum(attachment, PEER.stored),
    dropped: droppedFrames(attachment),
    skipped: words.load32(HEADER.skipped),
    bytes: layout.totalBytes,
    ended: end !== undefined,
    replaced: replaced || end === "replaced",
    linked: attachment.isLinked,
    producersGone: head !== geometry.firstSequence && !entries.some(({ index, alive }) => alive && produces(index)),
    peers: entries.map(({ index, id, alive }) => {
      const entry = words.peer(index);
      return {
        pid: words.load32(entry + PEER.pid),
        startTime: words.plain64(entry + PEER.startTime),
        runtime: RUNTIMES[words.load32(entry + PEER.runtime) % RUNTIMES.length],
        self: id === peers.id,
        alive,
        here: isHere(attachment, index),
        joinedMs: words.plain64(entry + PEER.joinedNs) / 1e6,
        producer: produces(index),
        stored: words.f64[(entry + PEER.stored) >> 3] - words.f64[(entry + PEER.storedBase) >> 3],
        dropped: words.f64[(entry + PEER.dropped) >> 3] - words.f64[(entry + PEER.droppedBase) >> 3],
        readers: readersOf(attachment, id, head),
      };
    }),
    groups: groupStats(attachment, head),
    slowest: slowestReader(attachment),
    waitsForReader: waitsForReader(attachment),
  };
}
