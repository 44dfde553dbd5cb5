/**
 * Waking the sleepers of a lane: steps W of docs/internals/protocol.md, *Waiting and waking*.
 *
 * @module
 */
import { LANE } from "../ffi/constants.ts";
import { HEADER } from "./layout.ts";
import { trace } from "./trace.ts";
import type { Words } from "./words.ts";

/** Wakes every sleeper of a lane. Without one it costs a load. */
export function wake(words: Words, lane: typeof LANE[keyof typeof LANE]): void {
  const word = lane === LANE.PUBLISHED ? HEADER.published >> 2 : HEADER.consumed >> 2;
  const { u32 } = words;
  if (Atomics.load(u32, word + 1) === 0) return;
  Atomics.store(u32, word + 1, 0);
  Atomics.add(u32, word, 1);
  trace.at?.("W1");
  words.mapping.wake(lane);
}
