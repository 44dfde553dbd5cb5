/**
 * The loaded library: making, opening and listing segments. Addresses stay inside this folder. A negative number is
 * `-errno` (Linux's numbers on every system).
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { Segment } from "./segment.ts";
import { Sleepers } from "./sleepers.ts";
import { FD, type Native } from "./symbols.ts";

/** Bytes free and in all where segments live, and of memory; -1 where the system does not say. */
export type Space = { free: number; total: number; memory: number };

const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** The loaded library. */
export class Shim {
  /** Where it came from, for messages: a path, or the name of the binary inside the package. */
  readonly source: string;
  /** The runtime that this process is. */
  readonly runtime: "deno" | "bun";
  /** What this thread sleeps on. */
  readonly sleepers: Sleepers;
  #backend: Backend;
  #native: Native;

  /** Made by `loadShim`. */
  constructor(backend: Backend, native: Native, source: string) {
    this.source = source;
    this.runtime = backend.runtime;
    this.sleepers = new Sleepers(backend, native);
    this.#backend = backend;
    this.#native = native;
  }

  /** The layout as C has it: lines of `section field offset bytes`. */
  layout(): string {
    const size = this.#native.fd_layout(new Uint8Array(1), 0);
    const out = new Uint8Array(size);
    this.#native.fd_layout(out, size);
    return new TextDecoder().decode(out);
  }

  /** This process's id and start time (system's unit). */
  identity(): { pid: number; startTime: number } {
    const out = new Float64Array(2);
    this.#native.fd_identity(out);
    return { pid: out[0], startTime: out[1] };
  }

  /** Zeroed memory, allocated for good, without a name yet. */
  create(name: string, bytes: number, mode: number): Segment | number {
    const out = new BigUint64Array(1);
    return this.#handle(this.#native.fd_segment_create(cString(name), bytes, mode, out), out);
  }

  /** Opens the segment of that name. */
  open(name: string): Segment | number {
    const out = new BigUint64Array(1);
    return this.#handle(this.#native.fd_segment_open(cString(name), out), out);
  }

  #handle(answer: number, out: BigUint64Array): Segment | number {
    return answer < 0 ? answer : new Segment(this.sleepers, this.#backend, this.#native, this.#backend.pointer(out[0]));
  }

  /** Removes a name whatever it leads to: 0 or -errno. */
  unlink(name: string): number {
    return this.#native.fd_unlink(cString(name));
  }

  /** The names of all segments, of every user, or -errno. */
  list(): string[] | number {
    for (let capacity = 4096;;) {
      const out = new Uint8Array(capacity);
      const needed = this.#native.fd_list(out, capacity);
      if (needed < 0) return needed;
      if (needed === 0) return [];
      if (needed <= capacity) return new TextDecoder().decode(out.subarray(0, needed)).trimEnd().split("\n");
      capacity = needed * 2; // names may be added between two calls
    }
  }

  /** Bytes of addresses in this process that retired mappings keep. */
  retiredBytes(): number {
    return this.#native.fd_retired();
  }

  /** Calls back when the process ends by itself or by exit(). */
  onExit(listener: () => void): void {
    this.#backend.onExit(listener);
  }

  /** Lets the process end although a timer runs. */
  unref(timer: ReturnType<typeof setTimeout>): void {
    this.#backend.unref(timer);
  }

  /** Bytes left where segments live. */
  space(): Space {
    const out = new Float64Array(FD.SPACE_COUNT).fill(-1);
    this.#native.fd_space(out);
    return { free: out[FD.SPACE_FREE], total: out[FD.SPACE_TOTAL], memory: out[FD.SPACE_MEMORY] };
  }
}
