/**
 * A process of this tool, which may fork or die at a step.
 *
 * @module
 */
import { ModuleChild } from "../support/child.ts";
import type { Runtime } from "../support/runtimes.ts";
import { tracedLibrary } from "./steps.ts";

/** What a runtime has to do without so that it can be forked: helper threads do not come along. */
const SINGLE_THREADED = {
  deno: { flags: ["--v8-flags=--single-threaded"], env: {} },
  // Compiled code does not survive a fork: one victim in seven ended by signal 11.
  node: {
    flags: ["--single-threaded", "--v8-pool-size=0", "--no-opt", "--no-maglev", "--no-sparkplug"],
    env: {},
  },
  bun: {
    flags: [],
    env: { BUN_JSC_useConcurrentGC: "0", BUN_JSC_useConcurrentJIT: "0", BUN_JSC_numberOfGCMarkers: "1" },
  },
};

/** What a process is made for. */
export type Purpose = { forks?: boolean; traced?: boolean };

/** Starts a module of this folder. */
export function start(runtime: Runtime, module: string, task: unknown, purpose: Purpose = {}): ModuleChild {
  const { flags, env } = purpose.forks ? SINGLE_THREADED[runtime] : { flags: [], env: {} };
  const library = purpose.traced ? { FRAMES_DEPOT_LIB: tracedLibrary(runtime) } : {};
  return new ModuleChild(runtime, new URL(module, import.meta.url), task, { flags, env: { ...env, ...library } });
}
