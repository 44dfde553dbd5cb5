/**
 * Finding frames by number, by time, or the newest one, and consuming them: what the look-ups decide.
 *
 * @module
 */
import type { Attachment } from "./attachment.ts";
import { FATE } from "./fate.ts";
import { FrameIndex, type NumberState } from "./frame_index.ts";
import type { Reader } from "./reader.ts";
import type { Room } from "./room.ts";

/** A frame whose slot a producer touches at this moment is tried for this long: the producer may have lost its core. */
const PIN_MS = 5;
/** Searches for a frame that producers may overwrite before it is pinned. */
const SEARCHES = 100;
/** Tries between two looks at the clock. */
const PIN_TRIES = 100;

/** One reader entry and one index; the entry gates from the first {@linkcode Finder.consume} on. */
export class Finder {
  /** The entry through which it reads. */
  readonly reader: Reader;
  readonly #room: Room;
  readonly #maxSize: number;
  readonly #index: FrameIndex;
  #attached = false;
  /** Sequences beyond the cursor that were consumed because their number was small enough. */
  readonly #consumedAhead = new Set<number>();

  /** Takes an entry. @throws {DepotError} TOO_MANY_PEERS */
  constructor(attachment: Attachment) {
    const { room, geometry } = attachment;
    this.reader = attachment.reader("lookup");
    this.#room = room;
    this.#maxSize = geometry.maxSize;
    this.#index = new FrameIndex(this.reader, room, geometry);
  }

  /** Becomes a lossless reader, unless it is one. */
  gate(): void {
    if (!this.reader.gating) this.reader.startGating(0);
  }

