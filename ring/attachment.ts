/**
 * A segment as one depot object has it: mapped, joined, with the parts of the ring over it.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import type { LaneNumber } from "../ffi/constants.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import { type Geometry, type Layout, layoutOf } from "./geometry.ts";
import { Groups } from "./groups.ts";
import type { Header } from "./header.ts";
import { HEADER } from "./layout.ts";
import { Lane } from "./lane.ts";
import { Payload } from "./payload.ts";
import { Peers } from "./peers.ts";
import { Producer } from "./producer.ts";
import { Reader } from "./reader.ts";
import { finishReplacing } from "./replacing.ts";
import { type ReaderMode, ReaderTable } from "./reader_table.ts";
import { Room } from "./room.ts";
import { WAKE_WORDS, Words } from "./words.ts";

/** Bytes whose page tables are made at once. The payload beyond gets them slot by slot, or opening would take long. */
const POPULATED_BYTES = 4 * 1024 * 1024;

/** One depot object's part in a segment. */
export class Attachment {
  readonly name: string;
  /** 16 hexadecimal digits, the same in every process that has this segment open. */
  readonly id: string;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly segment: Segment;
  readonly mapping: Mapping;
  readonly words: Words;
  readonly payload: Payload;
  readonly readers: ReaderTable;
  readonly room: Room;
  readonly peers: Peers;
  readonly groups: Groups;
  readonly producer: Producer;
  /** What the last one out leaves, which may not remove the name: undefined, or whether the memory was given back. */
  leftover: boolean | undefined;
  #reachable = false;
  /** The system refused zero pages: then the memory stays mapped for good. */
  #keptMapped = false;

  /**
   * Maps a segment, without joining it. Without an attachment the segment stays the caller's to close.
   *
   * @param copied whether to copy all but the frames, and to look at the copy alone
   * @returns -errno where the system refuses
   */
  static over(name: string, header: Header, segment: Segment, copied = false): Attachment | number {
    const { totalBytes, payloadOffset } = layoutOf(header.geometry);
    const mapping = copied
      ? segment.snapshot(totalBytes, payloadOffset, WAKE_WORDS)
      : segment.map(totalBytes, WAKE_WORDS);
    if (typeof mapping === "number") return mapping;
    try {
      return new Attachment(name, header, segment, mapping);
    } catch (error) {
      mapping.unmap();
      throw error;
    }
  }

  private constructor(name: string, { geometry, id }: Header, segment: Segment, mapping: Mapping) {
    this.name = name;
    this.id = id;
    this.geometry = geometry;
    this.layout = layoutOf(geometry);
    this.segment = segment;
    this.mapping = mapping;
    this.words = new Words(mapping, this.layout, geometry.maxSize);
    this.payload = new Payload(mapping, geometry, this.layout);
    this.readers = new ReaderTable(this.words, geometry.maxReaders);
    this.room = new Room(this.words, geometry.maxReaders);
    const { words, room, readers } = this;
    let groups: Groups;
    this.peers = new Peers(segment, words, room, readers, geometry, this.layout, (peers) => {
      return groups = new Groups({ words, room, peers, geometry }, readers);
    });
    this.groups = groups!;
    this.producer = new Producer(this.words, this.room, this.peers, geometry, this.layout);
  }

  /** Makes the first page tables. Not before a segment is checked: it could allocate what a broken file leaves out. */
  populate(): void {
    this.mapping.populate(0, Math.min(this.mapping.bytes, POPULATED_BYTES));
  }

  /** A lane of this attachment; the peer must have joined. */
  lane(lane: LaneNumber): Lane {
    return new Lane(this.words, lane, this.peers.index);
  }

  /** A new reader. @throws {DepotError} TOO_MANY_PEERS */
  reader(mode: ReaderMode): Reader {
    const { words, room, readers, peers, geometry, name } = this;
    const index = peers.takeOrRecover(() => readers.enter(peers.id, mode));
    if (index === undefined) {
      throw new DepotError(
        "TOO_MANY_PEERS",
        `cannot read from depot "${name}": all ${geometry.maxReaders} readers are in use (maxReaders); loops, look-ups, ` +
          "and readers that have ended while clones of their frames are held count",
        { depot: name, remedy: "release those, or make the depot with more maxReaders" },
      );
    }
    return new Reader(words, room, readers, peers, geometry, index);
  }

  /**
   * Does what the dead have left to do: gives back what they held, and finishes a replacement (T7).
   *
   * @returns how many dead peers were found and given back
   */
  recover(): number {
    const recovered = this.peers.recoverDead();
    finishReplacing(this);
    return recovered;
  }

  /** Whether the name still leads here. Where it was taken by a process that died, this segment is marked (T7). */
  get isLinked(): boolean {
    const { linked } = this.segment.info();
    if (!linked) finishReplacing(this);
    return linked;
  }

  /** Whether another segment has the name. */
  get isReplaced(): boolean {
    return finishReplacing(this);
  }

  /**
   * Removes the name if it still leads here, and returns -errno where the system refuses; the caller holds the
   * membership lock. `replaced` tells what was removed on purpose from what was replaced by a process that died (U2,
   * T7).
   */
  unlink(): number {
    if (this.segment.info().linked) this.words.store32(HEADER.replaced, 0); // U1, U2
    return this.segment.unlink(); // U3
  }

  /**
   * Leaves the segment and removes its name if no peer is left. What may not be removed is emptied.
   *
   * @returns false when another process changes the membership at this moment: try again
   */
  leave(): boolean {
    this.peers.giveBack();
    const left = this.peers.underLock(() => {
      this.peers.leave();
      const isLast = !this.peers.entries().some(({ alive }) => alive);
      if (isLast && this.unlink() < 0) this.leftover = this.segment.empty() === 0;
      return true;
    });
    return left === true;
  }

  /**
   * Takes the frames' memory away from JavaScript, before another may have it. No lease may be held and no wait be
   * under way. What can still be reached then leads to zero pages of this process's own.
   *
   * @param reachable whether a buffer, or an operation of the runtime, may still be in it
   */
  withdraw(reachable: boolean): void {
    this.payload.detach();
    this.#reachable = reachable && this.mapping.retire(this.layout.payloadOffset) === 0;
    this.#keptMapped = reachable && !this.#reachable;
  }

  /** Takes the rest of the memory away; nothing here is used any more. */
  unmap(): void {
    this.words.detach();
    this.payload.detach();
    if (this.#reachable) this.mapping.retire(0);
    else if (!this.#keptMapped) this.mapping.unmap();
    this.segment.close();
  }
}
