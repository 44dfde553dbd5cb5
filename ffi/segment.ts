/**
 * A segment by its name and its locks. A negative number is `-errno` (Linux's numbers on every system).
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { Mapping } from "./mapping.ts";
import type { Sleepers } from "./sleepers.ts";
import { FD, type Native, type Pointer } from "./symbols.ts";

/**
 * What the system says of a segment. `owner` and `self` are user ids, -1 where there are none. `self` is -1 too where a
 * user namespace shows other users by the same id.
 */
export type SegmentInfo = { bytes: number; mode: number; owner: number; self: number; linked: boolean };

/** What C has filled in. */
export function infoFrom(out: Float64Array): SegmentInfo {
  return {
    bytes: out[FD.INFO_BYTES],
    mode: out[FD.INFO_MODE],
    owner: out[FD.INFO_OWNER],
    self: out[FD.INFO_SELF],
    linked: out[FD.INFO_LINKED] === 1,
  };
}

/** An open segment. */
export class Segment {
  /** The depot's name. */
  readonly depot: string;
  #sleepers: Sleepers;
  #backend: Backend;
  #native: Native;
  #handle: Pointer;

  /** Made by {@linkcode Shim.create} and {@linkcode Shim.open}. */
  constructor(depot: string, sleepers: Sleepers, backend: Backend, native: Native, handle: Pointer) {
    this.depot = depot;
    this.#sleepers = sleepers;
    this.#backend = backend;
    this.#native = native;
    this.#handle = handle;
  }

  /** Gives the segment its name: 0, or -EEXIST. */
  name(): number {
    return this.#native.fd_segment_name(this.#handle);
  }

  /** Gives the segment the name of another (T3): 0, or -errno. */
  replace(old: Segment): number {
    return this.#native.fd_segment_replace(this.#handle, old.#handle);
  }

  /** Asks the system about the segment. */
  info(): SegmentInfo {
    const out = new Float64Array(FD.INFO_COUNT);
    const answer = this.#native.fd_segment_info(this.#handle, out);
    if (answer < 0) return { bytes: 0, mode: 0, owner: -1, self: -1, linked: false };
    return infoFrom(out);
  }

  /** Maps the first `bytes`; a segment has one mapping at a time. */
  map(bytes: number, wakeWords: readonly number[]): Mapping | number {
    const out = new BigUint64Array(1);
    return this.#mapping(this.#native.fd_segment_map(this.#handle, bytes, out), out[0], bytes, wakeWords);
  }

  /** Maps memory of this process's own, with a copy of the first bytes: no other user can change it or cut it short. */
  snapshot(bytes: number, copied: number, wakeWords: readonly number[]): Mapping | number {
    const out = new BigUint64Array(1);
    const answer = this.#native.fd_segment_snapshot(this.#handle, bytes, copied, out);
    return this.#mapping(answer, out[0], bytes, wakeWords);
  }

  #mapping(answer: number, address: bigint, bytes: number, wakeWords: readonly number[]): Mapping | number {
    if (answer < 0) return answer;
    return new Mapping(this.#sleepers, this.#backend, this.#native, this.#handle, address, bytes, wakeWords);
  }

  /** When the process of an id here started (system's unit); 0 when there is none, -1 where the system does not say. */
  started(pid: number): number {
    return this.#native.fd_started(pid);
  }

  /** Removes the name if it still leads here: 1 removed, 0 it does not. */
  unlink(): number {
    return this.#native.fd_segment_unlink(this.#handle);
  }

  /** Gives the memory back and lets no process join: for the last one out that may not remove the name. */
  empty(): number {
    return this.#native.fd_segment_empty(this.#handle);
  }

  /** Takes a lock that ends with its holder: 1 taken, 0 another holds it. */
  lock(index: number): number {
    return this.#native.fd_lock(this.#handle, index);
  }

  /** Gives a lock back. */
  unlock(index: number): void {
    this.#native.fd_unlock(this.#handle, index);
  }

  /** Whether another holds a lock. Errors count as held: no peer is declared dead by mistake. */
  lockHeld(index: number): boolean {
    return this.#native.fd_lock_held(this.#handle, index) !== 0;
  }

  /** Closes the handle. No wait may be under way. */
  close(): void {
    this.#native.fd_segment_close(this.#handle);
  }
}
