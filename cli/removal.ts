/**
 * Removing what only dead processes held, by proof and not by guess.
 *
 * @module
 */
import { DepotError, FramesDepot } from "../mod.ts";

/** What became of a name. */
export type Removal = "removed" | "live" | { refused: string };

/** Removes a name if the kernel says that no process that is alive holds it, whatever state its segment is in. */
export function removeDead(name: string): Removal {
  try {
    if (FramesDepot.unlink(name, { onlyStale: true })) return "removed";
    // Where it is gone, somebody was quicker.
    return FramesDepot.inspect(name) === undefined ? "removed" : "live";
  } catch (error) {
    if (error instanceof DepotError) return { refused: error.message };
    throw error;
  }
}
