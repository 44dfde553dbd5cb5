/**
 * Waiting for frames or for room without blocking the event loop: look, then spin or sleep in the kernel, as the pace
 * has it (docs/internals/protocol.md, *Waiting and waking*).
 *
 * @module
 */
import { FLAG, LANE, type LaneNumber } from "../ffi/constants.ts";
import type { Alarm } from "../ffi/sleepers.ts";
import { PEER_INDEX_BITS } from "./layout.ts";
import { type Pace, SHORT_WRITE_MS, SLICE_MS, type Waiting } from "./pace.ts";
import { type Sleeping, Tick } from "./tick.ts";
import { trace } from "./trace.ts";
import { WAKE_FLAGS, WAKE_WORDS, type Words } from "./words.ts";

/** Looks in a row while spinning, before the event loop gets its turn: a few microseconds. */
const SPINS = 60;

/** Where the system refuses what a sleep needs (a thread, a descriptor), the words are looked at this often instead. */
const REFUSED_MS = 2;

/**
 * Added to the index of a peer whose thread blocks: it may sleep beside one that does not, and some systems need an
 * event for each sleeper. The indices of all peers are below this, and C takes those below twice this.
 */
const SYNC_SLEEPER = 2 ** (PEER_INDEX_BITS - 1);

/** How a wait is bounded. */
export interface WaitLimits {
  /** Ends the wait; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Limit of the wait in milliseconds. Default: no limit. What the call returns then, it says. */
  timeoutMs?: number | undefined;
}

/** How a wait is bounded, and how it spends its time. */
export interface WaitOptions extends WaitLimits {
  /**
   * - `"adaptive"` (default): sleeps; where waits usually take less than 2 ms, spins around the moment that is usual;
   *   a reader also spins while the next frame is being written, where that usually takes less than a millisecond
   * - `"park"`: always sleeps in the kernel: the least work, and tens of microseconds until a wake is heard of
   * - `"spin"`: never sleeps: the shortest wait, for a whole core. The event loop gets its turns
   */
  waiting?: Waiting | undefined;
}

/** One wait while it lasts. */
export class Wait {
  readonly #pace: Pace;
  readonly #waiting: Waiting;
  readonly #started = performance.now();
  readonly #deadline: number;
  /** Since when this wait has got nowhere, however often it was woken. */
  #quietSince = this.#started;
  #over = false;
  #lightly: boolean;
  #writingSince: number | undefined;
  #untilMs = Infinity;

  constructor(pace: Pace, { timeoutMs = Infinity, waiting = "adaptive" }: WaitOptions) {
    this.#pace = pace;
    this.#waiting = waiting;
    this.#deadline = this.#started + timeoutMs;
    this.#lightly = pace.sleepsLightly(waiting);
  }

  /** The flag value that a sleeper stores. */
  get flag(): number {
    return this.#lightly ? FLAG.SLEEPS_LIGHTLY : FLAG.SLEEPS;
  }

  /** Says whether what is waited for is being written at this moment: then falling asleep again would be wrong. */
  soon(isComing: boolean): void {
    this.#writingSince = isComing ? this.#writingSince ?? performance.now() : undefined;
  }

  /** Whether a producer writes while this wait looks. */
  get watchesWriting(): boolean {
    return this.#lightly && this.#writingSince !== undefined;
  }

