/**
 * Taking a depot's name for another segment: steps T of docs/internals/protocol.md; the model is
 * docs/internals/model/replace.pml.
 *
 * @module
 */
import { ERRNO, REPLACED } from "../ffi/constants.ts";
import type { Segment } from "../ffi/segment.ts";
import type { Mapping } from "../ffi/mapping.ts";
import { HEADER, PEER_FLAGS } from "./layout.ts";
import type { Geometry } from "./geometry.ts";
import type { Peers } from "./peers.ts";
import type { Room } from "./room.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

/** A segment that is mapped: what of it tells whether its name may be taken, and hears that it was. */
type Mapped = { segment: Segment; mapping: Mapping; words: Words; room: Room; peers: Peers; geometry: Geometry };

/** Tries to take a membership lock that another process holds for less than a millisecond. */
const LOCK_TRIES = 100;

/**
 * Whether no process is left that would fill it: there was a producer or the end, or else its maker is gone, too. The
 * kernel is asked which peers live.
 */
export function isAbandoned({ peers, room, geometry }: Mapped): boolean {
  if (peers.hasLiving(PEER_FLAGS.produces)) return false; // F3, F4
  return room.headOrEnd() !== geometry.firstSequence || !peers.hasLiving(PEER_FLAGS.made);
}

/**
 * Gives a segment the name that another one has (T1 to T6).
 *
 * @param old what has the name; mapped, and perhaps not joined
 * @param always also if its producers are not gone
 * @returns `taken`; `held`: there are producers; `moved`: it has lost the name meanwhile; `busy`; or -errno
 */
export function takeName(
  segment: Segment,
  old: Mapped,
  always: boolean,
): "taken" | "held" | "moved" | "busy" | number {
  const take = () => {
    if (!old.segment.info().linked) return "moved";
    if (!always && !isAbandoned(old) && old.peers.entries().some(({ alive }) => alive)) return "held";
    if (old.room.end() !== undefined) old.words.store32(HEADER.endedBefore, 1); // T1a
    old.words.store32(HEADER.replaced, REPLACED.SOON); // T2
    trace.at?.("T2");
    const answer = segment.replace(old.segment); // T3
    if (answer < 0) {
      old.words.store32(HEADER.replaced, 0);
      return answer === -ERRNO.ENOENT ? "moved" : answer; // removed without the lock
    }
    trace.at?.("T3");
    finish(old);
    return "taken";
  };
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    const answer = old.peers.underLock(take); // T1
    if (answer !== "busy") return answer;
    old.mapping.yield();
  }
  return "busy";
}

/** T4 to T6: all that is open in the old segment hears of it. Can be done twice. */
function finish({ words, mapping, room }: Mapped): void {
  words.store32(HEADER.replaced, REPLACED.DONE); // T4
  trace.at?.("T4");
  mapping.end(); // T5
  trace.at?.("T5");
  room.wakeAll(); // T6
}

/** Does what a process that died while it took the name has left to do (T7). @returns whether the name is another's */
export function finishReplacing(old: Mapped): boolean {
  const { words, room } = old;
  const replaced = words.load32(HEADER.replaced);
  if (replaced === REPLACED.DONE && room.end() !== undefined) return true;
  if (replaced === 0 || old.segment.info().linked) return false;
  // Once the name is gone this is final: 0 where it was removed on purpose (U2).
  if (words.load32(HEADER.replaced) === 0) return false;
  finish(old);
  return true;
}
