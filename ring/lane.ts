/**
 * Waiting for frames or for room without blocking the event loop: look, spin a little, then sleep in the kernel
 * (docs/protocol.md, *Waiting and waking*).
 *
 * @module
 */
import { LANE } from "../ffi/shim.ts";
import { HEADER } from "./layout.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

/** The longest sleep: what a waker that died half-way can cost, and how often a sleeper looks after the dead. */
export const SLICE_MS = 250;
/** Looks in a row before the event loop gets its turn: a few microseconds. */
const SPINS = 60;
/** Turns of the event loop before sleeping: tens of microseconds. */
const TURNS = 20;

/** How a wait is bounded. */
export type WaitOptions = {
  /** Ends the wait; its reason is thrown. */
  signal?: AbortSignal;
  /** Ends the wait with `undefined` after so many milliseconds. Without it there is no limit. */
  timeoutMs?: number;
};

/** One lane of one depot object: all that wait in it share one sleeping call. */
export class Lane {
  readonly #words: Words;
  readonly #lane: number;
  readonly #peer: number;
  readonly #word: number;
  readonly #sleepers = new Set<() => void>();
  #asleep: Promise<void> | undefined;
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
   * @returns what `attempt` answered, or undefined when the time is up or the lane has been closed
   */
  async until<T>(attempt: () => T | undefined, idle: () => void, options: WaitOptions): Promise<T | undefined> {
    const { signal, timeoutMs } = options;
    const deadline = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    let quietSince = performance.now();
    for (let turn = 0;; turn++) {
      signal?.throwIfAborted();
      for (let spin = 0; spin < SPINS; spin++) {
        const answer = attempt();
        if (answer !== undefined) return answer;
      }
      if (this.#closed) return undefined;
      const now = performance.now();
      const left = deadline - now;
      if (left <= 0) return undefined;
      if (now - quietSince >= SLICE_MS) {
        idle();
        quietSince = now;
      }
      if (turn < TURNS) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      const answer = await this.#sleep(attempt, left, signal);
      if (answer !== undefined) return answer;
    }
  }

  async #sleep<T>(
    attempt: () => T | undefined,
    leftMs: number,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const { u32 } = this.#words;
    // The word before the flag: a waker that takes the flag away then has changed the word that we sleep on.
    const word = Atomics.load(u32, this.#word);
    trace.at?.("S1");
    Atomics.store(u32, this.#word + 1, 1);
    trace.at?.("S2");
    const answer = attempt();
    if (answer !== undefined) return answer;
    this.#asleep ??= this.#words.mapping.wait(this.#lane, this.#peer, word, SLICE_MS)
      .catch((error) => this.#failure = { error })
      .then(() => {
        this.#asleep = undefined;
        this.nudge();
      });
    await new Promise<void>((resolve) => {
      const timer = leftMs < SLICE_MS ? setTimeout(wake, leftMs) : undefined;
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
