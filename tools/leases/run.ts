/**
 * One storm in one runtime: starts it, watches it, and says what came of it.
 *
 * @module
 */
import fs from "node:fs";
import os from "node:os";
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { ModuleChild } from "../support/child.ts";
import { COLLECTS, executablesAsEnv, type Runtime } from "../support/runtimes.ts";
import { quarters } from "../support/statistics.ts";
import type { Counts } from "./scene.ts";
import type { Alive, SceneReport, StormReport, StormTask } from "./storm.ts";

/** How a run goes. */
export type RunOptions = {
  runtime: Runtime;
  /** Leases to take. */
  frames: number;
  seed: number;
  /** Where the tree is whose library is tried; this one if nothing is said. */
  tree?: URL;
  trace?: boolean;
  /** Told after each scene. */
  tell?: (line: string) => void;
  signal?: AbortSignal;
};

/** What came of it. */
export type Outcome = {
  /** Whether a depot was made at all. */
  begun: boolean;
  counts: Counts;
  scenes: number;
  /** Frames that were published by all. */
  stored: number;
  /** Frames that the other process has seen. */
  seen: number;
  /** First and last quarter of the scenes, at their end. */
  flat: Record<"files" | "segments" | "mappings", [first: number, last: number]>;
  wrong: string[];
};

/** A storm that says nothing for this time hangs. */
const HANG_MS = 60_000;
/**
 * A process breathes; more than this is a leak. Addresses over which zeros were mapped are never given back, and not
 * all of them lie side by side: a few mappings stay for each ten depot objects.
 */
const TOLERANCE = { files: 3, segments: 0, mappings: 200 };
const MAPPINGS_A_CLOSE = 0.2;

let runs = 0;

/** Runs one. */
export async function leaseRun(options: RunOptions): Promise<Outcome> {
  const { runtime, frames, seed, tree = new URL("../../", import.meta.url), trace = false } = options;
  const name = `leases-${process.pid}-${runs++}`;
  const folder = fs.mkdtempSync(`${os.tmpdir()}/${name}-`);
  const task: StormTask = { name, frames, seed, folder, trace };
  const child = new ModuleChild(runtime, new URL("tools/leases/storm.ts", tree), task, {
    flags: COLLECTS[runtime],
    env: executablesAsEnv(),
  });
  const reports: SceneReport[] = [];
  const wrong: string[] = [];
  let counts: Counts | undefined;
  let alive: Alive | undefined;
  let hung = false;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  const bite = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      hung = true;
      child.kill();
    }, HANG_MS);
  };
  const stop = () => child.kill();
  options.signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      bite();
      const line = await child.next<SceneReport | StormReport & { ended: true } | Alive>();
      if (line === undefined) {
        const { code, signal } = await child.ending;
        const how = hung
          ? `nothing happened for ${HANG_MS} ms after "${alive?.step}"`
          : `ended with ${signal ?? `code ${code}`}`;
        wrong.push(`${how} in scene ${reports.length}${child.errors === "" ? "" : `: ${child.errors.slice(-4000)}`}`);
        break;
      }
      if ("alive" in line) {
        alive = line;
        continue;
      }
      if ("ended" in line) {
        if (line.wrong !== undefined) wrong.push(line.wrong);
        counts = line.counts;
        break;
      }
      reports.push(line);
      ({ counts } = line);
      options.tell?.(sayScene(line));
    }
    child.hangUp();
    await child.ending;
  } finally {
    clearTimeout(watchdog);
    options.signal?.removeEventListener("abort", stop);
    await child.kill();
    fs.rmSync(folder, { recursive: true, force: true });
    wrong.push(...leftBehind(name));
  }
  return { ...outcomeOf(reports, wrong), counts: counts ?? NOTHING, begun: alive !== undefined };
}

function leftBehind(name: string): string[] {
  const left = fs.readdirSync("/dev/shm").filter((file) => file.includes(`${name}-`));
  for (const { name: depot } of FramesDepot.list()) if (depot.startsWith(`${name}-`)) FramesDepot.unlink(depot);
  return left.map((file) => `left behind: /dev/shm/${file}`);
}

function sayScene({ scene, options, counts, stored, other }: SceneReport): string {
  const { whenFull, maxSize, frameSize } = options;
  const shape = `${frameSize.join("×")} ${options.elementType}, ${maxSize} slots, ${whenFull}`;
  return `scene ${scene}: ${shape}: ${stored} stored, ${other.seen} seen by the other; ${counts.leased} leased so far`;
}

const NOTHING = { leased: 0 } as Counts;

function outcomeOf(reports: SceneReport[], wrong: string[]): Omit<Outcome, "counts" | "begun"> {
  const flat = {} as Outcome["flat"];
  for (const kind of ["files", "segments", "mappings"] as const) {
    flat[kind] = quarters(reports.map((report) => report[kind])) as [number, number];
    const [first, last] = flat[kind];
    const kept = kind === "mappings" ? MAPPINGS_A_CLOSE * (reports.at(-1)?.counts.closed ?? 0) : 0;
    if (last - first > TOLERANCE[kind] + kept) wrong.push(`${kind} from ${first} to ${last}`);
  }
  for (const { scene, segments } of reports) {
    if (segments > 0) wrong.push(`${segments} segments are mapped after scene ${scene}`);
  }
  const sum = (of: (report: SceneReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  return {
    scenes: reports.length,
    stored: sum(({ stored }) => stored),
    seen: sum(({ other }) => other.seen),
    flat,
    wrong,
  };
}
