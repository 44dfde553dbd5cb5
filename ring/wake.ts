/**
 * Waking the sleepers of a lane: step W1 of docs/internals/protocol.md, *Waiting and waking*.
 *
 * @module
 */
import type { LaneNumber } from "../ffi/constants.ts";
import { trace } from "./trace.ts";
import { WAKE_FLAGS, WAKE_WORDS, type Words } from "./words.ts";

/** Wakes every sleeper of a lane. Without one it costs a load. */
export function wake(words: Words, lane: LaneNumber): void {
  const { u32 } = words;
  const flag = WAKE_FLAGS[lane] >> 2;
  if (Atomics.load(u32, flag) === 0) return;
  Atomics.store(u32, flag, 0);
  Atomics.add(u32, WAKE_WORDS[lane] >> 2, 1);
  trace.at?.("W1");
  words.mapping.wake(lane);
}
