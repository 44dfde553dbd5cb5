/**
 * The peers of a segment: joining, leaving, proof of death, and giving back what the dead held. Steps P and D2 of
 * docs/internals/protocol.md.
 *
 * @module
 */
import type { Segment } from "../ffi/segment.ts";
import type { Shim } from "../ffi/shim.ts";
import { takeLock } from "./failures.ts";
import type { Geometry, Layout } from "./geometry.ts";
import { LOCK, PEER, PEER_FLAGS, PEER_INDEX_BITS, READER, RUNTIMES } from "./layout.ts";
import type { ReaderTable } from "./reader_table.ts";
import type { Room } from "./room.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

const INDEX_MASK = 2 ** PEER_INDEX_BITS - 1;
const GENERATIONS = 2 ** (32 - PEER_INDEX_BITS);

/** Slots that are looked through under one hold of the membership lock: less than a millisecond. */
const SLICE_SLOTS = 32 * 1024;

/**
 * How long to try for what another process is giving back at this moment. A slice takes it less than a millisecond, but
 * on a busy machine it may be without a processor for many.
 */
const TAKE_MS = 100;

/** What happens to the frames that the members of a peer have, of groups that share them. */
export interface Sharing {
  /** The formed groups, as a recoverer needs them (P0). */
  takings(): Uint32Array;
  /** P0a. */
  countAgain(): void;
  /** V1 to V5 for each group without members. */
  dissolveEmpty(): void;
  /** P0 and P0a by a process that ends. @param holders its entries in the reader table */
  offerAgain(holders: number[]): void;
}

/** What the table says of one peer. */
export type PeerEntry = { index: number; id: number; alive: boolean };

/** The peer table of one segment, seen from one depot object. */
export class Peers {
  /** This peer's id; 0 before {@linkcode Peers.enter} and after {@linkcode Peers.leave}. */
  id = 0;
  /** This peer's place in the table. */
  index = -1;
  readonly #sharing: Sharing;
  readonly #segment: Segment;
  readonly #words: Words;
  readonly #room: Room;
  readonly #readers: ReaderTable;
  readonly #maxPeers: number;
  readonly #maxSize: number;
  readonly #slotStride: number;
  readonly #pinWords: number;
  #gaveBack = false;

  constructor(
    segment: Segment,
    words: Words,
    room: Room,
    readers: ReaderTable,
    geometry: Geometry,
    layout: Layout,
    sharing: (peers: Peers) => Sharing,
  ) {
    this.#segment = segment;
    this.#words = words;
    this.#room = room;
    this.#readers = readers;
    this.#maxPeers = layout.maxPeers;
    this.#maxSize = geometry.maxSize;
    this.#slotStride = layout.slotStride;
    this.#pinWords = layout.pinWords;
    this.#sharing = sharing(this);
  }

