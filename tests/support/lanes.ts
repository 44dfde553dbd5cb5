/**
 * The two lanes of a depot seen from beside it: whether a process sleeps in one, and the flag and word as a waker that
 * dies half-way leaves them.
 *
 * @module
 */
import { loadShim } from "../../ffi/load.ts";
import type { LaneNumber } from "../../ffi/constants.ts";
import type { Mapping } from "../../ffi/mapping.ts";
import type { Segment } from "../../ffi/segment.ts";
import { HEADER } from "../../ring/layout.ts";
import { Tick } from "../../ring/tick.ts";
import { WAKE_WORDS } from "../../ring/words.ts";

/** One lane; it maps the header, and joins nothing. */
export class LaneView implements Disposable {
  readonly #segment: Segment;
  readonly #mapping: Mapping;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #word: number;

  constructor(name: string, lane: LaneNumber) {
    this.#segment = loadShim().open(name) as Segment;
    this.#mapping = this.#segment.map(HEADER.size, WAKE_WORDS) as Mapping;
    this.#words = new Uint32Array(this.#mapping.view(0, HEADER.size));
    this.#word = WAKE_WORDS[lane] >> 2;
  }

  /** How often the lane has been woken. */
  get wakes(): number {
    return Atomics.load(this.#words, this.#word);
  }

  /** What a sleeper has stored. */
  get flag(): number {
    return Atomics.load(this.#words, this.#word + 1);
  }

  /** Takes the flag away that earlier waits have left; nothing may sleep in the lane. */
  lower(): void {
    Atomics.store(this.#words, this.#word + 1, 0);
  }

  /** Resolves once the flag is up: what has begun to wait since {@linkcode LaneView.lower} sleeps. */
  async asleep(): Promise<void> {
    while (this.flag === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** A waker took the flag away and died: before it changed the word, or after that and before the system call. */
  dieHalfWay(changed: boolean): void {
    Atomics.store(this.#words, this.#word + 1, 0);
    if (changed) Atomics.add(this.#words, this.#word, 1);
  }

  [Symbol.dispose](): void {
    this.#words.buffer.transfer(0);
    this.#mapping.unmap();
    this.#segment.close();
  }
}

/** Nothing that begins to sleep from now on looks again by itself: only a wake ends it. Until disposed of. */
export function withoutTick(): Disposable {
  const { add } = Tick.prototype;
  Tick.prototype.add = () => {};
  return { [Symbol.dispose]: () => void (Tick.prototype.add = add) };
}
