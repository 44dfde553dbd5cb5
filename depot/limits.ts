/**
 * What limits a new depot here.
 *
 * @module
 */
import { loadShim } from "../ffi/load.ts";
import { leftOf, remedyOf } from "../ring/limits.ts";

/** One limit of a new depot, as {@linkcode FramesDepot.limits} tells it. */
export interface DepotLimit {
  /**
   * `fileSystem`: the shared memory. `inodes`: the number of its files. `quota`: of this user there. `group`: memory of
   * the control groups. `file`: the size of a file (RLIMIT_FSIZE). `addresses`: of this process (RLIMIT_AS). `memory`:
   * of the machine.
   */
  kind: "fileSystem" | "inodes" | "quota" | "group" | "file" | "addresses" | "memory";
  /** What is left; bytes, but for `inodes`. */
  left: number;
  /** The whole, in the same unit. */
  whole: number;
  /** What is left of the whole, in words. */
  says: string;
  /** What raises it. */
  remedy: string;
}

/** Every limit that the system tells. */
export function listLimits(): DepotLimit[] {
  return loadShim().limits().map((limit) => ({ ...limit, says: leftOf(limit), remedy: remedyOf(limit.kind) }));
}
