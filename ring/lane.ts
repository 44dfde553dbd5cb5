/**
 * Waiting for frames or for room without blocking the event loop: look, then spin or sleep in the kernel, as the pace
 * has it (docs/protocol.md, *Waiting and waking*).
 *
 * @module
 */
import { LANE } from "../ffi/shim.ts";
import { HEADER } from "./layout.ts";
import { type Pace, SLICE_MS, type Waiting } from "./pace.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

/** Looks in a row of who spins, before the event loop gets its turn: a few microseconds. */
const SPINS = 60;

/** A thread that blocks may sleep beside one that does not: systems with an event for each sleeper need another. */
const SYNC_SLEEPER = 2048;

/** How a wait is bounded, and how it spends its time. */
export type WaitOptions = {
  /** Ends the wait; its reason is thrown. */
  signal?: AbortSignal;
  /** Ends the wait with `undefined` after so many milliseconds. Without it there is no limit. */
  timeoutMs?: number;
  /**
   * - `"adaptive"` (default): sleeps; where waits usually take less than 2 ms, spins around the moment that is usual
   * - `"park"`: always sleeps in the kernel: the least work, and tens of microseconds until a wake is heard of
   * - `"spin"`: never sleeps: the shortest wait, for a whole core. The event loop gets its turns
   */
  waiting?: Waiting;
};

/** One lane of one depot object: all that wait in it share one sleeping call. */
export class Lane {
  readonly #words: Words;
  readonly #lane: number;
  readonly #peer: number;
  readonly #word: number;
  readonly #sleepers = new Set<() => void>();
  #asleep: Promise<void> | undefined;
  #asleepUntil = 0;
  #failure: { error: unknown } | undefined;
  #closed = false;

  constructor(words: Words, lane: number, peer: number) {
    this.#words = words;
    this.#lane = lane;
    this.#peer = peer;
    this.#word = (lane === LANE.PUBLISHED ? HEADER.published : HEADER.consumed) >> 2;
  }

  /**
   * Waits until `attempt` answers something.
   *
   * @param attempt called often; must be quick and must not wait
   * @param idle called whenever this wait has got nowhere for the length of a slice, however often it was woken
   * @param pace of the waits of whoever waits
   * @returns what `attempt` answered, or undefined when the time is up or the lane has been closed
   */
  async until<T>(
    attempt: () => T | undefined,
    idle: () => void,
    pace: Pace,
    options: WaitOptions,
  ): Promise<T | undefined> {
    const { signal, timeoutMs = Infinity, waiting = "adaptive" } = options;
    const started = performance.now();
    const deadline = started + timeoutMs;
    let quietSince = started;
    const look = (times: number): T | undefined => {
      for (; times > 0; times--) {
        const answer = attempt();
        if (answer === undefined) continue;
        pace.came(performance.now() - started);
        return answer;
      }
      return undefined;
    };
    for (let looks = 1;;) {
      signal?.throwIfAborted();
      const answer = look(looks);
      if (answer !== undefined) return answer;
      if (this.#closed) return undefined;
      const now = performance.now();
      const left = deadline - now;
      if (left <= 0) return undefined;
      if (now - quietSince >= SLICE_MS) {
        idle();
        quietSince = now;
      }
      const sleepMs = Math.min(left, pace.sleepMs(now - started, waiting));
      looks = sleepMs === 0 ? SPINS : 1;
      if (sleepMs === 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      const late = await this.#sleep(sleepMs, look, signal);
      if (late !== undefined) return late;
    }
  }

  /** {@linkcode Lane.until} on this thread, which is blocked meanwhile; a signal cannot end it. */
  untilSync<T>(attempt: () => T | undefined, idle: () => void, pace: Pace, options: WaitOptions): T | undefined {
    const { timeoutMs = Infinity, waiting = "adaptive" } = options;
    const started = performance.now();
    let quietSince = started;
    for (;;) {
      const answer = attempt();
      const now = performance.now();
      if (answer !== undefined) {
        pace.came(now - started);
        return answer;
      }
      const left = started + timeoutMs - now;
      if (left <= 0) return undefined;
      if (now - quietSince >= SLICE_MS) {
        idle();
        quietSince = now;
      }
      const sleepMs = Math.min(left, pace.sleepMs(now - started, waiting));
      if (sleepMs === 0) continue;
      const word = this.#announce();
      const late = attempt();
      if (late !== undefined) return late;
      this.#words.mapping.waitSync(this.#lane, this.#peer + SYNC_SLEEPER, word, sleepMs);
    }
  }

  /** Says that somebody is about to sleep (S1, S2). @returns what to sleep on, after one more look */
  #announce(): number {
    const { u32 } = this.#words;
    // The word before the flag: a waker that takes the flag away then has changed the word that we sleep on.
    const word = Atomics.load(u32, this.#word);
    trace.at?.("S1");
    Atomics.store(u32, this.#word + 1, 1);
    trace.at?.("S2");
    return word;
  }

  async #sleep<T>(
    sleepMs: number,
    look: (times: number) => T | undefined,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const word = this.#announce();
    const answer = look(1);
    if (answer !== undefined) return answer;
    const until = performance.now() + sleepMs;
    if (this.#asleep === undefined) this.#fallAsleep(word, sleepMs, until);
    await new Promise<void>((resolve) => {
      // Somebody else's sleep may be longer than ours.
      const timer = until < this.#asleepUntil ? setTimeout(wake, sleepMs) : undefined;
      const sleepers = this.#sleepers;
      function wake() {
        clearTimeout(timer);
        signal?.removeEventListener("abort", wake);
        sleepers.delete(wake);
        resolve();
      }
      signal?.addEventListener("abort", wake);
      sleepers.add(wake);
    });
    if (this.#failure !== undefined) throw this.#failure.error;
    // Nobody left to wake: end the sleeping call too, so that it does not keep the process alive.
    if (this.#sleepers.size === 0 && this.#asleep !== undefined) this.#poke();
    return undefined;
  }

  #fallAsleep(word: number, sleepMs: number, until: number): void {
    this.#asleepUntil = until;
    this.#asleep = this.#words.mapping.wait(this.#lane, this.#peer, word, sleepMs)
      .catch((error) => this.#failure = { error })
      .then(() => {
        this.#asleep = undefined;
        this.nudge();
      });
  }

  /** Has everyone in this lane of this depot object look again. */
  nudge(): void {
    for (const wake of [...this.#sleepers]) wake();
  }

  #poke(): void {
    Atomics.add(this.#words.u32, this.#word, 1);
    this.#words.mapping.wake(this.#lane);
  }

  /** Ends all waits with `undefined`. @returns when no thread is inside the segment's memory any more */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#asleep !== undefined) this.#poke();
    this.nudge();
    while (this.#asleep !== undefined) await this.#asleep;
  }
}
