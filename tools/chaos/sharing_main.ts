/**
 * `deno task chaos:sharing`: members of a group, four processes in both runtimes, are killed at random moments and
 * exactly between the steps of docs/internals/protocol.md; each frame is worked on once, or again and marked so.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { anySeed, optionsOrUsage, wholeNumber } from "../support/options.ts";
import { sharingRun } from "./sharing.ts";

const USAGE = `deno task chaos:sharing [options]
  --frames N     end after N frames (100000)
  --seed N       plan the same deaths again (random)`;

const { frames, seed } = optionsOrUsage(USAGE, () => {
  const { values } = parseArgs({
    options: { frames: { type: "string", default: "100000" }, seed: { type: "string", default: anySeed() } },
  });
  return { frames: wholeNumber("frames", values.frames), seed: wholeNumber("seed", values.seed) };
});
console.log(`seed ${seed}, ${frames} frames`);
const started = performance.now();
const { deaths, at, twice, redelivered, wrong } = await sharingRun({ frames, seed, tell: console.log });
const seconds = ((performance.now() - started) / 1000).toFixed(0);
const steps = Object.entries(at).sort().map(([step, count]) => `${step} ${count}`).join("  ");
console.log(`${seconds} s, ${deaths} deaths: ${steps}\n${redelivered} frames given again, ${twice} worked on twice`);
for (const what of wrong.slice(0, 30)) console.error(`wrong: ${what}`);
if (wrong.length > 0) {
  console.error(`failed; seed ${seed}`);
  process.exit(1);
}
console.log(`each frame was worked on once, or given again and marked. seed ${seed}`);
