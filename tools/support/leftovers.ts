/**
 * The segments that lie in shared memory, for a look at what a test or a run left behind.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";

const FOLDER = "/dev/shm";

/** Names of all segments in `/dev/shm`, from every user; empty on systems that show none. */
export function leftovers(): string[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER).filter((name) => name.startsWith("frames-depot."));
}
