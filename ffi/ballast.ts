/**
 * Buffers that live so that a garbage collector comes less often.
 *
 * @module
 */
import type { Mapping } from "./mapping.ts";

/** Views of smaller frames bring few collections of garbage. */
const FROM_BYTES = 64 * 1024;
/** Limits: a buffer takes half a kilobyte itself, and engines refuse longer ones. */
const MOST_BUFFERS = 1024;
const MOST_BYTES = 2 ** 30;

/**
 * JavaScriptCore counts the bytes under every new buffer as allocated, and collects garbage once that count reaches the
 * bytes that are alive. Each lease of a frame is a new buffer, so that large ones would bring a collection every few
 * frames. Buffers that live raise the limit, and these take next to no memory: they are over the mapping, and are never
 * read.
 */
export class Ballast {
  readonly #mapping: Mapping;
  readonly #start: number;
  readonly #bytes: number;
  readonly #frameBytes: number;
  #wanted: number | undefined;
  readonly #buffers: ArrayBuffer[] = [];
  /** Bytes under the ballast of all depots of this thread: each thread has a collector of its own. */
  static #total = 0;

  /** @param start where the slots' memory begins in the mapping @param bytes of all slots */
  constructor(mapping: Mapping, start: number, bytes: number, frameBytes: number) {
    this.#mapping = mapping;
    this.#start = start;
    this.#bytes = bytes;
    this.#frameBytes = frameBytes;
  }

  /** To be called before a view is made. Mostly there is enough; another depot may have taken its own away. */
  keep(): void {
    // Asked at the first view: a process that only opens, copies or lists needs none.
    const wanted = this.#wanted ??= this.#frameBytes < FROM_BYTES ? 0 : this.#mapping.ballastBytes;
    while (Ballast.#total < wanted && this.#buffers.length < MOST_BUFFERS) {
      const bytes = Math.min(this.#bytes, wanted - Ballast.#total, MOST_BYTES);
      this.#buffers.push(this.#mapping.view(this.#start, bytes));
      Ballast.#total += bytes;
    }
  }

  /** To be called before the mapping goes. */
  drop(): void {
    for (const buffer of this.#buffers.splice(0)) {
      Ballast.#total -= buffer.byteLength;
      buffer.transfer(0);
    }
  }
}
