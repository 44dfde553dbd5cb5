/**
 * Which readers are waited for: which sequences a producer may overwrite. Gate, joining, leaving and clearing: steps G,
 * J and L of docs/internals/protocol.md; the model is docs/internals/model/room.pml.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { LANE, READERS, REPLACED } from "../ffi/constants.ts";
import { GATING, HEADER, LAST_SEQUENCE, READER } from "./layout.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";
import type { Words } from "./words.ts";

/** A scan that is disturbed by this many joins in a row returns what was known before. */
const SCANS = 1000;

/** The cursors of gating readers and the words that bound what may be overwritten. */
export class Room {
  readonly #words: Words;
  readonly #maxReaders: number;

  constructor(words: Words, maxReaders: number) {
    this.#words = words;
    this.#maxReaders = maxReaders;
  }

  /**
   * The next sequence to be claimed; once no more will be, -1 less the final one (N3).
   *
   * @throws {DepotError} CORRUPT when it is beyond all sequences: it was overwritten
   */
  headOrEnd(): number {
    const head = this.#words.mapping.head();
    if (head > LAST_SEQUENCE + 1 || head < -LAST_SEQUENCE - 2) {
      throw new DepotError("CORRUPT", `the depot's head is ${head}, out of 0 to 2^53 - 1: it has been overwritten`, {
        remedy: "close the depot in every process, and make it anew",
      });
    }
    return head;
  }

  /** The next sequence to be claimed, also if none will be. @throws {DepotError} CORRUPT */
  head(): number {
    const head = this.headOrEnd();
    return head < 0 ? -1 - head : head;
  }

  /** Why no number will be claimed any more; undefined while one may. */
  end(): "ended" | "replaced" | undefined {
    if (this.headOrEnd() >= 0) return undefined;
    const { isReplaced } = this; // T4 comes before T5, and after T1a
    return isReplaced && this.#words.load32(HEADER.endedBefore) !== 1 ? "replaced" : "ended";
  }

  /** Whether another segment has the name. */
  get isReplaced(): boolean {
    return this.#words.load32(HEADER.replaced) === REPLACED.DONE;
  }

  /** No number will be claimed from now on (N1, N2). */
  close(): void {
    if (this.#words.mapping.end() === 1) this.wakeAll();
  }

  /** Wakes every process that waits for a frame or for room. */
  wakeAll(): void {
    wake(this.#words, LANE.PUBLISHED);
    wake(this.#words, LANE.CONSUMED);
  }

  /** Everything below has been cleared. Never beyond head, whatever is written there. */
  cleared(): number {
    return Math.min(this.#words.mapping.load(HEADER.cleared), LAST_SEQUENCE);
  }

  /** The low half of `cleared`, looked at before every frame. Plain: a clearing meanwhile is before or after. */
  clearedHint(): number {
    return this.#words.u32[HEADER.cleared >> 2];
  }

  /**
   * The oldest sequence that a producer has to keep (G1 to G4).
   *
   * @param before what the caller was told before: what was given up then is not kept again for a reader that joins
   * @param givesUp everything below it is given up where readers are attached and none gates
   */
  gate(before: number, givesUp = 0): number {
    const { mapping } = this.#words;
    for (let scan = 0; scan < SCANS; scan++) {
      const joins = this.#words.load32(HEADER.joins); // G1
      const smallest = this.#smallestCursor(-1); // G2
      if (smallest >= 0) mapping.raise(HEADER.tail, smallest); // G3
      else if (smallest === READERS.ATTACHED_ONLY && givesUp > 0) mapping.raise(HEADER.tail, givesUp);
      trace.at?.("G3");
      const gate = Math.max(before, smallest >= 0 ? smallest : mapping.load(HEADER.tail), this.cleared());
      if (this.#words.load32(HEADER.joins) === joins) return gate; // G4
    }
    return before;
  }

  /** Gives up everything below a sequence that carries no frame for a reader to come. */
  raiseTail(sequence: number): void {
    this.#words.mapping.raise(HEADER.tail, sequence);
  }

  /** The smallest cursor of the gating readers but one, or one of {@linkcode READERS}. */
  #smallestCursor(except: number): number {
    return this.#words.mapping.smallestCursor(this.#words.reader(0), this.#maxReaders, except);
  }

  /** Whether a lossless reader is attached. */
  isGated(): boolean {
    return this.#smallestCursor(-1) >= 0;
  }

  /** Whether no reader is attached. */
  isUnattended(): boolean {
    return this.#smallestCursor(-1) === READERS.NOT_ATTACHED;
  }

  /** Whether readers are attached and none of them is lossless. */
  isFollowedOnly(): boolean {
    return this.#smallestCursor(-1) === READERS.ATTACHED_ONLY;
  }

  /** The gating reader that is furthest behind, as an index into the table. */
  slowest(): { index: number; cursor: number } | undefined {
    let slowest: { index: number; cursor: number } | undefined;
    for (let index = 0; index < this.#maxReaders; index++) {
      const entry = this.#words.reader(index);
      if (this.#words.load32(entry + READER.gating) !== GATING.gates) continue;
      const cursor = this.#words.mapping.load(entry + READER.cursor);
      if (slowest === undefined || cursor < slowest.cursor) slowest = { index, cursor };
    }
    return slowest;
  }

  /**
   * Makes a reader gate and gives it its place (J2 to J4).
   *
   * @param wish where it would like to begin; it begins there, or at the oldest sequence that is still kept
   */
  startGating(index: number, wish: number): number {
    const { mapping, u32 } = this.#words;
    const entry = this.#words.reader(index);
    const smallest = this.#smallestCursor(index);
    const chosen = Math.max(wish, smallest, mapping.load(HEADER.tail), this.cleared());
    trace.at?.("J2");
    mapping.store(entry + READER.cursor, chosen); // J3
    this.#words.store32(entry + READER.gating, GATING.gates);
    Atomics.add(u32, HEADER.joins >> 2, 1);
    trace.at?.("J3");
    const place = Math.max(chosen, mapping.load(HEADER.tail));
    if (place !== chosen) mapping.store(entry + READER.cursor, place); // J4
    trace.at?.("J4");
    wake(this.#words, LANE.CONSUMED);
    return place;
  }

  /** A reader is no longer attached: producers do not wait for it (L1, L2). Can be done twice. */
  stopGating(index: number): void {
    const entry = this.#words.reader(index);
    if (this.#words.load32(entry + READER.gating) !== GATING.gates) {
      return this.#words.store32(entry + READER.gating, GATING.none);
    }
    const smallest = this.#smallestCursor(-1);
    if (smallest >= 0) this.#words.mapping.raise(HEADER.tail, smallest); // L1
    trace.at?.("L1");
    this.#words.store32(entry + READER.gating, GATING.none); // L2
    wake(this.#words, LANE.CONSUMED);
  }

  /** Clears queue and index for every process: the new oldest sequence. */
  clear(): number {
    this.#words.mapping.raise(HEADER.cleared, this.head());
    this.wakeAll();
    return this.cleared();
  }
}
