/**
 * The peers of a segment: joining, leaving, proof of death, and giving back what the dead held. Steps P and D2 of
 * docs/protocol.md.
 *
 * @module
 */
import { LANE, type Segment, type Shim } from "../ffi/shim.ts";
import type { Geometry, Plan } from "./geometry.ts";
import { LOCK, PEER, PEER_INDEX_BITS, READER, RUNTIMES, SLOT } from "./layout.ts";
import type { Room } from "./room.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

const INDEX_MASK = 2 ** PEER_INDEX_BITS - 1;
const GENERATIONS = 2 ** (32 - PEER_INDEX_BITS);

/** What the table says of one peer. */
export type PeerEntry = { index: number; id: number; alive: boolean };

/** The peer table of one segment, seen from one depot object. */
export class Peers {
  /** This peer's id; 0 before {@linkcode Peers.enter} and after {@linkcode Peers.leave}. */
  id = 0;
  /** This peer's place in the table. */
  index = -1;
  readonly #segment: Segment;
  readonly #words: Words;
  readonly #room: Room;
  readonly #maxPeers: number;
  readonly #maxReaders: number;
  readonly #maxSize: number;

  constructor(segment: Segment, words: Words, room: Room, geometry: Geometry, layout: Plan) {
    this.#segment = segment;
    this.#words = words;
    this.#room = room;
    this.#maxPeers = layout.maxPeers;
    this.#maxReaders = geometry.maxReaders;
    this.#maxSize = geometry.maxSize;
  }

  /** Runs `change` under the membership lock; `busy` when somebody else has it just now. Never awaits inside. */
  underLock<T>(change: () => T): T | "busy" {
    if (this.#segment.lock(LOCK.members) !== 1) return "busy";
    try {
      return change();
    } finally {
      this.#segment.unlock(LOCK.members);
    }
  }

  /** Takes a free entry; the caller holds the membership lock. @returns false when there is none */
  enter(shim: Shim): boolean {
    const { u32, f64 } = this.#words;
    for (let index = 0; index < this.#maxPeers; index++) {
      const entry = this.#words.peer(index);
      if (this.#words.load32(entry + PEER.id) !== 0) continue;
      // An entry whose lock is held has no id yet or none any more: leave it to its holder.
      if (this.#segment.lock(LOCK.peer + index) !== 1) continue;
      trace.at?.("join.lock");
      const generation = (u32[(entry + PEER.generation) >> 2] + 1) % GENERATIONS;
      const { pid, startTime } = shim.identity();
      u32[(entry + PEER.generation) >> 2] = generation;
      u32[(entry + PEER.pid) >> 2] = pid;
      u32[(entry + PEER.runtime) >> 2] = RUNTIMES.indexOf(shim.runtime);
      this.#words.setPlain64(entry + PEER.startTime, startTime);
      this.#words.setPlain64(entry + PEER.joinedNs, Date.now() * 1e6);
      f64[(entry + PEER.storedBase) >> 3] = f64[(entry + PEER.stored) >> 3];
      f64[(entry + PEER.droppedBase) >> 3] = f64[(entry + PEER.dropped) >> 3];
      this.index = index;
      this.id = (generation * 2 ** PEER_INDEX_BITS + index + 1) >>> 0;
      this.#words.store32(entry + PEER.id, this.id);
      trace.at?.("join.id");
      return true;
    }
    return false;
  }

  /** Gives back all that this peer holds; the caller holds the membership lock. */
  leave(): void {
    if (this.id === 0) return;
    const { id, index } = this;
    this.id = 0;
    this.#giveBack(index, id);
    this.#segment.unlock(LOCK.peer + index);
  }

  /** Whether the kernel says that a peer is gone. Ids that nobody can have are gone too. */
  isDead(id: number): boolean {
    const index = (id & INDEX_MASK) - 1;
    if (index < 0 || index >= this.#maxPeers) return true;
    if (this.#words.load32(this.#words.peer(index) + PEER.id) !== id) return true;
    return id !== this.id && !this.#segment.lockHeld(LOCK.peer + index);
  }

  /** The process id of a peer, for people; 0 where nobody has that id. */
  pidOf(id: number): number {
    const index = (id & INDEX_MASK) - 1;
    if (index < 0 || index >= this.#maxPeers) return 0;
    const entry = this.#words.peer(index);
    return this.#words.load32(entry + PEER.id) === id ? this.#words.load32(entry + PEER.pid) : 0;
  }

  /** Frees a slot whose writer is dead (C3, D2). Its sequence stays as it is. */
  recoverSlot(slot: number, writer: number): void {
    Atomics.compareExchange(this.#words.u32, (slot + SLOT.writer) >> 2, writer, 0);
    trace.at?.("D2");
    this.#room.wake(LANE.PUBLISHED);
  }

  /** Every entry that is in use. */
  entries(): PeerEntry[] {
    const found: PeerEntry[] = [];
    for (let index = 0; index < this.#maxPeers; index++) {
      const id = this.#words.load32(this.#words.peer(index) + PEER.id);
      if (id !== 0) found.push({ index, id, alive: !this.isDead(id) });
    }
    return found;
  }

  /** Gives back what dead peers held, unless somebody else is about it. @returns how many were found */
  recoverDead(): number {
    const dead = this.entries().filter(({ alive }) => !alive);
    if (dead.length === 0) return 0;
    const recovered = this.underLock(() => this.recoverUnderLock());
    return recovered === "busy" ? 0 : recovered;
  }

  /** The same for a caller that holds the membership lock. */
  recoverUnderLock(): number {
    const dead = this.entries().filter(({ alive }) => !alive);
    for (const { index, id } of dead) this.#giveBack(index, id);
    return dead.length;
  }

  /** P1 to P3. Every step can be done twice: whoever does it may die too. */
  #giveBack(index: number, id: number): void {
    for (let reader = 0; reader < this.#maxReaders; reader++) {
      if (this.#words.load32(this.#words.reader(reader) + READER.owner) !== id) continue;
      this.clearPins(reader);
      trace.at?.("P1");
      this.#room.leave(reader);
    }
    for (let slot = 0; slot < this.#maxSize; slot++) {
      const words = this.#words.slot(slot);
      if (this.#words.load32(words + SLOT.writer) === id) this.recoverSlot(words, id);
    }
    trace.at?.("P2");
    this.#words.store32(this.#words.peer(index) + PEER.id, 0); // P3
    this.#room.wake(LANE.PUBLISHED);
    this.#room.wake(LANE.CONSUMED);
  }

  /** Takes a reader's bit out of every slot. */
  clearPins(reader: number): void {
    const bit = 1 << (reader & 31);
    for (let slot = 0; slot < this.#maxSize; slot++) {
      const word = this.#words.pins(this.#words.slot(slot), reader) >> 2;
      if ((Atomics.load(this.#words.u32, word) & bit) !== 0) Atomics.and(this.#words.u32, word, ~bit);
    }
  }
}
