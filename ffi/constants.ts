/**
 * The numbers that TypeScript and C exchange, by name. They are made from shim/frames_depot.h.
 *
 * @module
 */
import { FD } from "./symbols.ts";

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
/** One of them. */
export type LaneNumber = typeof LANE[keyof typeof LANE];

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
 * What {@linkcode Mapping.claim} returns; {@linkcode SLEEPERS} and {@linkcode PRODUCERS} may be set too. `AWAITED`:
 * claimed, and the lane published must be woken before anything is written.
 */
export const CLAIM = {
  CLAIMED: FD.CLAIMED,
  MOVED: FD.MOVED,
  LEASED: FD.LEASED,
  TAKEN: FD.TAKEN,
  AWAITED: FD.AWAITED,
} as const;
/** In place of a timestamp: the time of publishing, or the one that is in the slot already. */
export const TIME = { NOW: FD.TIME_NOW, KEPT: FD.TIME_KEPT } as const;

/** In place of the smallest cursor: no reader is attached, or none that gates. */
export const READERS = { NOT_ATTACHED: FD.NOT_ATTACHED, ATTACHED_ONLY: FD.ATTACHED_ONLY } as const;
