/**
 * The numbers that TypeScript and C exchange, by name. They are made from shim/frames_depot.h.
 *
 * @module
 */
import { FD } from "./symbols.ts";

/** The errno values that the library tells apart, the same on every system. */
export const ERRNO: Pick<
  typeof FD,
  | "EPERM"
  | "ENOENT"
  | "ENOMEM"
  | "EACCES"
  | "EEXIST"
  | "EISDIR"
  | "EINVAL"
  | "ENFILE"
  | "EMFILE"
  | "EFBIG"
  | "ENOSPC"
  | "EROFS"
  | "ENAMETOOLONG"
  | "ELOOP"
  | "ENOTSUP"
  | "EDQUOT"
> = FD;

/** An error number by its name, as far as the header has it. */
export function errnoName(errno: number): string {
  const found = Object.entries(FD).find(([name, value]) => value === errno && /^E[A-Z]+$/.test(name));
  return found === undefined ? `errno ${errno}` : found[0];
}

/** What the system refused, where an answer says so: it is -(errno + `STEP` * one of the others). */
export const CALL: {
  readonly STEP: typeof FD.CALL;
  readonly FOLDER: typeof FD.CALL_FOLDER;
  readonly MAKE: typeof FD.CALL_MAKE;
  readonly ALLOCATE: typeof FD.CALL_ALLOCATE;
  readonly MODE: typeof FD.CALL_MODE;
  readonly LINK: typeof FD.CALL_LINK;
  readonly LOCK: typeof FD.CALL_LOCK;
} = {
  STEP: FD.CALL,
  FOLDER: FD.CALL_FOLDER,
  MAKE: FD.CALL_MAKE,
  ALLOCATE: FD.CALL_ALLOCATE,
  MODE: FD.CALL_MODE,
  LINK: FD.CALL_LINK,
  LOCK: FD.CALL_LOCK,
};

/** What a process waits for: a frame (`PUBLISHED`) or room (`CONSUMED`). */
export const LANE: {
  readonly PUBLISHED: typeof FD.LANE_PUBLISHED;
  readonly CONSUMED: typeof FD.LANE_CONSUMED;
} = { PUBLISHED: FD.LANE_PUBLISHED, CONSUMED: FD.LANE_CONSUMED };
/** One of them. */
export type LaneNumber = typeof LANE[keyof typeof LANE];

/**
 * Set in an answer when a process may sleep on what was changed: the lane has to be woken. `PRODUCERS` is the lane
 * consumed; the other one is the lane that the verb's documentation names.
 */
export const SLEEPERS: typeof FD.SLEEPERS = FD.SLEEPERS;
/** See {@linkcode SLEEPERS}. */
export const PRODUCERS: typeof FD.PRODUCERS = FD.PRODUCERS;
/** The flag that a sleeper stores in a lane; the second one is woken as soon as a frame is being written. */
export const FLAG: Pick<typeof FD, "SLEEPS" | "SLEEPS_LIGHTLY"> = FD;
/**
 * What {@linkcode Mapping.claim} returns; {@linkcode SLEEPERS} and {@linkcode PRODUCERS} may be set too. `AWAITED`:
 * claimed, and the lane published must be woken before anything is written.
 */
export const CLAIM: {
  readonly CLAIMED: typeof FD.CLAIMED;
  readonly MOVED: typeof FD.MOVED;
  readonly LEASED: typeof FD.LEASED;
  readonly TAKEN: typeof FD.TAKEN;
  readonly AWAITED: typeof FD.AWAITED;
} = { CLAIMED: FD.CLAIMED, MOVED: FD.MOVED, LEASED: FD.LEASED, TAKEN: FD.TAKEN, AWAITED: FD.AWAITED };
/** In an answer of {@linkcode Mapping.publish}: the depot's name was taken, before or while the frame was published. */
export const TOO_LATE: {
  readonly REPLACED: typeof FD.REPLACED;
  readonly LATE: typeof FD.LATE;
} = { REPLACED: FD.REPLACED, LATE: FD.LATE };
/** In `header.replaced`: another segment is about to take the name, or has taken it. */
export const REPLACED: {
  readonly SOON: typeof FD.BEING_REPLACED;
  readonly DONE: typeof FD.IS_REPLACED;
} = { SOON: FD.BEING_REPLACED, DONE: FD.IS_REPLACED };
/** What {@linkcode Mapping.take} returns; {@linkcode SLEEPERS} may be set too. */
export const TAKE: {
  readonly NOT_THERE: typeof FD.NOT_THERE;
  readonly GOT: typeof FD.GOT;
  readonly GOT_AGAIN: typeof FD.GOT_AGAIN;
  readonly OTHERS: typeof FD.OTHERS;
} = { NOT_THERE: FD.NOT_THERE, GOT: FD.GOT, GOT_AGAIN: FD.GOT_AGAIN, OTHERS: FD.OTHERS };
/** In place of a timestamp: the time of publishing, or the one that is in the slot already. */
export const TIME: {
  readonly NOW: typeof FD.TIME_NOW;
  readonly KEPT: typeof FD.TIME_KEPT;
} = { NOW: FD.TIME_NOW, KEPT: FD.TIME_KEPT };

/** In place of the smallest cursor: no reader is attached, or none that gates. */
export const READERS: {
  readonly NOT_ATTACHED: typeof FD.NOT_ATTACHED;
  readonly ATTACHED_ONLY: typeof FD.ATTACHED_ONLY;
} = { NOT_ATTACHED: FD.NOT_ATTACHED, ATTACHED_ONLY: FD.ATTACHED_ONLY };
