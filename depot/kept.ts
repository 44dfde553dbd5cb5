/**
 * Leases that have ended for their user, while their memory can still be reached: by an operation of the runtime that
 * is under way, or through a buffer that was moved away. Their slots are kept from every producer.
 *
 * @module
 */
import type { Returned } from "../ring/payload.ts";
import type { SlotMemory } from "./slot_memory.ts";

/** First and longest pause between two looks at buffers that were busy. */
const FIRST_MS = 5;
const LONGEST_MS = 250;

/** What stays of a lease. */
type Kept = { what: string; memory: SlotMemory; end: () => void; moved: () => void };

/** The leases of one depot object that cannot end yet. */
export class KeptLeases {
  readonly #depot: string;
  readonly #unref: (timer: ReturnType<typeof setTimeout>) => void;
  readonly #busy: Kept[] = [];
  #outOfSight = 0;
  #pauseMs = FIRST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reported = false;

  /** @param unref lets the process end although the timer runs */
  constructor(depot: string, unref: (timer: ReturnType<typeof setTimeout>) => void) {
    this.#depot = depot;
    this.#unref = unref;
  }

  /**
   * Keeps a lease whose buffer was not given back.
   *
   * @param end gives its slot back
   * @param moved called when the buffer turns out to have been moved away
   */
  add(returned: Returned, what: string, memory: SlotMemory, end: () => void, moved: () => void = () => {}): void {
    const kept = { what, memory, end, moved };
    if (returned === "moved") return this.#addMoved(kept);
    this.#busy.push(kept);
    this.#pauseMs = FIRST_MS;
    this.#schedule();
  }

  /** Until the depot object is closed: the user has moved the buffer away. Said once. */
  #addMoved({ what, moved }: Kept): void {
    this.#outOfSight++;
    moved();
    if (this.#reported) return;
    this.#reported = true;
    console.warn(
      `frames-depot: the memory of ${what} of depot "${this.#depot}" was moved away by a transfer list, ` +
        "buffer.transfer() or a byte stream; its slot stays taken until this depot object is closed. " +
        "frame.copy() gives bytes of your own to move; a worker opens the depot itself (reported once)",
    );
  }

  /** Keeps a lease until the depot object is closed: its object is gone, and its buffer may be anywhere. */
  addForgotten(): void {
    this.#outOfSight++;
  }

  /** Whether anything outside this library may still reach memory that was lent. */
  get any(): boolean {
    return this.#busy.length > 0 || this.#outOfSight > 0;
  }

  /** Looks whether busy buffers can be had back now. @returns how many leases have ended */
  retry(): number {
    const busy: Kept[] = [];
    let ended = 0;
    for (const kept of this.#busy.splice(0)) {
      const returned = kept.memory.giveLate();
      if (returned === "busy") busy.push(kept);
      else if (returned === "moved") this.#addMoved(kept);
      else {
        kept.end();
        ended++;
      }
    }
    this.#busy.push(...busy);
    return ended;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#busy.length === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.retry();
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_MS);
      this.#schedule();
    }, this.#pauseMs);
    this.#unref(this.#timer);
  }

  /** Looks a last time. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.retry();
  }
}