  /** Runs `change` under the membership lock; `busy` when another process has it just now. Never awaits inside. */
  underLock<T>(change: () => T): T | "busy" {
    if (!takeLock(this.#segment, LOCK.members)) return "busy";
    try {
      return change();
    } finally {
      this.#segment.unlock(LOCK.members);
    }
  }

  /** Takes a free entry; the caller holds the membership lock. @returns false when there is none */
  enter(shim: Shim, isMaker = false): boolean {
    const { u32, f64 } = this.#words;
    for (let index = 0; index < this.#maxPeers; index++) {
      const entry = this.#words.peer(index);
      if (this.#words.load32(entry + PEER.id) !== 0) continue;
      // An entry whose lock is held has no id yet or none any more: leave it to its holder.
      if (!takeLock(this.#segment, LOCK.peer + index)) continue;
      trace.at?.("join.lock");
      const generation = (u32[(entry + PEER.generation) >> 2] + 1) % GENERATIONS;
      const { pid, startTime } = shim.identity();
      u32[(entry + PEER.generation) >> 2] = generation;
      u32[(entry + PEER.pid) >> 2] = pid;
      u32[(entry + PEER.runtime) >> 2] = RUNTIMES.indexOf(shim.runtime);
      u32[(entry + PEER.flags) >> 2] = isMaker ? PEER_FLAGS.made : 0; // F1
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

  /** Gives back the slots and pins that this peer holds (P1), before it leaves: no lock is needed while it lives. */
  giveBack(): void {
    if (this.id === 0 || this.#gaveBack) return;
    this.#gaveBack = true;
    this.#sweep(this.id, 0, this.#maxSize, false);
  }

  /**
   * What the members of this peer have in their hands is for others now, as if it had died (P0, P0a).
   *
   * @returns false when another process changes the membership at this moment
   */
  offerAgain(): boolean {
    if (this.id === 0 || this.#sharing.takings().length === 0) return true;
    return this.underLock(() => this.#sharing.offerAgain(this.#readers.ownedBy(this.id))) !== "busy";
  }

  /** Gives back all that this peer holds and its place (P1 to P3); the caller holds the membership lock. */
  leave(): void {
    if (this.id === 0) return;
    this.giveBack();
    const { id, index } = this;
    this.id = 0;
    this.#vacate(index, id);
    this.#segment.unlock(LOCK.peer + index);
  }

  /** Whether the kernel says that a peer is gone. Ids that no peer can have are gone too. */
  isDead(id: number): boolean {
    const index = (id & INDEX_MASK) - 1;
    if (index < 0 || index >= this.#maxPeers) return true;
    if (this.#words.load32(this.#words.peer(index) + PEER.id) !== id) return true;
    return id !== this.id && !this.#segment.lockHeld(LOCK.peer + index);
  }

  /** The process id of a peer, for people; 0 where no peer has that id. */
  pidOf(id: number): number {
    const index = (id & INDEX_MASK) - 1;
    if (index < 0 || index >= this.#maxPeers) return 0;
    const entry = this.#words.peer(index);
    return this.#words.load32(entry + PEER.id) === id ? this.#words.load32(entry + PEER.pid) : 0;
  }

  /** Frees a slot whose writer is dead (C3, D2). Its sequence stays as it is; a number that was lost is counted. */
  recoverSlot(slot: number, writer: number): void {
    this.#words.mapping.recoverSlot(slot, writer);
    trace.at?.("D2");
    this.#room.wakeAll();
  }

  /** Whether a peer that has claimed is in the table, dead or alive (F3). */
  get hasProducers(): boolean {
    for (let index = 0; index < this.#maxPeers; index++) {
      if (this.#words.load32(this.#words.peer(index) + PEER.id) !== 0 && this.#has(index, PEER_FLAGS.produces)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a peer of which {@linkcode PEER_FLAGS} say so is alive. */
  hasLiving(flag: number): boolean {
    return this.entries().some(({ index, alive }) => alive && this.#has(index, flag));
  }

  #has(index: number, flag: number): boolean {
    return (this.#words.load32(this.#words.peer(index) + PEER.flags) & flag) !== 0;
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

  /**
   * Gives back what dead peers held, unless another process is about it.
   *
   * @returns how many were found and given back
   */
  recoverDead(): number {
    let recovered = 0;
    for (const { index, id, alive } of this.entries()) if (!alive && this.#recover(index, id)) recovered++;
    return recovered;
  }

  /**
   * Takes something of which there may be none left until what dead peers had of it is given back, by this process or
   * by another that is about it.
   *
   * @param take returns undefined where there is none
   */
  takeOrRecover<T>(take: () => T | undefined): T | undefined {
    let taken = take();
    const deadline = performance.now() + TAKE_MS;
    while (taken === undefined && performance.now() < deadline) {
      const anyDead = this.entries().some(({ alive }) => !alive);
      if (this.recoverDead() === 0) this.#words.mapping.yield();
      taken = take(); // also where no peer is dead: another may have been quicker
      if (!anyDead) break;
    }
    return taken;
  }

  /**
   * P1 to P3 for a dead peer. Every step can be done twice: a recoverer may die too. P1 goes in slices, so that the
   * membership lock is never held for long; each looks anew whether another recoverer has finished.
   */
  #recover(index: number, id: number): boolean {
    for (let from = 0; from < this.#maxSize; from += SLICE_SLOTS) {
      const to = Math.min(from + SLICE_SLOTS, this.#maxSize);
      const done = this.underLock(() => {
        if (this.#words.load32(this.#words.peer(index) + PEER.id) !== id) return "by another";
        this.#sweep(id, from, to, true);
        if (to === this.#maxSize) {
          this.#sharing.countAgain();
          this.#vacate(index, id);
        }
        return "ours";
      });
      if (done === "busy") return false;
      if (done === "by another") return true;
    }
    return true;
  }

  /**
   * P1: the bits of the peer's readers, and the slots that it writes in. Frames that it has of a group are given again
   * if it is dead (P0), and done if it leaves.
   */
  #sweep(id: number, from: number, to: number, isDead: boolean): void {
    const masks = new Uint32Array(this.#pinWords);
    for (const reader of this.#readers.ownedBy(id)) masks[reader >>> 5] |= 1 << (reader & 31);
    const slots = this.#words.slot(0);
    const groups = this.#sharing.takings();
    const { mapping } = this.#words;
    const changed = mapping.giveBack(slots, this.#slotStride, from, to, masks, id, groups, isDead);
    trace.at?.("P1");
    if (changed > 0) this.#room.wakeAll();
  }

  /** P2 and P3: its readers leave, its entry is free. */
  #vacate(index: number, id: number): void {
    for (const reader of this.#readers.ownedBy(id)) {
      this.#words.store32(this.#words.reader(reader) + READER.group, 0);
      this.#room.stopGating(reader);
      this.#readers.free(reader);
    }
    this.#sharing.dissolveEmpty();
    trace.at?.("P2");
    this.#words.store32(this.#words.peer(index) + PEER.id, 0); // P3
    this.#room.wakeAll();
  }
}
