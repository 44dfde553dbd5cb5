/**
 * Sleeping on words in shared memory beside the event loop: one sleeper of C for each 127 words that this thread sleeps
 * on (futex_waitv, from Linux 5.16), for each word elsewhere.
 *
 * @module
 */
import type { Attendance, Backend } from "./backend.ts";
import type { Native, Pointer } from "./symbols.ts";

/** Where a word is, for C: its address, and what systems need that give each sleeper an event of its own. */
export type WordAt = { segment: Pointer; word: Pointer; lane: number; peer: number };

/** Minimum interval between two tries to make a sleeper where the system refuses what it needs. */
const RETRY_MS = 100;

/** Words that one sleeper of C watches. */
class Sleeper {
  readonly #native: Native;
  readonly #handle: Pointer;
  readonly #attendance: Attendance;
  /** By place: what to call, or what waits for the sleep to be over. */
  readonly #alarms: (Alarm | undefined)[];
  readonly #leaving = new Map<number, (value: void) => void>();
  readonly #free: number[];
  readonly #taken = new Uint32Array(4);

  constructor(backend: Backend, native: Native, places: number) {
    const out = new BigUint64Array(1);
    const answer = native.fd_sleeper_make(out);
    if (answer < 0) throw new Error(`a sleeper cannot be made: errno ${-answer}`);
    this.#native = native;
    this.#handle = backend.pointer(out[0]);
    this.#alarms = new Array(places);
    this.#free = Array.from({ length: places }, (_, place) => places - 1 - place);
    try {
      this.#attendance = backend.attend(native, this.#handle, () => this.#woken());
    } catch (error) {
      native.fd_sleeper_stop(this.#handle);
      throw error;
    }
  }

  get hasRoom(): boolean {
    return this.#free.length > 0;
  }

  /** Settled when it is at rest, if it watches nothing. */
  quiet(): Promise<void> | undefined {
    return this.#free.length === this.#alarms.length ? this.#attendance.quiet() : undefined;
  }

  /** Watches a word at a free place. */
  take(alarm: Alarm): number {
    const place = this.#free.pop()!;
    this.#alarms[place] = alarm;
    return place;
  }

  /** @returns false where C refuses */
  watch(place: number, { segment, word, lane, peer }: WordAt, expected: number, timeoutMs: number): boolean {
    const answer = this.#native.fd_sleeper_watch(this.#handle, place, segment, word, lane, peer, expected, timeoutMs);
    if (answer >= 0) this.#attendance.arm();
    return answer >= 0;
  }

  /** Watches there no more. @returns a promise where C is still in the word */
  forget(place: number): Promise<void> | undefined {
    this.#alarms[place] = undefined;
    if (this.#native.fd_sleeper_forget(this.#handle, place) === 1) {
      return new Promise((resolve) => this.#leaving.set(place, resolve));
    }
    this.#give(place);
    return undefined;
  }

  #give(place: number): void {
    this.#free.push(place);
    if (this.#free.length === this.#alarms.length) this.#attendance.rest();
  }

  #woken(): void {
    if (this.#native.fd_sleeper_take(this.#handle, this.#taken) <= 0) return;
    for (const [index, word] of this.#taken.entries()) {
      for (let bits = word; bits !== 0; bits &= bits - 1) {
        const place = index * 32 + 31 - Math.clz32(bits & -bits);
        const alarm = this.#alarms[place];
        this.#alarms[place] = undefined;
        this.#give(place);
        this.#leaving.get(place)?.();
        this.#leaving.delete(place);
        alarm?.ring();
      }
    }
  }
}

/** Everything that one thread sleeps on. */
export class Sleepers {
  readonly #backend: Backend;
  readonly #native: Native;
  readonly #all: Sleeper[] = [];
  #places = 0;
  #refusedAt = -Infinity;

  constructor(backend: Backend, native: Native) {
    this.#backend = backend;
    this.#native = native;
  }

  /** Settled when sleepers that watch nothing are at rest. */
  async quiet(): Promise<void> {
    for (const sleeper of this.#all) await sleeper.quiet();
  }

  /** A sleeper with a free place; undefined where the system refuses another one just now. */
  withRoom(): Sleeper | undefined {
    const found = this.#all.find(({ hasRoom }) => hasRoom);
    if (found !== undefined) return found;
    if (performance.now() - this.#refusedAt < RETRY_MS) return undefined;
    this.#places ||= this.#native.fd_sleeper_places();
    try {
      const made = new Sleeper(this.#backend, this.#native, this.#places);
      this.#all.push(made);
      return made;
    } catch {
      this.#refusedAt = performance.now(); // no thread or descriptor to be had: a later try may find one
      return undefined;
    }
  }
}

/** One word that is slept on now and then. */
export class Alarm {
  readonly #sleepers: Sleepers;
  readonly #where: WordAt;
  readonly #rung: () => void;
  #sleeper: Sleeper | undefined;
  #place = -1;
  #leaving: Promise<void> | undefined;

  /** @param rung called each time that it was armed and something has happened */
  constructor(sleepers: Sleepers, where: WordAt, rung: () => void) {
    this.#sleepers = sleepers;
    this.#where = where;
    this.#rung = rung;
  }

  /**
   * Sleeps until the word is another than `expected`, is woken, or the time is up (Infinity: never). Armed once more,
   * the new values count.
   *
   * @returns false where the system refuses what a sleep needs just now
   */
  arm(expected: number, timeoutMs: number): boolean {
    if (this.#sleeper === undefined) {
      this.#sleeper = this.#sleepers.withRoom();
      if (this.#sleeper === undefined) return false;
      this.#place = this.#sleeper.take(this);
    }
    if (this.#sleeper.watch(this.#place, this.#where, expected | 0, timeoutMs)) return true;
    this.disarm();
    return false;
  }

  /** Called by the sleeper, which has let go of the word. */
  ring(): void {
    this.#sleeper = undefined;
    this.#rung();
  }

  /** Does not sleep any more. @returns when nothing touches the word, and no sleep is under way for nothing */
  async close(): Promise<void> {
    await this.disarm();
    await this.#sleepers.quiet();
  }

  /** Does not sleep any more. @returns when nothing touches the word */
  async disarm(): Promise<void> {
    const sleeper = this.#sleeper;
    this.#sleeper = undefined;
    if (sleeper !== undefined) this.#leaving = sleeper.forget(this.#place);
    await this.#leaving;
  }
}
