/**
 * The shim as the rest of the library sees it: segments and mappings, with addresses kept inside. A negative number is
 * `-errno` (Linux's numbers on every system); what else the number means stands at each method.
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { byteLengthOf } from "./buffers.ts";
import { Alarm, Sleepers } from "./sleepers.ts";
import { FD, type Native, type Pointer } from "./symbols.ts";

/** The errno values that the library tells apart, the same on every system. */
export const ERRNO = {
  EPERM: FD.EPERM,
  ENOENT: FD.ENOENT,
  ENOMEM: FD.ENOMEM,
  EACCES: FD.EACCES,
  EEXIST: FD.EEXIST,
  EISDIR: FD.EISDIR,
  EINVAL: FD.EINVAL,
  EMFILE: FD.EMFILE,
  ENOSPC: FD.ENOSPC,
  ENAMETOOLONG: FD.ENAMETOOLONG,
  ELOOP: FD.ELOOP,
  ENOTSUP: FD.ENOTSUP,
} as const;

/** What a process waits for: a frame (`PUBLISHED`) or room (`CONSUMED`). */
export const LANE = { PUBLISHED: FD.LANE_PUBLISHED, CONSUMED: FD.LANE_CONSUMED } as const;

/**
 * Set in an answer when a process may sleep on what was changed: the lane has to be woken. `PRODUCERS` is the lane
 * consumed; the other one is the lane that the verb's documentation names.
 */
export const SLEEPERS = FD.SLEEPERS;
/** See {@linkcode SLEEPERS}. */
export const PRODUCERS = FD.PRODUCERS;
/** The flag that a sleeper stores in a lane; the second one is woken as soon as a frame is being written. */
export const FLAG = { SLEEPS: FD.SLEEPS, SLEEPS_LIGHTLY: FD.SLEEPS_LIGHTLY } as const;
/**
 * What {@linkcode Mapping.claim} returns; {@linkcode SLEEPERS} and {@linkcode PRODUCERS} may be set too. `AWAITED`: done, and the lane
 * published must be woken before anything is written.
 */
export const CLAIM = {
  DONE: FD.CLAIMED,
  MOVED: FD.MOVED,
  LEASED: FD.LEASED,
  TAKEN: FD.TAKEN,
  AWAITED: FD.AWAITED,
} as const;
/** In place of a timestamp: the time of publishing, or the one that is in the slot already. */
export const TIME = { NOW: FD.TIME_NOW, KEPT: FD.TIME_KEPT } as const;

/** What the system says of an open segment. `owner` and `self` are user ids, -1 where there are none. */
export type SegmentInfo = { bytes: number; mode: number; owner: number; self: number; linked: boolean };

/** Bytes free and in all where segments live, and of memory; -1 where the system does not say. */
export type Space = { free: number; total: number; memory: number };

const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** A segment's memory in this process. Every use after {@linkcode Mapping.unmap} is the caller's error. */
export class Mapping {
  /** Length in bytes. */
  readonly bytes: number;
  #shim: Shim;
  #backend: Backend;
  #native: Native;
  #base: Pointer;
  #segment: Pointer;
  #words: Pointer[];
  /** Asked for once: it costs microseconds, in a virtual machine many. */
  static #cacheBytes: number | undefined;

  /** @param address where the mapping starts @param wakeWords offsets of the wake words, by lane */
  constructor(
    shim: Shim,
    backend: Backend,
    native: Native,
    segment: Pointer,
    address: bigint,
    bytes: number,
    wakeWords: readonly number[],
  ) {
    this.bytes = bytes;
    this.#shim = shim;
    this.#backend = backend;
    this.#native = native;
    this.#segment = segment;
    this.#base = backend.pointer(address);
    this.#words = wakeWords.map((offset) => backend.pointer(address + BigInt(offset)));
  }

  /** A new ArrayBuffer over a part of the memory; it must be detached before `unmap`. */
  view(offset: number, byteLength: number): ArrayBuffer {
    return this.#backend.view(this.#base, offset, byteLength);
  }

  /** Bytes of buffers that should live while views of large frames are made; 0 where that makes no difference. */
  get ballastBytes(): number {
    return this.#backend.ballastBytes;
  }

