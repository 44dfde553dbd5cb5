/**
 * The loaded library: making, opening and listing segments. Addresses stay inside this folder. A negative number is
 * `-errno` (Linux's numbers on every system).
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import type { Backend } from "./backend.ts";
import { infoFrom, Segment, type SegmentInfo } from "./segment.ts";
import { Sleepers } from "./sleepers.ts";
import { FD, type Native } from "./symbols.ts";

/** What can limit a segment: bytes, but for inodes. */
export type LimitKind = "fileSystem" | "inodes" | "quota" | "group" | "file" | "addresses" | "memory";
/** A limit that there is. */
export type Limit = { kind: LimitKind; left: number; whole: number };

const LIMIT_KINDS: Record<LimitKind, number> = {
  fileSystem: FD.LIMIT_FILE_SYSTEM,
  inodes: FD.LIMIT_INODES,
  quota: FD.LIMIT_QUOTA,
  group: FD.LIMIT_GROUP,
  file: FD.LIMIT_FILE,
  addresses: FD.LIMIT_ADDRESSES,
  memory: FD.LIMIT_MEMORY,
};

type EndingSignal = "SIGINT" | "SIGTERM";

/** Their numbers are the same on Linux and macOS; Windows needs none. */
const ENDING_SIGNALS: readonly [EndingSignal, number][] = [["SIGINT", 2], ["SIGTERM", 15]];

const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** The loaded library. */
export class Shim {
  /** Where it came from, for messages: a path, or the name of the binary inside the package. */
  readonly source: string;
  /** The runtime that this process is. */
  readonly runtime: "deno" | "bun" | "node";
  /** What this thread sleeps on. */
  readonly sleepers: Sleepers;
  #backend: Backend;
  #native: Native;
  #hearsSignals = false;
  /** What each ending signal did when the library was loaded; what it does by itself where that is too late to tell. */
  readonly #statesAtLoad: readonly number[];

  /** Made by `loadShim`. */
  constructor(backend: Backend, native: Native, source: string) {
    this.source = source;
    this.runtime = backend.runtime;
    this.sleepers = new Sleepers(backend, native);
    this.#backend = backend;
    this.#native = native;
    this.#statesAtLoad = this.#isRuntimeHearing ? ENDING_SIGNALS.map(() => FD.SIGNAL_ENDS) : this.#signalStates();
  }

  get #isRuntimeHearing(): boolean {
    const { ownHearing } = this.#backend;
    return ownHearing !== undefined && this.#native.fd_signal_state(ownHearing.signal) === FD.SIGNAL_HEARD;
  }

  #signalStates(): number[] {
    return ENDING_SIGNALS.map(([, number]) => this.#native.fd_signal_state(number));
  }

  /** What each ending signal does in the program's eyes, before this library hears it. */
  #statesOfProgram(): readonly number[] {
    if (!this.#isRuntimeHearing) return this.#signalStates();
    return ENDING_SIGNALS.map(([signal], i) => {
      return this.#backend.ownHearing!.listeners(signal) > 0 ? FD.SIGNAL_HEARD : this.#statesAtLoad[i];
    });
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
    return this.#handle(name, this.#native.fd_segment_create(cString(name), bytes, mode, out), out);
  }

  /** Opens the segment of that name. */
  open(name: string): Segment | number {
    const out = new BigUint64Array(1);
    return this.#handle(name, this.#native.fd_segment_open(cString(name), out), out);
  }

  #handle(name: string, answer: number, out: BigUint64Array): Segment | number {
    if (answer < 0) return answer;
    return new Segment(name, this.sleepers, this.#backend, this.#native, this.#backend.pointer(out[0]));
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

  /**
   * Calls back when SIGINT or SIGTERM has come. Done twice, it is done once.
   *
   * @param leave called before the signal ends the process: no other JavaScript runs from then on
   * @param close called where the program hears the signal itself, and goes on
   * @throws {DepotError} UNSUPPORTED in a thread that hears no signals
   */
  onEndingSignals(leave: () => void, close: () => void): void {
    if (this.#hearsSignals) return;
    if (!this.#backend.hearsSignals) {
      throw new DepotError("UNSUPPORTED", "closeOnSignals in a worker: the runtime tells the main thread of signals", {
        remedy: "call it there: it covers the depots of workers",
      });
    }
    this.#hearsSignals = true;
    // All are asked first: the first listener has Deno hear other signals, too.
    const before = this.#statesOfProgram();
    ENDING_SIGNALS.forEach(([signal, number], i) => {
      if (before[i] === FD.SIGNAL_IGNORED) {
        // What nohup or a shell's `&` has it ignore. Deno would end by it unless something listens.
        if (this.#backend.ownHearing !== undefined) this.#onSignal(signal, () => {});
        return;
      }
      this.#onSignal(signal, () => {
        // One that the program has added since is seen where the runtime counts them.
        const listeners = this.#backend.signalListeners(signal) ?? (before[i] === FD.SIGNAL_HEARD ? 2 : 1);
        if (listeners > 1) return close();
        leave();
        this.#native.fd_signal_end(number);
      });
    });
  }

  #onSignal(signal: EndingSignal, listener: () => void): void {
    try {
      this.#backend.onSignal(signal, listener);
    } catch {
      // Windows has no SIGTERM to hear.
    }
  }

  /** Lets the process end although a timer runs. */
  unref(timer: ReturnType<typeof setTimeout>): void {
    this.#backend.unref(timer);
  }

  /** Every limit of a new segment that the system tells. */
  limits(): Limit[] {
    const out = new Float64Array(2 * FD.LIMITS).fill(-1);
    this.#native.fd_limits(out);
    return (Object.entries(LIMIT_KINDS) as [LimitKind, number][])
      .map(([kind, at]) => ({ kind, left: out[2 * at], whole: out[2 * at + 1] }))
      .filter(({ left }) => left >= 0);
  }

  /** What the system says of a name, also to a process that may not open it; the name "" is the folder of all. */
  nameInfo(name: string): SegmentInfo | number {
    const out = new Float64Array(FD.INFO_COUNT);
    const answer = this.#native.fd_name_info(cString(name), out);
    return answer < 0 ? answer : infoFrom(out);
  }
}
