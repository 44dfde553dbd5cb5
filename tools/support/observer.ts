/**
 * Looking at a segment's words from outside, without being a peer: whether things move, and what is left behind.
 *
 * @module
 */
import { loadShim } from "../../ffi/load.ts";
import type { Mapping } from "../../ffi/mapping.ts";
import type { Segment } from "../../ffi/segment.ts";
import { type Geometry, type Layout, layoutOf } from "../../ring/geometry.ts";
import { GATING, HEADER, LOCK, PEER, PEER_INDEX_BITS, READER, READER_MODES, SLOT } from "../../ring/layout.ts";
import { Room } from "../../ring/room.ts";
import { inspect } from "../../ring/segment.ts";
import { WAKE_WORDS, Words } from "../../ring/words.ts";

/** How far head and the slowest lossless reader are. */
export type Progress = { head: number; cursor: number };

/** Eyes on one segment. */
export class Observer {
  readonly geometry: Geometry;
  readonly #layout: Layout;
  readonly #segment: Segment;
  readonly #mapping: Mapping;
  readonly #words: Words;
  readonly #room: Room;

  /** @throws {Error} when there is no such depot */
  constructor(name: string) {
    const segment = loadShim().open(name);
    if (typeof segment === "number") throw new Error(`depot "${name}" cannot be looked at: errno ${-segment}`);
    const header = inspect(name, segment, []);
    if (header instanceof Error) throw header;
    const { geometry } = header;
    this.geometry = geometry;
    this.#layout = layoutOf(geometry);
    this.#segment = segment;
    const mapping = segment.map(this.#layout.totalBytes, WAKE_WORDS);
    if (typeof mapping === "number") throw new Error(`depot "${name}" cannot be mapped: errno ${-mapping}`);
    this.#mapping = mapping;
    this.#words = new Words(mapping, this.#layout, geometry.maxSize);
    this.#room = new Room(this.#words, geometry.maxReaders);
  }

  /**
   * How far all members have come. A dead reader's cursor stands still until a producer needs what it holds, which in a
   * depot that overwrites may be never: only the living count.
   */
  progress(): Progress {
    let slowest = Infinity;
    for (let index = 0; index < this.geometry.maxReaders; index++) {
      const entry = this.#words.reader(index);
      if (this.#words.load32(entry + READER.gating) !== GATING.gates) continue;
      const peer = (this.#words.load32(entry + READER.owner) & (2 ** PEER_INDEX_BITS - 1)) - 1;
      if (peer < 0 || !this.#segment.lockHeld(LOCK.peer + peer)) continue;
      slowest = Math.min(slowest, this.#mapping.load(entry + READER.cursor));
    }
    return { head: this.#room.head(), cursor: slowest === Infinity ? -1 : slowest };
  }

  /** How many peers of a process live. */
  livingOf(pid: number): number {
    let living = 0;
    for (let index = 0; index < this.#layout.maxPeers; index++) {
      const entry = this.#words.peer(index);
      const isOurs = this.#words.load32(entry + PEER.id) !== 0 && this.#words.load32(entry + PEER.pid) === pid;
      if (isOurs && this.#segment.lockHeld(LOCK.peer + index)) living++;
    }
    return living;
  }

  /** Everything that is not as in a segment with only `peers` live peers in it. */
  remains(peers: number): string[] {
    const found: string[] = [];
    let alive = 0;
    for (let index = 0; index < this.#layout.maxPeers; index++) {
      const id = this.#words.load32(this.#words.peer(index) + PEER.id);
      const held = this.#segment.lockHeld(LOCK.peer + index);
      if (id !== 0 && held) alive++;
      else if (id !== 0) found.push(`peer entry ${index} still belongs to a dead process`);
      else if (held) found.push(`peer lock ${index} is held without an id`);
    }
    if (alive !== peers) found.push(`${alive} peers live where ${peers} should`);
    for (let index = 0; index < this.geometry.maxReaders; index++) {
      const entry = this.#words.reader(index);
      if (this.#words.load32(entry + READER.owner) !== 0) found.push(`reader ${index} has an owner`);
      if (this.#words.load32(entry + READER.gating) !== 0) found.push(`reader ${index} still gates`);
    }
    for (let index = 0; index < this.geometry.maxSize; index++) {
      const slot = this.#words.slot(index);
      if (this.#words.load32(slot + SLOT.writer) !== 0) found.push(`slot ${index} has a writer`);
      if (this.#pins(slot).some((word) => word !== 0)) found.push(`slot ${index} is pinned`);
    }
    return found;
  }

  #pins(slot: number): number[] {
    return Array.from(
      { length: this.#layout.pinWords },
      (_, index) => this.#words.load32(slot + SLOT.pins + index * 4),
    );
  }

  /** The words, from which a maintainer can find out why nothing moves. */
  dump(): string {
    const words = this.#words;
    const u64 = (offset: number) => words.mapping.load(offset);
    const lines = [
      `head ${u64(HEADER.head)}  tail ${u64(HEADER.tail)}  cleared ${u64(HEADER.cleared)}  ` +
      `skipped ${words.load32(HEADER.skipped)}  joins ${words.load32(HEADER.joins)}`,
      `published ${words.load32(HEADER.published)} sleepers ${words.load32(HEADER.publishedSleepers)}  ` +
      `consumed ${words.load32(HEADER.consumed)} sleepers ${words.load32(HEADER.consumedSleepers)}  ` +
      `membership lock ${this.#segment.lockHeld(LOCK.members) ? "held" : "free"}`,
    ];
    for (let index = 0; index < this.#layout.maxPeers; index++) {
      const entry = words.peer(index);
      const id = words.load32(entry + PEER.id);
      if (id === 0) continue;
      const held = this.#segment.lockHeld(LOCK.peer + index) ? "alive" : "dead";
      lines.push(`peer ${index}: id ${id} pid ${words.load32(entry + PEER.pid)} ${held}`);
    }
    for (let index = 0; index < this.geometry.maxReaders; index++) {
      const entry = words.reader(index);
      const owner = words.load32(entry + READER.owner);
      if (owner === 0) continue;
      const mode = READER_MODES[words.load32(entry + READER.mode) % READER_MODES.length];
      const gating = words.load32(entry + READER.gating);
      lines.push(`reader ${index}: owner ${owner} ${mode} gating ${gating} cursor ${u64(entry + READER.cursor)}`);
    }
    for (let index = 0; index < this.geometry.maxSize; index++) {
      const slot = words.slot(index);
      const pins = this.#pins(slot).map((word) => word.toString(16)).join(" ");
      lines.push(
        `slot ${index}: writer ${words.load32(slot + SLOT.writer)} claimed ${u64(slot + SLOT.claimed)} ` +
          `sequence ${u64(slot + SLOT.sequence)} pins ${pins}`,
      );
    }
    return lines.join("\n");
  }

  close(): void {
    this.#words.detach();
    this.#mapping.unmap();
    this.#segment.close();
  }
}