  /** Counts as an attached reader that no producer waits for, unless it is a lossless one. */
  attach(): void {
    if (!this.reader.gating && !this.#attached) this.reader.startAt(this.#room.head());
    this.#attached = true;
  }

  /** Pins the newest frame. @returns its sequence, or -1 when there is none */
  pinNewest(): number {
    return this.#pinFound((head) => {
      for (let sequence = head - 1; sequence >= this.#oldest(head); sequence--) {
        if (this.reader.seems(sequence)) return sequence;
      }
      return -1;
    });
  }

  /**
   * Pins the frame whose time is nearest, of two equally near the newer one. Costs a look at each slot.
   *
   * @param low half of the nanoseconds @param high half
   * @param within nanoseconds that it may be away
   * @returns its sequence, or -1 when there is none so near
   */
  pinNearest(low: number, high: number, within: number): number {
    const { reader } = this;
    return this.#pinFound((head) => {
      let nearest = -1;
      let best = within;
      for (let sequence = this.#oldest(head); sequence < head; sequence++) {
        if (!reader.seems(sequence)) continue;
        const away = reader.nsFrom(reader.slotOf(sequence), low, high);
        if (away > best) continue;
        best = away;
        nearest = sequence;
      }
      return nearest;
    });
  }

  /** Pins what a search finds; where producers were quicker, the search is done again. */
  #pinFound(search: (head: number) => number): number {
    for (let tries = 0; tries < SEARCHES; tries++) {
      const head = this.#room.head();
      const sequence = search(head);
      if (sequence < 0) {
        if (this.#room.head() === head) return -1;
      } else if (this.#pin(sequence) >= 0) {
        this.#count(sequence);
        return sequence;
      }
    }
    return -1;
  }

  #oldest(head: number): number {
    return Math.max(0, head - this.#maxSize, this.#room.cleared());
  }

  /** Counts a frame; an attached reader has come to it, for people who look at its lag. */
  #count(sequence: number): void {
    this.reader.countRead();
    if (this.#attached && !this.reader.gating && sequence >= this.reader.cursor) this.reader.advance(sequence + 1);
  }

  /** Pins the frame of that number. @returns its sequence, or -1 when it is not in the queue */
  pin(number: number): number {
    this.#index.refresh();
    const sequence = this.#index.sequenceOf(number);
    if (sequence === undefined || !this.#isQueued(sequence)) return -1;
    const { reader } = this;
    const slot = this.#pin(sequence);
    if (slot < 0) return -1;
    if (reader.frameNumber(slot) === number) {
      this.#count(sequence);
      return sequence;
    }
    reader.unpin(slot);
    return -1;
  }

  #pin(sequence: number): number {
    const { reader } = this;
    let deadline = 0;
    for (let tries = 1;; tries++) {
      const slot = reader.pin(sequence);
      if (slot >= 0) return slot;
      const late = tries % PIN_TRIES === 0;
      if (reader.fate(sequence, late) !== FATE.THERE) return -1;
      if (!late) continue;
      if (deadline === 0) deadline = performance.now() + PIN_MS;
      else if (performance.now() > deadline) return -1;
    }
  }

  /** What is known of a number: none is pending where no frame can come any more. */
  statusOf(number: number): "stored" | NumberState {
    const end = this.#room.end(); // before the look: what was published until then is found by it
    const status = this.#look(number);
    return status === "pending" && !this.#takesMore(end) ? "missing" : status;
  }

  #look(number: number): "stored" | NumberState {
    this.#index.refresh();
    const sequence = this.#index.sequenceOf(number);
    if (sequence === undefined) return this.#index.stateOf(number);
    return this.#isQueued(sequence) && this.reader.fate(sequence, false) === FATE.THERE ? "stored" : "evicted";
  }

  /** Whether a frame of that number, which was not there, has come or may come: it was not yet, and there is no end. */
  mayCome(number: number): boolean {
    const end = this.#room.end(); // before the look, as above
    const status = this.#look(number);
    if (status === "stored" || status === "evicted") return status === "stored";
    return this.#takesMore(end);
  }

  /** Whether a frame may still be published: of an ended depot one that was claimed before. */
  #takesMore(end: ReturnType<Room["end"]>): boolean {
    return end === undefined || end === "ended" && !this.#index.isComplete;
  }

  /** Whether neither clearQueue nor this entry's own consuming has taken a sequence out. */
  #isQueued(sequence: number): boolean {
    if (sequence < this.#room.cleared()) return false;
    return !this.reader.gating || (sequence >= this.reader.cursor && !this.#consumedAhead.has(sequence));
  }

  /** Passes what the ring has overwritten or cleared meanwhile, so that the count of waiting frames is exact. */
  settle(): void {
    if (this.reader.gating) this.consume(-Infinity);
  }

  /**
   * Passes every frame numbered up to `number`, as the index has it since it was last asked. The cursor moves past what
   * has been consumed without a gap.
   */
  consume(number: number): void {
    const [{ reader }, index] = [this, this.#index];
    const head = this.#room.head();
    // In an overwriting depot the ring may have gone on without us.
    let cursor = Math.max(reader.cursor, this.#room.cleared(), head - this.#maxSize);
    let beyond = index.isAscendingFrom(cursor) ? head : cursor;
    for (; cursor < head; cursor++) {
      const known = index.numberOf(cursor);
      if (known !== undefined ? known <= number : reader.fate(cursor, false) === FATE.GONE) continue;
      if (this.#consumedAhead.has(cursor)) continue;
      // A slot still being written holds the cursor up, but not what comes after it.
      if (known === undefined) beyond = cursor;
      break;
    }
    for (let sequence = Math.max(beyond, cursor); sequence < head; sequence++) {
      if ((index.numberOf(sequence) ?? Infinity) <= number) this.#consumedAhead.add(sequence);
    }
    if (cursor !== reader.cursor) reader.advance(cursor);
    if (this.#consumedAhead.size === 0) return;
    for (const sequence of this.#consumedAhead) if (sequence < cursor) this.#consumedAhead.delete(sequence);
    reader.setAhead(this.#consumedAhead.size);
  }
}
