/**
 * `deno task soak`: an hour of mixed work in both runtimes. Memory, descriptors, threads and mappings of every process
 * have to stay flat, and every frame has to be accounted for.
 *
 * @module
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { anySeed } from "../support/options.ts";
import { Random } from "../support/random.ts";
import { RUNTIMES } from "../support/runtimes.ts";
import { trendOf } from "./sample.ts";
import { Scene, startWorker, type Worker } from "./scene.ts";

const USAGE = `deno task soak [options]
  --minutes N   how long, parts of a minute too (60)
  --seed N      choose the same work again (random)`;

/** Looks at all processes in a run, at least a second apart. */
const LOOKS = 400;
/** A depot in which nothing has moved for this time hangs. */
const HANG_MS = 30_000;
const CLEAR_MS = 7_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: anySeed() },
    help: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (values.help || !(minutes > 0) || !Number.isInteger(seed)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const random = new Random(seed);
const scenes: Scene[] = [];
const workers: Worker[] = [];
const visitors: Worker[] = [];
const wrong: string[] = [];
const clear = process.stdout.isTTY ? "\r\x1b[K" : "";
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted = true);

async function start(): Promise<void> {
  for (const whenFull of ["wait", "drop", "overwrite"] as const) {
    const scene = await Scene.make(whenFull, `soak-${process.pid}-${whenFull}`);
    scenes.push(scene);
    await scene.start(random, workers);
  }
  const [depot, ...others] = scenes.map((scene) => scene.depot.name);
  for (const runtime of RUNTIMES) {
    const task = { role: "visitor", depot, others, seed: random.seed() };
    const visitor = await startWorker(runtime, "visitor", task);
    visitors.push(visitor);
    workers.push(visitor);
  }
}

/** Looks at all processes until the time is up. @returns whether all went on to the end */
async function watch(): Promise<boolean> {
  const started = performance.now();
  const endMs = minutes * 60_000;
  const everyMs = Math.max(1000, endMs / LOOKS);
  const heads = scenes.map(() => ({ head: -1, at: started }));
  let clearedAt = started;
  for (let now = started; !interrupted && now - started < endMs; now = performance.now()) {
    await sleep(Math.min(everyMs, endMs - (now - started)));
    for (const worker of workers) {
      worker.look();
      if (worker.child.ended) {
        wrong.push(`${worker.title} ended by itself: ${worker.child.errors}`);
        return false;
      }
    }
    for (const [index, { observer, whenFull }] of scenes.entries()) {
      const { head } = observer.progress();
      if (head !== heads[index].head) heads[index] = { head, at: performance.now() };
      else if (performance.now() - heads[index].at > Math.max(HANG_MS, 2 * everyMs)) {
        wrong.push(`${whenFull}: nothing has moved for ${HANG_MS} ms\n${observer.dump()}`);
        return false;
      }
    }
    if (performance.now() - clearedAt > CLEAR_MS) {
      clearedAt = performance.now();
      await random.pick(scenes).depot.clearQueue();
    }
    const frames = scenes.map(({ whenFull }, index) => `${whenFull} ${heads[index].head}`).join(", ");
    const memory = workers.reduce((sum, { samples }) => sum + (samples.at(-1)?.megabytes ?? 0), 0);
    const elapsed = ((performance.now() - started) / 60_000).toFixed(1);
    process.stdout.write(`${clear}${elapsed} min: sequences ${frames}; ${memory.toFixed(0)} MB`);
    if (!process.stdout.isTTY) process.stdout.write("\n");
  }
  return true;
}

/** A line a process: what it had at first, what at last, what it did. */
function table(): void {
  console.log(
    `${clear}\n${"process".padEnd(28)}${"MB".padEnd(14)}${"heap MB".padEnd(12)}${"files".padEnd(8)}threads  segments`,
  );
  for (const { title, samples, report } of workers) {
    const { of, grown } = trendOf(samples, report?.heap ?? []);
    const pair = ([first, last]: [number, number], digits = 0) => `${first.toFixed(digits)} ${last.toFixed(digits)}`;
    const did = Object.entries(report?.counts ?? {}).map(([name, count]) => `${name} ${count}`).join(" ");
    console.log(
      title.padEnd(28) + pair(of.megabytes, 1).padEnd(14) + pair(of.heap, 1).padEnd(12) + pair(of.files).padEnd(8) +
        pair(of.threads).padEnd(9) + pair(of.segments).padEnd(7) + did,
    );
    wrong.push(...grown.map((what) => `${title}: ${what}`));
  }
}

console.log(`seed ${seed}, ${minutes} minutes`);
try {
  await start();
  if (await watch()) {
    for (const visitor of visitors) visitor.child.hangUp();
    for (const visitor of visitors) await visitor.finish();
    for (const scene of scenes) await scene.finish();
    for (const scene of scenes) wrong.push(...scene.flaws());
    for (const { title, report } of visitors) wrong.push(...report!.wrong.map((what) => `${title}: ${what}`));
    for (const { child, title } of workers) {
      const { code } = await child.ending;
      if (code !== 0) wrong.push(`${title} ended with code ${code}: ${child.errors}`);
    }
    for (const { observer, whenFull } of scenes) {
      wrong.push(...observer.remains(1).map((what) => `${whenFull}, left behind: ${what}`));
    }
  }
  table();
} catch (error) {
  wrong.push(error instanceof Error ? error.message : String(error));
} finally {
  await Promise.all(workers.map(({ child }) => child.kill()));
  for (const scene of scenes) await scene.close();
}
if (wrong.length > 0) {
  for (const what of wrong) console.error(`wrong: ${what}`);
  console.error(`\nfailed; seed ${seed}`);
  process.exit(1);
}
console.log(`\nflat, and every frame accounted for. seed ${seed}`);
