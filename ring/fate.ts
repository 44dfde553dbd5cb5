/**
 * What became of a sequence: steps D of docs/internals/protocol.md. It needs no record of numbers that were burned: the
 * producer that claims one holds its slot's writer word, with `claimed` set, from before head passes it until the frame
 * is there.
 *
 * @module
 */
import { SLOT } from "./layout.ts";
import type { Peers } from "./peers.ts";
import type { Room } from "./room.ts";
import type { Words } from "./words.ts";

/** What became of a sequence. */
export const FATE = {
  /** It is in its slot and can be pinned, or could a moment ago. */
  THERE: 0,
  /** No producer has claimed it yet. */
  NOT_YET: 1,
  /** Its producer is writing it. */
  BEING_WRITTEN: 2,
  /** It will not come, or no more: burned, given back, or overwritten since. */
  GONE: 3,
  /** No producer has claimed it, and none will. */
  ENDED: 4,
} as const;

/** One of the values of {@linkcode FATE}. */
export type Fate = typeof FATE[keyof typeof FATE];

/**
 * Decides (D0 to D5). What is being written in a segment that has lost its name will not be published (D1a).
 *
 * @param slot byte offset of the sequence's slot
 * @param recover whether to ask the kernel for a writer that keeps us waiting; that is a system call
 */
export function fateOf(
  words: Words,
  room: Room,
  peers: Peers,
  slot: number,
  sequence: number,
  recover: boolean,
): Fate {
  for (;;) {
    const head = room.headOrEnd(); // D0, N3
    if (head < 0 ? -1 - head <= sequence : head <= sequence) return head < 0 ? FATE.ENDED : FATE.NOT_YET;
    const replaced = room.isReplaced; // D1a
    const writer = words.load32(slot + SLOT.writer); // D1
    const claimed = words.mapping.load(slot + SLOT.claimed);
    const isThere = words.mapping.load(slot + SLOT.sequence) === sequence + 1;
    if (!isThere && (writer === 0 || claimed !== sequence + 1)) return FATE.GONE; // D5
    if (!recover || writer === 0 || !peers.isDead(writer)) { // D2
      if (isThere) return FATE.THERE; // D3
      return replaced ? FATE.GONE : FATE.BEING_WRITTEN; // D4
    }
    peers.recoverSlot(slot, writer);
  }
}
