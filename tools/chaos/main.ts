/**
 * `deno task chaos`: kills producers and readers in both runtimes, thousands of times, at random moments and exactly
 * between the steps of docs/internals/protocol.md, while others go on; and looks whether anything is torn, lost,
 * doubled, left behind, or hangs. A fifth of them are workers of processes that live on.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { WhenFull } from "../../mod.ts";
import { anySeed, optionsOrUsage, wholeNumber } from "../support/options.ts";
import { Ledger } from "./ledger.ts";
import { chaosRun } from "./run.ts";
import { takingRun } from "./taking.ts";

const USAGE = `deno task chaos [options]
  --kills N      end after N kills (5000)
  --seconds N    or after N seconds (1800)
  --policy P     wait, drop, overwrite, taking (depots end, and their names are taken), or all: half of it wait (all)
  --slots N      slots of the depots (8, and for a tenth of the kills, waiting, 2048)
  --seed N       plan the same victims again (random)`;

/** What is run one after the other, and how large a part of it all each is. */
const PHASES: { whenFull: WhenFull | "taking"; maxSize: number; part: number }[] = [
  { whenFull: "wait", maxSize: 8, part: 5 },
  { whenFull: "wait", maxSize: 2048, part: 1 },
  { whenFull: "drop", maxSize: 8, part: 2 },
  { whenFull: "overwrite", maxSize: 8, part: 2 },
  { whenFull: "taking", maxSize: 8, part: 2 },
];
const SHOWN = 30;

function readOptions(): { kills: number; seconds: number; phases: typeof PHASES; seed: number } {
  const { values } = parseArgs({
    options: {
      kills: { type: "string", default: "5000" },
      seconds: { type: "string", default: "1800" },
      policy: { type: "string", default: "all" },
      slots: { type: "string" },
      seed: { type: "string", default: anySeed() },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const { kills, seconds, seed, policy, slots } = values;
  let phases = PHASES.filter(({ whenFull }) => policy === "all" || policy === whenFull);
  if (phases.length === 0) throw new Error(`--policy must be wait, drop, overwrite, taking, or all: ${policy}`);
  if (slots !== undefined) {
    const maxSize = wholeNumber("slots", slots);
    phases = phases.filter(({ maxSize }) => maxSize === 8).map((phase) => ({ ...phase, maxSize }));
  }
  return {
    kills: wholeNumber("kills", kills),
    seconds: wholeNumber("seconds", seconds),
    seed: wholeNumber("seed", seed),
    phases,
  };
}

const titleOf = ({ whenFull, maxSize }: typeof PHASES[number]) =>
  whenFull === "taking" ? "taking names" : `${whenFull} with ${maxSize} slots`;

const options = optionsOrUsage(USAGE, readOptions);
const { kills, seconds, phases, seed } = options;
const parts = phases.reduce((sum, { part }) => sum + part, 0);
const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => abort.abort());
const clear = process.stdout.isTTY ? "\r\x1b[K" : "";
const tell = (line: string) => process.stdout.write(process.stdout.isTTY ? `${clear}${line}` : `${line}\n`);

console.log(
  `seed ${seed}, ${kills} kills or ${seconds} s, ${phases.map(titleOf).join(", ")}`,
);
const total = new Ledger();
const started = performance.now();
for (const [index, phase] of phases.entries()) {
  const { whenFull, maxSize, part } = phase;
  const common = {
    kills: Math.ceil(kills * part / parts),
    seconds: Math.ceil(seconds * part / parts),
    seed: seed + index,
    eachStep: true,
    tell,
    signal: abort.signal,
  };
  const ledger = whenFull === "taking" ? await takingRun(common) : await chaosRun({ ...common, whenFull, maxSize });
  console.log(`${clear}\n== ${titleOf(phase)}\n${ledger.summary()}\n`);
  total.add(ledger);
  if (ledger.wrong.length > 0) break;
}
const minutes = ((performance.now() - started) / 60_000).toFixed(1);
if (phases.length > 1) console.log(`== all, ${minutes} minutes\n${total.summary()}\n`);
if (total.wrong.length > 0) {
  for (const what of total.wrong.slice(0, SHOWN)) console.error(`wrong: ${what}`);
  if (total.wrong.length > SHOWN) console.error(`and ${total.wrong.length - SHOWN} more`);
  console.error(`\nfailed; seed ${seed}`);
  process.exit(1);
}
console.log(`nothing torn, lost, doubled or left behind; nothing hung. seed ${seed}`);
