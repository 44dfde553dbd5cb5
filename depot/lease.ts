/**
 * Leases are ended by their user: watching for those that never are.
 *
 * @module
 */
import type { KeptLeases } from "./kept.ts";

/** What is known of a lease without its object. */
export type Traces = {
  /** The slot, or -1 when nothing is held. */
  slot: number;
  /** Whether a view of it was ever made: then its memory may be reached without the object. */
  lent: boolean;
};

/** A loop over frames as they refer to it: by it its reader lives as long as they do. */
export type Loop = { readonly traces: Traces; readonly reader: unknown };

/**
 * What outlives a lease's object. `end` ends the lease without it where that is safe.
 *
 * @returns false where the memory has been lent: then the slot stays leased until the depot object is closed
 */
export type Remains = Traces & { what: string; ended: boolean; end: () => boolean };

/** What holds a slot or a place in the sequence until it is released. */
export interface Lease {
  /** Whether it has ended. */
  readonly released: boolean;
  /** Ends the lease; a second call does nothing. Marks its remains ended, if there are any. */
  release(): void;
}

/** A class, whether or not its constructor is private. */
// deno-lint-ignore ban-types -- what `instanceof` takes
type LeaseType<L extends Lease> = Function & { readonly prototype: L };

const preparations: { type: LeaseType<Lease>; prepare: (lease: never) => Remains }[] = [];

/**
 * Says how a type of lease prepares for being forgotten, without a method that its users would see.
 *
 * @param prepare called once, if a lease grows old; what it returns must not refer to the lease
 */
export function outlives<L extends Lease>(type: LeaseType<L>, prepare: (lease: L) => Remains): void {
  preparations.push({ type, prepare });
}

function remainsOf(lease: Lease): Remains {
  return preparations.find(({ type }) => lease instanceof type)!.prepare(lease as never);
}

/** A lease younger than this is held by us, and costs nothing more; an older one is watched for being forgotten. */
const YOUNG_MS = 100;
/** Limit of released leases that are kept until the next sweep. */
const YOUNG_COUNT = 1024;

/**
 * Tells a forgotten lease from one in use. Nearly all leases end within milliseconds, and registering each with the
 * garbage collector would cost more than the lease itself; so only those that grow old are registered.
 */
export class LeaseWatch {
  readonly #forgotten: FinalizationRegistry<Remains>;
  readonly #old = new Set<WeakRef<Lease>>();
  readonly #remains = new Set<Remains>();
  readonly #unref: (timer: ReturnType<typeof setTimeout>) => void;
  readonly #kept: KeptLeases;
  #young: Lease[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reported = false;

  /** @param unref lets the process end although the timer runs */
  constructor(depot: string, unref: (timer: ReturnType<typeof setTimeout>) => void, kept: KeptLeases) {
    this.#unref = unref;
    this.#kept = kept;
    this.#forgotten = new FinalizationRegistry((remains) => {
      this.#remains.delete(remains);
      if (remains.ended) return;
      remains.ended = true;
      const ended = remains.end();
      if (!ended) kept.addForgotten();
      if (this.#reported) return;
      this.#reported = true;
      console.warn(
        `frames-depot: ${remains.what} of depot "${depot}" was never released; ` +
          (ended ? "it has been reclaimed. " : "its slot stays leased until this depot object is closed. ") +
          "`using` or release() ends a lease in time (reported once)",
      );
    });
  }

  /** Watches a lease until it is released. */
  watch(lease: Lease): void {
    // Mostly the one before has been released meanwhile: taking its place keeps it from growing old in this list.
    const young = this.#young;
    const last = young.length - 1;
    if (last >= 0 && young[last].released) young[last] = lease;
    else this.#add(lease);
  }

  #add(lease: Lease): void {
    this.#young.push(lease);
    if (this.#young.length > YOUNG_COUNT) this.#young = this.#young.filter(({ released }) => !released);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#sweep(), YOUNG_MS);
    this.#unref(this.#timer);
  }

  #sweep(): void {
    this.#timer = undefined;
    const grown = this.#young.filter(({ released }) => !released);
    this.#young = [];
    for (const reference of this.#old) {
      if (reference.deref()?.released !== false) this.#old.delete(reference);
    }
    for (const remains of this.#remains) if (remains.ended) this.#remains.delete(remains);
    for (const lease of grown) {
      const remains = remainsOf(lease);
      this.#remains.add(remains);
      this.#forgotten.register(lease, remains);
      this.#old.add(new WeakRef(lease));
    }
  }

  /** Ends every lease that is still held, and leaves nothing to do for those that were forgotten. */
  close(): void {
    clearTimeout(this.#timer);
    for (const lease of this.#young) lease.release();
    for (const reference of this.#old) reference.deref()?.release();
    this.#young = [];
    this.#old.clear();
    for (const remains of this.#remains) this.#abandon(remains);
    this.#remains.clear();
  }

  /** What was collected and whose finalizer has not run: its memory may have been moved away. */
  #abandon(remains: Remains): void {
    if (!remains.ended && remains.lent && remains.slot >= 0) this.#kept.addForgotten();
    remains.ended = true;
  }
}
