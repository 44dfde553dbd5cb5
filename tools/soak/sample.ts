/**
 * What a process has, from outside: memory, descriptors, threads, mapped segments; and whether that stays flat.
 *
 * @module
 */
import fs from "node:fs";

/** One look at one process. */
export type Sample = { atMs: number; megabytes: number; files: number; threads: number; segments: number };

/** Looks at a process; undefined when it is gone. Its memory is its own: shared pages are not its to leak. */
export function sample(pid: number): Sample | undefined {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+([0-9]+)`, "m").exec(status)?.[1] ?? NaN);
    const maps = fs.readFileSync(`/proc/${pid}/maps`, "utf8");
    return {
      atMs: performance.now(),
      megabytes: field("RssAnon") / 1024,
      files: fs.readdirSync(`/proc/${pid}/fd`).length,
      threads: field("Threads"),
      segments: maps.split("\n").filter((line) => line.includes("/dev/shm/")).length,
    };
  } catch {
    return undefined;
  }
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Start-up and just-in-time compilation: this part of a run is not looked at. */
const WARM_UP = 0.2;
/** A heap breathes; more growth than this between the first and the last quarter is a leak. */
const TOLERANCE = { ratio: 0.15, megabytes: 16, count: 2 };

/** First and last quarter of what a process had, after it has warmed up. */
export type Trend = { first: Omit<Sample, "atMs">; last: Omit<Sample, "atMs">; grown: string[] };

const KINDS = ["megabytes", "files", "threads", "segments"] as const;

/** Compares the medians of the first and the last quarter. */
export function trendOf(samples: readonly Sample[]): Trend {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  const of = (part: readonly Sample[]) => ({
    megabytes: median(part.map(({ megabytes }) => megabytes)),
    files: median(part.map(({ files }) => files)),
    threads: median(part.map(({ threads }) => threads)),
    segments: median(part.map(({ segments }) => segments)),
  });
  const first = of(warm.slice(0, quarter));
  const last = of(warm.slice(-quarter));
  const grown = KINDS.filter((kind) => {
    const allowed = kind === "megabytes"
      ? Math.max(first.megabytes * TOLERANCE.ratio, TOLERANCE.megabytes)
      : TOLERANCE.count;
    return last[kind] - first[kind] > allowed;
  }).map((kind) => `${kind} from ${first[kind].toFixed(1)} to ${last[kind].toFixed(1)}`);
  return { first, last, grown };
}
