/**
 * The test files in several runtimes: which files each runs, some at a time, and what they have shown.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { addFile, emptyRow, type Row } from "./results.ts";
import { ALL_RUNTIMES, EACH_VARIABLE, executableOf, executablesAsEnv, RUN, type Runtime } from "./runtimes.ts";

/** Files that look at what no system and no runtime changes. */
export const STATIC = /^(architecture|chaos_plan|imports|layout_copies|links|results|shipped_binaries|types|words)$/;

type Reasons = readonly (readonly [files: RegExp, reason: string])[];

/** What is run in Deno alone, and why. */
const ONCE: Reasons = [
  [STATIC, "they look at files, which are the same in each runtime"],
  [/^(examples|node_script|npm_package)$/, "they start programs, each in every runtime that it is for"],
  [/^(chaos|group_chaos)$/, "the processes that they start are of all runtimes"],
  [/^serve_page/, "they drive a browser, against the command in every runtime"],
  [/^deno_sanitizers$/, "Deno alone has sanitizers"],
  [/^suite$/, "it tries a tool, which Deno runs"],
];

/** What is run in Deno alone unless every runtime is asked for, and why. */
const ONCE_IN_SHORT: Reasons = [
  [/^cli_video_(grab|outputs|times|versions|y4m)$/, "they look at what ffmpeg and codecs make of pictures"],
];

/** A file that takes longer hangs. */
const FILE_MS = 20 * 60_000;
/** Most tests wait more than they compute; with more beside each other, some only wait for the machine. */
export const AT_ONCE: number = Math.min(availableParallelism(), 3) + 1;

/** What stands between the executable and the path of a test file. @param flags for Deno: where imports are from */
export function testFlags(runtime: Runtime, flags: readonly string[]): readonly string[] {
  const test = {
    deno: ["test", "-A", "--no-check", ...flags], // --quiet would hide what a file says of its skips
    bun: ["test"],
    node: [...RUN.node, "--test-force-exit"], // as the others do, after a test that has failed
  };
  return test[runtime];
}

/** The test files at the given paths, which are files or folders. */
export function testFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path).filter((file) => file.endsWith(".test.ts")).sort().map((file) => join(path, file));
  });
}

/** The name that a table has for a file. */
export const shortOf = (file: string): string => basename(file, ".test.ts");

function reasonFor(file: string, reasons: Reasons): string | undefined {
  return reasons.find(([files]) => files.test(shortOf(file)))?.[1];
}

const onceFor = (file: string): string | undefined => reasonFor(file, ONCE);
/** @param whole whether every runtime is asked for */
const onceIn = (file: string, whole: boolean): string | undefined => {
  return onceFor(file) ?? (whole ? undefined : reasonFor(file, ONCE_IN_SHORT));
};

/** A line for each reason to run files in Deno alone, with these files. */
export function ranOnce(files: readonly string[], whole: boolean): string[] {
  const reasons = Map.groupBy(files, (file) => onceIn(file, whole));
  return [...reasons].flatMap(([reason, some]) => {
    return reason === undefined ? [] : [`in Deno alone, because ${reason}: ${some.map(shortOf).join(", ")}`];
  });
}

/** One file in one runtime. */
export type Job = { file: string; runtime: Runtime };

/** Every file in every runtime, apart from what is run once. @param whole whether every runtime is asked for */
export function jobsOf(files: readonly string[], whole: boolean): Job[] {
  return files.flatMap((file) => {
    const runtimes = onceIn(file, whole) === undefined ? ALL_RUNTIMES : ["deno" as const];
    return runtimes.map((runtime) => ({ file, runtime }));
  });
}

/** What the process of one file printed, and how it ended: with a code, by a signal, or not in time. */
export type Outcome = { output: string; code: number | null; signal: string | null; seconds: number };

/** How a file is run. */
export type Setting = {
  executable: string;
  env: Record<string, string | undefined>;
  /** For Deno. */
  flags: readonly string[];
  /** The time that it has. */
  limitMs?: number;
  /** Whether processes of it that others need go on after it, as Wine's do. Default: it leaves none. */
  leavesProcesses?: boolean;
};

/** Groups of processes that run now, each named by its first. */
const groups = new Set<number>();

/** Ends what a file has left: the test of it that was killed could not. */
function endGroup(group: number): void {
  groups.delete(group);
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // it has left nothing
  }
}

let endsBySignal = false;

/** Groups of their own do not hear the Ctrl-C of the terminal. */
function endGroupsBySignal(): void {
  if (endsBySignal) return;
  endsBySignal = true;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      for (const group of groups) endGroup(group);
      process.kill(process.pid, signal);
    });
  }
}

/** Runs one file. */
export function runFile({ file, runtime }: Job, setting: Setting): Promise<Outcome> {
  const { executable, env, flags, limitMs = FILE_MS, leavesProcesses = process.platform === "win32" } = setting;
  const begin = performance.now();
  const child = spawn(executable, [...testFlags(runtime, flags), `./${file}`], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
    detached: !leavesProcesses, // the first of a group
  });
  if (!leavesProcesses && child.pid !== undefined) {
    endGroupsBySignal();
    groups.add(child.pid);
    child.on("exit", () => endGroup(child.pid!));
  }
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => output += text);
  const watchdog = setTimeout(() => process.kill(child.pid!, "SIGKILL"), limitMs);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(watchdog);
      resolve({ output, code, signal, seconds: (performance.now() - begin) / 1000 });
    });
  });
}

/** Runs one file in this machine's own runtime. */
export function runHere(job: Job, flags: readonly string[]): Promise<Outcome> {
  const each = onceFor(job.file) === undefined ? { [EACH_VARIABLE]: "1" } : {};
  const env = { ...executablesAsEnv(ALL_RUNTIMES), ...each };
  return runFile(job, { executable: executableOf(job.runtime), env, flags });
}

/** Runs all jobs, the first ones first, and adds what they show to the row of their runtime. */
export async function runJobs(
  target: string,
  jobs: readonly Job[],
  run: (job: Job) => Promise<Outcome>,
  tell: (job: Job, outcome: Outcome) => void,
): Promise<Row[]> {
  const rows = new Map(jobs.map(({ runtime }) => [runtime, emptyRow(target, runtime)]));
  const left = [...jobs];
  const one = async () => {
    for (let job; (job = left.shift()) !== undefined;) {
      const row = rows.get(job.runtime)!;
      const outcome = await run(job);
      addFile(row, shortOf(job.file), outcome.output, outcome.code ?? outcome.signal);
      tell(job, outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return [...rows.values()];
}
