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
/**
 * A process breathes; more growth than this between the first and the last quarter is a leak. (On a busy machine Deno's
 * pool of helper threads may take one or two more than that, of 32 at most.)
 */
const TOLERANCE = { ratio: 0.15, megabytes: 16, heap: 4, files: 2, segments: 2, threads: 2 };

/** Medians of the first and the last quarter, after what counts as warming up. */
export function quarters(values: readonly number[]): [first: number, last: number] {
  const warm = values.slice(Math.floor(values.length * WARM_UP));
  const quarter = Math.max(1, Math.floor(warm.length / 4));
  return [median(warm.slice(0, quarter)), median(warm.slice(-quarter))];
}

/** What was measured at first and at last, and what of it has grown. */
export type Trend = { of: Record<typeof KINDS[number] | "heap", [first: number, last: number]>; grown: string[] };

const KINDS = ["megabytes", "files", "threads", "segments"] as const;

/** Compares the first and the last quarter of a process. @param heap megabytes in use after each collection */
export function trendOf(samples: readonly Sample[], heap: readonly number[]): Trend {
  const kinds = KINDS.map((kind) => [kind, quarters(samples.map((sample) => sample[kind]))] as const);
  const of = Object.fromEntries([...kinds, ["heap", quarters(heap)]]) as Trend["of"];
  const allowed = {
    ...TOLERANCE,
    megabytes: Math.max(of.megabytes[0] * TOLERANCE.ratio, TOLERANCE.megabytes),
  };
  const grown = ([...KINDS, "heap"] as const).filter((kind) => of[kind][1] - of[kind][0] > allowed[kind]);
  return { of, grown: grown.map((kind) => `${kind} from ${of[kind][0].toFixed(1)} to ${of[kind][1].toFixed(1)}`) };
}