  /** Makes the page tables of a part at once, which is quicker than one page at each first touch. */
  populate(offset: number, bytes: number): void {
    this.#native.fd_populate(this.#base, offset, bytes);
  }

  /** Copies an array into the memory, at most `most` bytes; `past` the caches where that is supported. */
  copy(offset: number, source: Uint8Array, most: number, past: boolean): void {
    this.copyExactly(offset, source, Math.min(byteLengthOf(source), most), past);
  }

  /** Copies an array that is known to have exactly this many bytes. */
  copyExactly(offset: number, source: Uint8Array, bytes: number, past: boolean): void {
    if (bytes > 0) this.#native.fd_copy(this.#base, offset, source, bytes, past ? 1 : 0);
  }

  /** Copies as many bytes out of the memory as the target has. */
  copyOut(offset: number, target: Uint8Array): void {
    if (target.length > 0) this.#native.fd_copy_out(this.#base, offset, target, target.length);
  }

  /** Bytes of the largest cache; 0 where copying past it is not supported. */
  cacheBytes(): number {
    return Mapping.#cacheBytes ??= this.#native.fd_cache_bytes();
  }

  /** The 64-bit word at an offset. All four are sequentially consistent. */
  load(offset: number): number {
    return this.#native.fd_load(this.#base, offset);
  }

  /** Stores a 64-bit word. */
  store(offset: number, value: number): void {
    this.#native.fd_store(this.#base, offset, value);
  }

  /** Replaces `expected` by `desired`: 1 done, 0 something else was there. */
  cas(offset: number, expected: number, desired: number): number {
    return this.#native.fd_cas(this.#base, offset, expected, desired);
  }

  /** Raises the word to at least `value`: 1 raised, 0 it was there already. */
  raise(offset: number, value: number): number {
    return this.#native.fd_raise(this.#base, offset, value);
  }

  /** The frame number of a sequence that seems to be in its slot, without a pin: a hint. NaN where it is not there. */
  look(slot: number, sequence: number): number {
    return this.#native.fd_look(this.#base, slot, sequence);
  }

  /** C1 and C3 to C8 for the sequence that is expected to be head: one of {@linkcode CLAIM}. */
  claim(slot: number, pinWords: number, sequence: number, me: number): number {
    return this.#native.fd_claim(this.#base, slot, pinWords, sequence, me);
  }

  /** X1 to X7 for a sequence whose slot is ours: 0, or {@linkcode SLEEPERS} (lane published) and {@linkcode PRODUCERS}. */
  reuse(
    slots: number,
    slotStride: number,
    maxSize: number,
    pinWords: number,
    sequence: number,
    gate: number,
    me: number,
  ): number {
    return this.#native.fd_reuse(this.#base, slots, slotStride, maxSize, pinWords, sequence, gate, me);
  }