  /** What was waited for has come: what is done with it is not waiting any more. Said twice, it counts once. */
  came(): void {
    if (this.#over) return;
    this.#over = true;
    const now = performance.now();
    this.#pace.came(now - this.#started);
    if (!this.#lightly || this.#writingSince === undefined) return;
    // Also late when giving way took long: where others want every processor, it is better to be woken once.
    this.#pace.wrote(now - this.#writingSince < SHORT_WRITE_MS);
  }

  /** A slice has gone by without anything: looks after the dead. */
  quiet(idle: () => void): void {
    idle();
    this.#quietSince = performance.now();
  }

  /**
   * How to go on after a look that found nothing.
   *
   * @param idle called when nothing has come for the length of a slice
   * @returns milliseconds to sleep, 0 to look again, undefined when the time is up
   */
  sleepMs(idle: () => void): number | undefined {
    const now = performance.now();
    if (now >= this.#deadline) return undefined;
    if (now - this.#quietSince >= SLICE_MS) this.quiet(idle);
    if (this.#lightly && this.#writingSince !== undefined) {
      if (now - this.#writingSince < SHORT_WRITE_MS) return 0;
      this.#lightly = false;
      this.#pace.wrote(false);
    }
    const paced = this.#pace.sleepMs(now - this.#started, this.#waiting);
    this.#untilMs = paced < SLICE_MS ? Math.min(now + paced, this.#deadline) : this.#deadline;
    return Math.min(this.#untilMs - now, this.#quietSince + SLICE_MS - now);
  }

  /** When the sleep of {@linkcode Wait.sleepMs} is over where a tick does what is due after each slice. */
  get untilMs(): number {
    return this.#untilMs;
  }
}

/** One for all that sleeps on this thread. */
const tick = new Tick(SLICE_MS);
/** One for all that would sleep on this thread but may not. A look is a load. */
const polls = new Tick(REFUSED_MS, Infinity);

/** A wait that sleeps: how to end its sleep, and how to have it look again without. */
type SleepingWait = { wake: () => void; beat: () => void };

/** One lane of one depot object: all that wait in it sleep as one. */
export class Lane implements Sleeping {
  readonly #words: Words;
  readonly #lane: LaneNumber;
  readonly #peer: number;
  readonly #word: number;
  readonly #flag: number;
  readonly #sleepers = new Set<SleepingWait>();
  readonly #alarm: Alarm;
  /** The value that is slept on and until when; undefined while nothing sleeps. */
  #armed: { word: number; until: number } | undefined;
  readonly #poll: Sleeping = { beat: () => this.#look() };
  readonly #unref: (timer: ReturnType<typeof setTimeout>) => void;
  #closed = false;

  constructor(words: Words, lane: LaneNumber, peer: number) {
    this.#words = words;
    this.#lane = lane;
    this.#peer = peer;
    this.#word = WAKE_WORDS[lane] >> 2;
    this.#flag = WAKE_FLAGS[lane] >> 2;
    this.#unref = (timer) => words.mapping.unref(timer);
    for (const each of [tick, polls]) each.enroll();
    this.#alarm = words.mapping.alarm(lane, peer, () => {
      this.#armed = undefined;
      this.nudge();
    });
  }

  /**
   * Waits until `attempt` returns something.
   *
   * @param attempt called often; must be quick and must not wait. If it does something with what it finds, it says
   *   {@linkcode Wait.came} first
   * @param idle called whenever this wait has got nowhere for the length of a slice, however often it was woken
   * @param pace of the waits of the caller
   * @returns what `attempt` returned, or undefined when the time is up or the lane has been closed
   */
  async until<T>(
    attempt: (wait: Wait) => T | undefined,
    idle: () => void,
    pace: Pace,
    options: WaitOptions,
  ): Promise<T | undefined> {
    const { signal } = options;
    const wait = new Wait(pace, options);
    const look = (times: number): T | undefined => {
      for (; times > 0; times--) {
        const answer = attempt(wait);
        if (answer === undefined) continue;
        wait.came();
        return answer;
      }
      return undefined;
    };
    for (let looks = 1;;) {
      signal?.throwIfAborted();
      if (this.#closed) return undefined; // the memory may be gone
      const answer = look(looks);
      if (answer !== undefined) return answer;
      const sleepMs = wait.sleepMs(idle);
      if (sleepMs === undefined) return undefined;
      looks = sleepMs === 0 && !wait.watchesWriting ? SPINS : 1;
      if (sleepMs === 0) {
        this.#giveWay(wait);
        await new Promise<void>((resolve) => setImmediate(resolve));
        continue;
      }
      const late = await this.#sleep(wait, look, idle, signal);
      if (late !== undefined) return late;
    }
  }

  /** {@linkcode Lane.until} on this thread, which is blocked meanwhile; a signal cannot end it. */
  untilSync<T>(
    attempt: (wait: Wait) => T | undefined,
    idle: () => void,
    pace: Pace,
    options: WaitOptions,
  ): T | undefined {
    const wait = new Wait(pace, options);
    for (;;) {
      const answer = attempt(wait);
      if (answer !== undefined) {
        wait.came();
        return answer;
      }
      const sleepMs = wait.sleepMs(idle);
      if (sleepMs === undefined) return undefined;
      if (sleepMs === 0) {
        this.#giveWay(wait);
        continue;
      }
      const word = this.#announce(wait);
      const late = attempt(wait);
      if (late !== undefined) {
        wait.came();
        return late;
      }
      this.#words.mapping.waitSync(this.#lane, this.#peer + SYNC_SLEEPER, word, sleepMs);
    }
  }

  /** A reader that was woken to see a frame being written may be on the very processor that the writer needs. */
  #giveWay(wait: Wait): void {
    if (wait.watchesWriting) this.#words.mapping.yield();
  }

  /** Says that a sleep is about to begin (S1, S2). @returns the word's value to sleep on, after one more look */
  #announce(wait: Wait): number {
    const { u32 } = this.#words;
    // The word before the flag: a waker that takes the flag away then has changed the word that we sleep on.
    const word = Atomics.load(u32, this.#word);
    trace.at?.("S1");
    Atomics.store(u32, this.#flag, this.#lane === LANE.PUBLISHED ? wait.flag : FLAG.SLEEPS);
    trace.at?.("S2");
    return word;
  }

  /** One sleep. @returns what a look found at its beginning or meanwhile; otherwise look again */
  async #sleep<T>(
    wait: Wait,
    look: (times: number) => T | undefined,
    idle: () => void,
    signal: AbortSignal | undefined,
  ): Promise<T | undefined> {
    const word = this.#announce(wait);
    const answer = look(1);
    if (answer !== undefined) return answer;
    this.#arm(word, wait.untilMs);
    return await new Promise<T | undefined>((resolve, reject) => {
      const end = () => {
        signal?.removeEventListener("abort", sleeper.wake);
        this.#sleepers.delete(sleeper);
        // Nothing sleeps any more: then this must not keep the process alive.
        if (this.#sleepers.size === 0) this.#disarm();
      };
      const sleeper: SleepingWait = {
        wake: () => {
          end();
          resolve(undefined);
        },
        beat: () => {
          try {
            wait.quiet(idle);
            // A waker that died may have taken the flag away.
            this.#announce(wait);
            const late = look(1);
            if (late === undefined) return;
            end();
            resolve(late);
          } catch (error) {
            end();
            reject(error);
          }
        },
      };
      signal?.addEventListener("abort", sleeper.wake);
      this.#sleepers.add(sleeper);
    });
  }

  /** Sleeps on the word, or goes on sleeping if nothing is new: a word that has changed since rings by itself. */
  #arm(word: number, until: number): void {
    tick.add(this, this.#unref);
    if (this.#armed !== undefined && this.#armed.until <= until) return;
    this.#armed = { word: this.#armed?.word ?? word, until };
    if (this.#alarm.arm(this.#armed.word, until - performance.now())) return;
    polls.add(this.#poll, () => {}); // keeps the process alive, as an alarm does
  }

  /** Does what the alarm would, which the system refuses; and tries again. */
  #look(): void {
    if (this.#armed === undefined) return;
    const { word, until } = this.#armed;
    const left = until - performance.now();
    if (left > 0 && Atomics.load(this.#words.u32, this.#word) === word) {
      if (this.#alarm.arm(word, left)) polls.delete(this.#poll);
    } else {
      polls.delete(this.#poll);
      this.#armed = undefined;
      this.nudge();
    }
  }

  #disarm(): void {
    tick.delete(this);
    polls.delete(this.#poll);
    if (this.#armed === undefined) return;
    this.#armed = undefined;
    this.#alarm.disarm();
  }

  /** Has every wait in this lane of this depot object look again. */
  nudge(): void {
    for (const { wake } of [...this.#sleepers]) wake();
  }

  /** {@linkcode Sleeping.beat} */
  beat(): void {
    for (const { beat } of [...this.#sleepers]) beat();
  }

  /** Sleeps no more in memory that is about to change while the process ends. No wait hears of it. */
  leaveNow(): void {
    this.#closed = true;
    this.#disarm();
  }

  /** Ends all waits with `undefined`. @returns when nothing sleeps in the segment's memory any more */
  async close(): Promise<void> {
    this.#closed = true;
    this.nudge();
    this.#disarm();
    for (const each of [tick, polls]) each.dismiss();
    await this.#alarm.close();
  }
}
