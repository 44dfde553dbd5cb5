/**
 * A mapped segment: the steps of the protocol, copies, and waking. Offsets are bytes from its start. A negative number
 * is `-errno` (Linux's numbers on every system).
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { byteLengthOf } from "./buffers.ts";
import { Alarm, type Sleepers } from "./sleepers.ts";
import type { Native, Pointer } from "./symbols.ts";

/** A segment's memory in this process. Every use after {@linkcode Mapping.unmap} is the caller's error. */
export class Mapping {
  /** Length in bytes. */
  readonly bytes: number;
  #sleepers: Sleepers;
  #backend: Backend;
  #native: Native;
  #base: Pointer;
  #segment: Pointer;
  #words: Pointer[];
  /** Asked for once: it costs microseconds, in a virtual machine many. */
  static #cacheBytes: number | undefined;

  /** @param address where the mapping starts @param wakeWords offsets of the wake words, by lane */
  constructor(
    sleepers: Sleepers,
    backend: Backend,
    native: Native,
    segment: Pointer,
    address: bigint,
    bytes: number,
    wakeWords: readonly number[],
  ) {
    this.bytes = bytes;
    this.#sleepers = sleepers;
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

  /** The number in `head`; -1 less that number where CLOSED is set. */
  head(): number {
    return this.#native.fd_head(this.#base);
  }

  /** Sets CLOSED in `head` (N1, T5): 1 set, 0 it was. */
  end(): number {
    return this.#native.fd_end(this.#base);
  }

  /** The frame number of a sequence that seems to be in its slot, without a pin: a hint. NaN where it is not there. */
  look(slot: number, sequence: number): number {
    return this.#native.fd_look(this.#base, slot, sequence);
  }

  /** C1 and C3 to C8 for the sequence that is expected to be head: one of {@linkcode CLAIM}. */
  claim(slot: number, pinWords: number, sequence: number, me: number): number {
    return this.#native.fd_claim(this.#base, slot, pinWords, sequence, me);
  }

  /**
   * C9 to C11a: 0, or {@linkcode SLEEPERS} (lane published) and {@linkcode PRODUCERS}; one of {@linkcode TOO_LATE}.
   * `timestampNs` may be one of {@linkcode TIME}.
   */
  publish(
    slot: number,
    sequence: number,
    frameNumber: number,
    timestampNs: number,
    metadataLength: number,
    byteLength: number,
  ): number {
    return this.#native.fd_publish(
      this.#base,
      slot,
      sequence,
      frameNumber,
      timestampNs,
      metadataLength,
      byteLength,
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

  /** G2: the smallest cursor of the gating readers but one, or one of {@linkcode READERS}. */
  smallestCursor(readers: number, count: number, except: number): number {
    return this.#native.fd_smallest_cursor(this.#base, readers, count, except);
  }

  /**
   * Gives back what a peer holds in the slots from `from` on (P1): the bits of its readers, and the slots whose writer
   * it is. What they have of formed groups is offered again if the peer is dead, else done (P0).
   *
   * @param groups three words for each group, as the header of the shim says @returns how many slots were changed
   */
  giveBack(
    slots: number,
    stride: number,
    from: number,
    to: number,
    masks: Uint32Array,
    peer: number,
    groups: Uint32Array,
    isDead: boolean,
  ): number {
    const [words, count, dead] = [masks.length, groups.length / 3, isDead ? 1 : 0];
    const some = count === 0 ? masks : groups; // an empty array has no address
    return this.#native.fd_give_back(this.#base, slots, stride, words, from, to, masks, peer, some, count, dead);
  }

  /** M1, M2: one of {@linkcode TAKE}, perhaps with {@linkcode SLEEPERS} in the lane consumed. */
  take(take: number, slot: number, pins: number, bit: number, sequence: number, member: number): number {
    return this.#native.fd_take(this.#base, take, slot, pins, bit, sequence, member);
  }

  /** M5 without R5: 0, or {@linkcode SLEEPERS} in the lane published. */
  complete(take: number, sequence: number, member: number): number {
    return this.#native.fd_complete(this.#base, take, sequence, member);
  }

  /** M4 over what is taken: the cursor, or -1 less the cursor where the lane consumed has to be woken. */
  pass(takes: number, maxSize: number, cursor: number): number {
    return this.#native.fd_pass(this.#base, takes, maxSize, cursor);
  }

  /** M0: the smallest sequence from `from` on that is offered again, or -1. */
  again(takes: number, maxSize: number, from: number): number {
    return this.#native.fd_again(this.#base, takes, maxSize, from);
  }

  /** Whether another than `member` has a frame, or one is offered again. */
  isHeld(takes: number, maxSize: number, member: number): boolean {
    return this.#native.fd_is_held(this.#base, takes, maxSize, member) === 1;
  }

  /** How many of the sequences from `from` to `to` - 1 were taken last in their slots. */
  taken(takes: number, maxSize: number, from: number, to: number): number {
    return this.#native.fd_taken(this.#base, takes, maxSize, from, to);
  }

  /** Frees a slot whose writer is dead (D2): 1 freed, 0 another has done it. */
  recoverSlot(slot: number, dead: number): number {
    return this.#native.fd_recover_slot(this.#base, slot, dead);
  }

  /** An alarm on the lane's word: sleeps on it beside the event loop. */
  alarm(lane: number, peer: number, rung: () => void): Alarm {
    return new Alarm(this.#sleepers, { segment: this.#segment, word: this.#words[lane], lane, peer }, rung);
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
