/**
 * A depot as a few numbers and arrays in one process: what the real one has to agree with. Nothing is leased here for
 * longer than a step, so no sequence is ever burned.
 *
 * @module
 */
import type { FrameStatus, WhenFull } from "../../mod.ts";

/** A frame as the model has it. */
export type ModelFrame = { sequence: number; number: number; value: number };

type Place = { cursor: number; ahead: Set<number> };

/** The model of one depot with one looking-up depot object and at most one lossless loop. */
export class Model {
  readonly #maxSize: number;
  readonly #whenFull: WhenFull;
  /** All that was ever stored, by sequence. */
  readonly #frames: ModelFrame[] = [];
  readonly #used = new Set<number>();
  #highest = -Infinity;
  #cleared = 0;
  #tail = 0;
  #lookup: Place | undefined;
  #loop: Place | undefined;
  #lost = 0;
  dropped = 0;

  constructor(maxSize: number, whenFull: WhenFull) {
    this.#maxSize = maxSize;
    this.#whenFull = whenFull;
  }

  get head(): number {
    return this.#frames.length;
  }

  /** The oldest sequence still in a slot. */
  get #oldest(): number {
    return Math.max(0, this.head - this.#maxSize);
  }

  get #gating(): Place[] {
    return [this.#lookup, this.#loop].filter((place) => place !== undefined);
  }

  /** Room comes back in order: what counts is the oldest sequence that a reader still wants. */
  get isFull(): boolean {
    if (this.#whenFull === "overwrite") return false;
    const wanted = Math.min(...this.#gating.map(({ cursor }) => cursor));
    return this.head - this.#maxSize >= Math.max(wanted === Infinity ? this.#tail : wanted, this.#cleared);
  }

  enqueue(number: number, value: number): ModelFrame | undefined {
    if (this.isFull) {
      if (this.#whenFull === "drop") this.dropped++;
      return undefined;
    }
    const frame = { sequence: this.head, number, value };
    this.#frames.push(frame);
    this.#used.add(number);
    this.#highest = Math.max(this.#highest, number);
    return frame;
  }

  #isIn(sequence: number): boolean {
    if (sequence < Math.max(this.#oldest, this.#cleared)) return false;
    return this.#lookup === undefined || sequence >= this.#lookup.cursor && !this.#lookup.ahead.has(sequence);
  }

  peek(number: number): ModelFrame | undefined {
    const frame = this.#frames.slice(this.#oldest).findLast((frame) => frame.number === number);
    return frame !== undefined && this.#isIn(frame.sequence) ? frame : undefined;
  }

  /** Where a lossless reader begins. */
  #join(wish: number): Place {
    const others = this.#gating.map(({ cursor }) => cursor);
    const kept = Math.max(others.length > 0 ? Math.min(...others) : 0, this.#tail, this.#cleared);
    return { cursor: Math.max(kept, wish), ahead: new Set() };
  }

  get(number: number): ModelFrame | undefined {
    this.#lookup ??= this.#join(0);
    const frame = this.peek(number);
    if (frame !== undefined) this.#consume(number);
    return frame;
  }

  /** Passes every frame numbered up to `number`. */
  #consume(number: number): void {
    const place = this.#lookup;
    if (place === undefined) return;
    place.cursor = Math.max(place.cursor, this.#cleared, this.#oldest);
    for (let at = place.cursor; at < this.head; at++) if (this.#frames[at].number <= number) place.ahead.add(at);
    while (place.ahead.has(place.cursor)) place.cursor++;
    for (const sequence of place.ahead) if (sequence < place.cursor) place.ahead.delete(sequence);
  }

  statusOf(number: number): FrameStatus {
    if (this.peek(number) !== undefined) return "stored";
    if (this.#used.has(number)) return "evicted";
    return number > this.#highest ? "pending" : "missing";
  }

  clear(): void {
    this.#cleared = this.head;
  }

  startLoop(): void {
    this.#loop = this.#join(Math.max(this.#oldest, this.#cleared));
    this.#lost = 0;
  }

  endLoop(): void {
    this.#tail = Math.max(this.#tail, ...[Math.min(...this.#gating.map(({ cursor }) => cursor))]);
    this.#loop = undefined;
  }

  get hasLoop(): boolean {
    return this.#loop !== undefined;
  }

  /** The loop's next frame, released at once, and how many it missed before. */
  next(): ModelFrame & { lost: number } | undefined {
    const loop = this.#loop!;
    const jump = (to: number) => {
      if (to <= loop.cursor) return;
      this.#lost += to - loop.cursor;
      loop.cursor = to;
    };
    jump(this.#cleared);
    // A reader that fell out of the window keeps clear of the slot that is overwritten next.
    if (loop.cursor < this.#oldest) jump(this.#oldest + 1);
    if (loop.cursor >= this.head) return undefined;
    const frame = { ...this.#frames[loop.cursor++], lost: this.#lost };
    this.#lost = 0;
    return frame;
  }

  /**
   * Frames that wait for the slowest lossless reader. Where two are equally slow but one of them has consumed some out
   * of order, either count is right.
   */
  lengths(): number[] {
    this.#consume(-Infinity);
    const from = (cursor: number) => Math.max(cursor, this.#cleared, this.#oldest);
    const places = this.#gating;
    if (places.length === 0) return [this.head - from(this.#tail)];
    const slowest = Math.min(...places.map(({ cursor }) => from(cursor)));
    return places.filter(({ cursor }) => from(cursor) === slowest).map(({ ahead }) => this.head - slowest - ahead.size);
  }
}
