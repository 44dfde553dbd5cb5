/**
 * The table of readers: an entry for each place in the sequence, taken and given back. Steps J1 and L3 of
 * docs/internals/protocol.md.
 *
 * @module
 */
import { READER, READER_MODES } from "./layout.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

/** What a reader does when it falls behind; `lookup` serves getFrame and peekFrame. */
export type ReaderMode = typeof READER_MODES[number];

/** The entries, whose index is the reader's bit in the pins of every slot. */
export class ReaderTable {
  readonly #words: Words;
  readonly #maxReaders: number;

  constructor(words: Words, maxReaders: number) {
    this.#words = words;
    this.#maxReaders = maxReaders;
  }

  /** Takes a free entry (J1). @returns its index; undefined when all are taken */
  enter(owner: number, mode: ReaderMode): number | undefined {
    const { u32, f64 } = this.#words;
    for (let index = 0; index < this.#maxReaders; index++) {
      const entry = this.#words.reader(index);
      if (Atomics.compareExchange(u32, (entry + READER.owner) >> 2, 0, owner) !== 0) continue;
      trace.at?.("J1");
      f64[(entry + READER.readBase) >> 3] = f64[(entry + READER.read) >> 3];
      f64[(entry + READER.lostBase) >> 3] = f64[(entry + READER.lost) >> 3];
      u32[(entry + READER.ahead) >> 2] = 0;
      u32[(entry + READER.group) >> 2] = 0;
      u32[(entry + READER.mode) >> 2] = READER_MODES.indexOf(mode);
      return index;
    }
    return undefined;
  }

  /** Gives an entry back (L3): none of its leases is held any more. */
  free(index: number): void {
    this.#words.store32(this.#words.reader(index) + READER.owner, 0);
  }

  /** The entries of a peer. */
  ownedBy(id: number): number[] {
    const found: number[] = [];
    for (let index = 0; index < this.#maxReaders; index++) {
      if (this.#words.load32(this.#words.reader(index) + READER.owner) === id) found.push(index);
    }
    return found;
  }
}
