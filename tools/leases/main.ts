/**
 * `deno task leases`: random operations on leases in both runtimes, beside a process of the other one; after each step
 * every byte of all that is held is looked at.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { anySeed, optionsOrUsage, wholeNumber } from "../support/options.ts";
import { type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { prove } from "./proof.ts";
import { leaseRun, type Outcome } from "./run.ts";

const USAGE = `deno task leases [options]
  --frames N     leases to take in each runtime (100000)
  --seed N       take the same steps again (random)
  --runtime R    deno, bun, or both (both)
  --mutations    take each safeguard away in a copy of the tree: a storm has to find it (of 5000 frames)
  --only TEXT    only the mutations that have TEXT in their name
  --trace        print each step: for a run that ends with the process`;

/** Leases of a run, and of one that has to find a mutation. */
const FRAMES = 100_000;
const FRAMES_OF_MUTATIONS = 5000;

type Options = {
  frames: number;
  seed: number;
  runtimes: readonly Runtime[];
  mutations: boolean;
  only: string | undefined;
  trace: boolean;
};

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      frames: { type: "string" },
      seed: { type: "string", default: anySeed() },
      runtime: { type: "string", default: "both" },
      mutations: { type: "boolean", default: false },
      only: { type: "string" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { mutations, only, trace } = values;
  const runtimes = RUNTIMES.filter((runtime) => ["both", runtime].includes(values.runtime));
  if (runtimes.length === 0) throw new Error(`--runtime must be deno, bun, or both: ${values.runtime}`);
  const frames = wholeNumber("frames", values.frames ?? String(mutations ? FRAMES_OF_MUTATIONS : FRAMES));
  return { frames, seed: wholeNumber("seed", values.seed), runtimes, mutations, only, trace };
}

const options = optionsOrUsage(USAGE, readOptions);
const { frames, seed, runtimes } = options;
const abort = new AbortController();
const { signal } = abort;
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => abort.abort());
const tell = (line: string) => process.stdout.write(`${line}\n`);

function summary({ counts, scenes, stored, seen, flat }: Outcome): string {
  const numbers = Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
  const pairs = Object.entries(flat).map(([name, [first, last]]) => `${name} ${first} ${last}`).join(", ");
  return `${scenes} depots, ${stored} frames stored, ${seen} seen by the other process\n  ${numbers}\n  ` +
    `first and last quarter: ${pairs}`;
}

async function storms(): Promise<boolean> {
  let calm = true;
  for (const runtime of runtimes) {
    const started = performance.now();
    const outcome = await leaseRun({ runtime, frames, seed, trace: options.trace, tell, signal });
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`== ${runtime}, ${seconds} s: ${summary(outcome)}`);
    for (const what of outcome.wrong) console.error(`wrong: ${what}`);
    calm &&= outcome.wrong.length === 0;
  }
  if (calm) console.log(`no frame torn, no view of another frame, nothing left behind. seed ${seed}`);
  return calm;
}

async function mutations(): Promise<boolean> {
  const survived = await prove({ runtimes, frames, seed, only: options.only, tell, signal });
  for (const what of survived) console.error(`not found: ${what}`);
  if (survived.length === 0) console.log(`every mutation was found. seed ${seed}`);
  return survived.length === 0;
}

console.log(`seed ${seed}, ${frames} frames in ${runtimes.join(" and ")}`);
if (!await (options.mutations ? mutations() : storms())) {
  console.error(`\nfailed; seed ${seed}`);
  process.exit(1);
}
