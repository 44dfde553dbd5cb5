/**
 * Removes what only dead processes held, as the kernel proves it, and tells what is no depot at all.
 *
 * @module
 */
import { lstatSync } from "node:fs";
import process from "node:process";
import { DepotError, FramesDepot } from "../mod.ts";
import { FOLDER } from "./doctor/memory.ts";
import { PREFIX } from "./doctor/processes.ts";

/** What became of a name. */
export type Removal = "removed" | "live" | { refused: DepotError };

/** Removes a name if the kernel says that no live process holds it, whatever state its segment is in. */
export function removeDead(name: string): Removal {
  return refusable(() => {
    if (FramesDepot.unlink(name, { onlyStale: true })) return "removed";
    // If it is gone, another process has removed it.
    return FramesDepot.inspect(name) === undefined ? "removed" : "live";
  });
}

/** Removes a name, whatever has it; processes that have it open keep it. */
export function removeAny(name: string): Removal {
  return refusable(() => {
    FramesDepot.unlink(name); // false: another process has removed it
    return "removed";
  });
}

function refusable(remove: () => Removal): Removal {
  try {
    return remove();
  } catch (error) {
    if (error instanceof DepotError) return { refused: error };
    throw error;
  }
}

/** What has a depot's name and cannot be one, as `a FIFO`: only {@linkcode removeAny} removes it. Known on Linux. */
export function strangerAt(name: string): string | undefined {
  if (process.platform !== "linux") return undefined;
  const status = lstatSync(`${FOLDER}/${PREFIX}${name}`, { throwIfNoEntry: false });
  if (status?.isSymbolicLink()) return "a symbolic link";
  if (status?.isFIFO()) return "a FIFO";
  if (status?.isSocket()) return "a socket";
  return status?.isCharacterDevice() || status?.isBlockDevice() ? "a device" : undefined;
}
