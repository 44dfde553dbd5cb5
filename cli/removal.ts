/**
 * Removing what only dead processes held, by proof and not by guess.
 *
 * @module
 */
import { DepotError, FramesDepot } from "../mod.ts";

/** What became of a name. */
export type Removal = "removed" | "live" | { refused: string };

/**
 * Removes a name if no process that is alive holds it, whatever state its segment is in.
 *
 * Making a depot takes over exactly those names: the library asks the kernel, under the segment's own lock, whether any
 * peer lives. So a tiny depot is made in its place, which is ours to remove. Between looking and unlinking, somebody
 * could have made a depot that we would then destroy.
 */
export async function removeDead(name: string): Promise<Removal> {
  try {
    const own = await FramesDepot.create(name, { frameSize: [1, 1, 1], maxSize: 1 });
    FramesDepot.unlink(name); // at once, before somebody who waits for the name finds it
    await own.close();
    return "removed";
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    if (error.code === "EXISTS") return "live";
    // The old segment is removed before memory for the new one is asked for.
    if (error.code === "NO_SPACE" && !FramesDepot.list().some((info) => info.name === name)) return "removed";
    return { refused: error.message };
  }
}
