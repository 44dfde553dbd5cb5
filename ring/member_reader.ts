/**
 * The reader entry of a group's member: it takes frames, and says when one is done (M1, M2, M5).
 *
 * @module
 */
import { LANE, SLEEPERS, TAKE } from "../ffi/constants.ts";
import type { Ring } from "./group_cursor.ts";
import type { Groups } from "./groups.ts";
import { READER } from "./layout.ts";
import { Reader } from "./reader.ts";
import type { ReaderTable } from "./reader_table.ts";
import { type Sleeping, Tick } from "./tick.ts";
import { trace } from "./trace.ts";
import { wake } from "./wake.ts";

/** How often a member that could not leave tries again: another process changes the membership for microseconds. */
const LEAVE_AGAIN_MS = 10;

const leaving = new Tick(LEAVE_AGAIN_MS);

/** A reader whose frames are its group's: a frame is done when its last lease ends. */
export class MemberReader extends Reader implements Sleeping {
  readonly #ring: Ring;
  readonly #groups: Groups;
  readonly #group: number;
  /** As take words name it. */
  readonly #holder: number;
  readonly #bit: number;
  readonly #pins: number;
  readonly #sequences: Float64Array;
  /** Leases by slot that their users have not ended: a frame is done when none is left, also if its memory is kept. */
  readonly #users: Uint32Array;
  #leaves = false;

  /** Over an entry that has joined the group. */
  constructor(ring: Ring, readers: ReaderTable, groups: Groups, group: number, index: number) {
    const { words, room, peers, geometry } = ring;
    super(words, room, readers, peers, geometry, index);
    this.#ring = ring;
    this.#groups = groups;
    this.#group = group;
    this.#holder = index + 1;
    this.#bit = (1 << (index & 31)) >>> 0;
    this.#pins = words.pins(0, index);
    this.#sequences = new Float64Array(geometry.maxSize);
    this.#users = new Uint32Array(geometry.maxSize);
  }

  /** Takes a frame that no member has (M1, M2). @returns one of TAKE */
  take(sequence: number): number {
    const { words } = this.#ring;
    const slotIndex = this.slotOf(sequence);
    const slot = words.slot(slotIndex);
    const take = words.take(this.#group, slotIndex);
    const answer = words.mapping.take(take, slot, slot + this.#pins, this.#bit, sequence, this.#holder);
    // A producer that saw the bit may have found the depot full because of it, so it is told.
    if ((answer & SLEEPERS) !== 0) wake(words, LANE.CONSUMED);
    const taken = answer & ~SLEEPERS;
    if (taken !== TAKE.GOT && taken !== TAKE.GOT_AGAIN) return taken;
    this.#sequences[slotIndex] = sequence;
    super.pinHeld(slotIndex);
    this.#users[slotIndex] = 1;
    return taken;
  }

  override pinHeld(slotIndex: number): void {
    super.pinHeld(slotIndex);
    this.#users[slotIndex]++;
  }

  override unpin(slotIndex: number): void {
    this.#leave(slotIndex);
    super.unpin(slotIndex);
  }

  override unpinAndPass(slotIndex: number): void {
    this.unpin(slotIndex);
  }

  override keep(slotIndex: number): void {
    this.#leave(slotIndex);
  }

  override unpinKept(slotIndex: number): void {
    super.unpin(slotIndex);
  }

  /** One user of a frame less: after the last one it is done (M5). */
  #leave(slotIndex: number): void {
    const users = this.#users;
    if (users[slotIndex] === 0 || --users[slotIndex] > 0) return;
    const { words, room, peers } = this.#ring;
    const take = words.take(this.#group, slotIndex);
    if (words.mapping.complete(take, this.#sequences[slotIndex], this.#holder) !== SLEEPERS) return;
    // A member with nothing fresh to come waits for those that have a frame: it may be given again.
    if (room.end() !== undefined || !peers.hasProducers) wake(words, LANE.PUBLISHED);
  }

  /** Whether another member has a frame, or one is offered again. */
  get othersHold(): boolean {
    const { words, geometry } = this.#ring;
    return words.mapping.isHeld(words.take(this.#group, 0), geometry.maxSize, this.#holder);
  }

  /** Leaves the group (V0); the last member dissolves it. Its entry stays until its last lease has ended. */
  override end(): void {
    if (this.#leaves) return;
    this.#leaves = true;
    if (this.#tryLeave()) return;
    leaving.enroll();
    leaving.add(this, (timer) => this.#ring.words.mapping.unref(timer));
  }

  /** Tries again what another process was in the way of. */
  beat(): void {
    // A peer that has left has given back all that it had.
    if (this.#ring.words.isDetached || this.#ring.peers.id === 0 || this.#tryLeave()) {
      leaving.delete(this);
      leaving.dismiss();
    }
  }

  #tryLeave(): boolean {
    const { words, peers } = this.#ring;
    const left = peers.underLock(() => {
      words.store32(words.reader(this.index) + READER.group, 0);
      trace.at?.("V0");
      this.#groups.dissolveIfEmpty(this.#group);
      return true;
    });
    if (left === "busy") return false;
    super.end();
    return true;
  }
}
