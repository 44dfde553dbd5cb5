/**
 * What a process has open, as Linux shows it.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/** Numbers of each. `segments`: mapped ones. */
export type Resources = { files: number; segments: number; mappings: number };

/** @param pid another process than this one @throws {Error} when it is gone */
export function resourcesOf(pid: number | "self" = "self"): Resources {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").trim().split("\n");
  return {
    files: readdirSync(`/proc/${pid}/fd`).length,
    segments: maps.filter((line) => line.includes("/dev/shm/")).length,
    mappings: maps.length,
  };
}
