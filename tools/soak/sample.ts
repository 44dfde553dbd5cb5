/**
 * What a process has, from outside: memory, descriptors, threads, mapped segments; and whether that stays flat.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { type Resources, resourcesOf } from "../support/resources.ts";
import { quarters } from "../support/statistics.ts";

/** One look at one process. */
export type Sample = Resources & { megabytes: number; threads: number };

/** Looks at a process; undefined when it is gone. Its memory is its own: shared pages are not its to leak. */
export function sample(pid: number): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+([0-9]+)`, "m").exec(status)?.[1] ?? NaN);
    return { megabytes: field("RssAnon") / 1024, threads: field("Threads"), ...resourcesOf(pid) };
  } catch {
    return undefined;
  }
}

/**
 * A process breathes; more growth than this between the first and the last quarter is a leak. (On a busy machine Deno's
 * pool of helper threads may take one or two more than that, with a limit of 32.)
 */
const TOLERANCE = { ratio: 0.15, megabytes: 16, heap: 4, files: 2, segments: 2, threads: 2 };

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
