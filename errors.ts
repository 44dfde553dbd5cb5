/**
 * Errors of the outside world. Every other module may import this one, and it imports none.
 *
 * @module
 */

/**
 * Why a depot cannot be had or used:
 *
 * - `EXISTS`: the name belongs to a depot that a live process holds
 * - `NOT_FOUND`: there is no depot of that name
 * - `NOT_READY`: it is there, but its maker has not finished, or its membership could not be changed in time
 * - `INCOMPATIBLE`: another geometry, or made by an incompatible version
 * - `CORRUPT`: the segment's content contradicts itself
 * - `NO_SPACE`: not enough shared memory
 * - `PERMISSION`: the segment belongs to another user, or the system refuses
 * - `TOO_MANY_PEERS`: no entry left for another process or reader
 * - `CLOSED`: the depot object has been closed
 * - `ENDED`: the depot takes no more frames: `end()` was called
 * - `REPLACED`: the depot takes no more frames: another one has its name
 * - `BUSY`: an operation of this process still works on the memory
 * - `UNSUPPORTED`: the system, or the native library, cannot do it
 */
export type DepotErrorCode =
  | "EXISTS"
  | "NOT_FOUND"
  | "NOT_READY"
  | "INCOMPATIBLE"
  | "CORRUPT"
  | "NO_SPACE"
  | "PERMISSION"
  | "TOO_MANY_PEERS"
  | "CLOSED"
  | "ENDED"
  | "REPLACED"
  | "BUSY"
  | "UNSUPPORTED";

/** Where an error comes from, as far as it is known. */
export interface DepotErrorDetails {
  /** The depot's name. */
  depot?: string | undefined;
  /** The system's error number; Linux's numbers on every system. */
  errno?: number | undefined;
  /** What helps. The message ends with it. */
  remedy?: string | undefined;
  /** The error underneath. */
  cause?: unknown;
}

/**
 * An error of the outside world: of segments, other processes and the system. Wrong arguments are a TypeError or a
 * RangeError instead, and what is expected in normal use (full, empty, evicted, timed out) is never an error.
 *
 * @example Telling the causes apart
 * ```ts
 * import { DepotError, FramesDepot } from "@frames-depot/frames-depot";
 * import { assertEquals } from "@std/assert";
 *
 * try {
 *   await FramesDepot.open("nobody-made-this");
 * } catch (error) {
 *   assertEquals(error instanceof DepotError && error.code, "NOT_FOUND");
 * }
 * ```
 */
export class DepotError extends Error {
  /** `"DepotError"`. */
  override readonly name = "DepotError";
  /** Which of the causes it is; made for `switch`. */
  readonly code: DepotErrorCode;
  /** The depot's name, where one is concerned. */
  readonly depot: string | undefined;
  /** The system's error number, where it said one. */
  readonly errno: number | undefined;
  /** What helps: the end of the message, by itself. */
  readonly remedy: string | undefined;

  /**
   * Makes one; the library throws them.
   *
   * @param message what was tried, a colon, then the actual value and its limit; the remedy follows by itself
   */
  constructor(code: DepotErrorCode, message: string, details: DepotErrorDetails = {}) {
    const { cause, remedy } = details;
    super(remedy === undefined ? message : `${message}; ${remedy}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.depot = details.depot;
    this.errno = details.errno;
    this.remedy = remedy;
  }
}