  /** C9 to C11: 0, or {@linkcode SLEEPERS} (lane published) and {@linkcode PRODUCERS}. `timestampNs` may be one of {@linkcode TIME}. */
  publish(
    slot: number,
    sequence: number,
    frameNumber: number,
    timestampNs: number,
    metadataLength: number,
    frameBytes: number,
  ): number {
    return this.#native.fd_publish(
      this.#base,
      slot,
      sequence,
      frameNumber,
      timestampNs,
      metadataLength,
      frameBytes,
    );
  }

  /** R1 to R4: 1 pinned, 0 not; {@linkcode SLEEPERS} in the lane consumed. */
  pin(slot: number, pins: number, bit: number, sequence: number): number {
    return this.#native.fd_pin(this.#base, slot, pins, bit, sequence);
  }

  /** R5, and R6 where `cursorAt` is not 0: 0, or {@linkcode SLEEPERS} in the lane consumed. */
  unpin(pins: number, bit: number, cursorAt: number, cursor: number): number {
    return this.#native.fd_unpin(this.#base, pins, bit, cursorAt, cursor);
  }

  /** G2: the smallest cursor of the gating readers but one; -1 when none gates. */
  smallestCursor(readers: number, count: number, except: number): number {
    return this.#native.fd_smallest_cursor(this.#base, readers, count, except);
  }

  /**
   * Gives back what a peer holds in the slots from `from` on (P1): the bits of its readers, and the slots whose writer it
   * is. @returns how many slots were changed
   */
  giveBack(slots: number, stride: number, from: number, to: number, masks: Uint32Array, peer: number): number {
    return this.#native.fd_give_back(this.#base, slots, stride, masks.length, from, to, masks, peer);
  }

  /** Frees a slot whose writer is dead (D2): 1 freed, 0 another has done it. */
  recoverSlot(slot: number, dead: number): number {
    return this.#native.fd_recover_slot(this.#base, slot, dead);
  }

  /** An alarm on the lane's word: sleeps on it beside the event loop. */
  alarm(lane: number, peer: number, rung: () => void): Alarm {
    return new Alarm(this.#shim.sleepers, { segment: this.#segment, word: this.#words[lane], lane, peer }, rung);
  }

  /** Lets the process end although a timer runs. */
  unref(timer: ReturnType<typeof setTimeout>): void {
    this.#backend.unref(timer);
  }

  /** Sleeps on this thread, which is blocked meanwhile, while the lane's word is `expected`; may end for no reason. */
  waitSync(lane: number, peer: number, expected: number, timeoutMs: number): void {
    this.#native.fd_wait(this.#segment, this.#words[lane], lane, peer, expected | 0, timeoutMs);
  }

  /** Lets another thread have this processor for a moment. */
  yield(): void {
    this.#native.fd_yield();
  }

  /** Wakes every sleeper on the lane's word. */
  wake(lane: number): void {
    this.#native.fd_wake(this.#segment, this.#words[lane], lane);
  }

  /** Whether a buffer that has been detached is out of reach of every operation of the runtime. */
  get operationsPin(): boolean {
    return this.#backend.operationsPin;
  }

  /** Gives the address range back. */
  unmap(): void {
    this.#native.fd_segment_unmap(this.#segment);
  }

  /**
   * Has zero pages of this process's own take the place of the memory from an offset on, a multiple of 16,384: what may
   * still reach it reaches no other process. With 0 the mapping is gone, but for its addresses. 0, or -errno.
   */
  retire(from: number): number {
    return this.#native.fd_segment_retire(this.#segment, from);
  }
}

/** An open segment. */
export class Segment {
  #shim: Shim;
  #backend: Backend;
  #native: Native;
  #handle: Pointer;

  /** Made by {@linkcode Shim.create} and {@linkcode Shim.open}. */
  constructor(shim: Shim, backend: Backend, native: Native, handle: Pointer) {
    this.#shim = shim;
    this.#backend = backend;
    this.#native = native;
    this.#handle = handle;
  }

  /** Gives the segment its name: 0, or -EEXIST. */
  publish(): number {
    return this.#native.fd_segment_publish(this.#handle);
  }

  /** Asks the system about the segment. */
  info(): SegmentInfo {
    const out = new Float64Array(FD.INFO_COUNT);
    const answer = this.#native.fd_segment_info(this.#handle, out);
    if (answer < 0) return { bytes: 0, mode: 0, owner: -1, self: -1, linked: false };
    return {
      bytes: out[FD.INFO_BYTES],
      mode: out[FD.INFO_MODE],
      owner: out[FD.INFO_OWNER],
      self: out[FD.INFO_SELF],
      linked: out[FD.INFO_LINKED] === 1,
    };
  }

  /** Maps the first `bytes`; a segment has one mapping at a time. */
  map(bytes: number, wakeWords: readonly number[]): Mapping | number {
    const out = new BigUint64Array(1);
    const answer = this.#native.fd_segment_map(this.#handle, bytes, out);
    if (answer < 0) return answer;
    return new Mapping(this.#shim, this.#backend, this.#native, this.#handle, out[0], bytes, wakeWords);
  }

  /** Removes the name if it still leads here: 1 removed, 0 it does not. */
  unlink(): number {
    return this.#native.fd_segment_unlink(this.#handle);
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
    return answer < 0 ? answer : new Segment(this, this.#backend, this.#native, this.#backend.pointer(out[0]));
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
