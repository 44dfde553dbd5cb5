/**
 * The recovery tick of a thread: what all its sleeping waits share instead of a time-out each.
 *
 * @module
 */

/** What wants to be called while it sleeps. */
export interface Sleeping {
  /** Looks after the dead, and whether what is waited for has come without a wake. */
  beat(): void;
}

/** Members that are called in one turn of the event loop; those left over follow in the next ones. */
const AT_ONCE = 16;

/** Calls each member once a period, for as long as it is one. */
export class Tick {
  readonly #periodMs: number;
  readonly #atOnce: number;
  /** By member: when to call it. In that order, because the period is the same for all. */
  readonly #members = new Map<Sleeping, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #users = 0;

  /** @param atOnce members that are called in one turn of the event loop */
  constructor(periodMs: number, atOnce: number = AT_ONCE) {
    this.#periodMs = periodMs;
    this.#atOnce = atOnce;
  }

  /** Says that members may come. */
  enroll(): void {
    this.#users++;
  }

  /** Takes back an {@linkcode Tick.enroll}: after the last one no timer is left. */
  dismiss(): void {
    if (--this.#users > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Adds a member, or has it wait for a whole period anew. @param unref lets the process end although a timer runs */
  add(member: Sleeping, unref: (timer: ReturnType<typeof setTimeout>) => void): void {
    this.#members.delete(member);
    this.#members.set(member, performance.now() + this.#periodMs);
    if (this.#timer === undefined) this.#schedule(this.#periodMs, unref);
  }

  /** Takes a member out. The timer goes on: most members soon come back, and a turn without work is cheap. */
  delete(member: Sleeping): void {
    this.#members.delete(member);
  }

  #schedule(ms: number, unref: (timer: ReturnType<typeof setTimeout>) => void): void {
    this.#timer = setTimeout(() => this.#turn(unref), ms);
    unref(this.#timer);
  }

  #turn(unref: (timer: ReturnType<typeof setTimeout>) => void): void {
    this.#timer = undefined;
    const now = performance.now();
    const due: Sleeping[] = [];
    let next = Infinity;
    for (const [member, at] of this.#members) {
      if (at > now + 1 || due.length === this.#atOnce) {
        next = at;
        break;
      }
      due.push(member);
    }
    for (const member of due) {
      this.#members.delete(member);
      this.#members.set(member, now + this.#periodMs);
    }
    if (this.#members.size > 0) this.#schedule(Math.max(1, Math.min(next - now, this.#periodMs)), unref);
    for (const member of due) member.beat();
  }
}
