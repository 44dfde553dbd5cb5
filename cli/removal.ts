/**
 * Removes what only dead processes held, as the kernel proves it.
 *
 * @module
 */
import { DepotError, FramesDepot } from "../mod.ts";

/** What became of a name. */
export type Removal = "removed" | "live" | { refused: string };

/** Removes a name if the kernel says that no live process holds it, whatever state its segment is in. */
export function removeDead(name: string): Removal {
  try {
    if (FramesDepot.unlink(name, { onlyStale: true })) return "removed";
    // If it is gone, another process has removed it.
    return FramesDepot.inspect(name) === undefined ? "removed" : "live";
  } catch (error) {
    if (error instanceof DepotError) return { refused: error.message };
    throw error;
  }
}
