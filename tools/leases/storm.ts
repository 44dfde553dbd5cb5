/**
 * The process that a storm is in: one depot after the other, with several depot objects of each, until it has leased as
 * many frames as it was told.
 *
 * @module
 */
import fs from "node:fs";
import process from "node:process";
import { setImmediate as turn } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { ModuleChild } from "../support/child.ts";
import { say, taskOf } from "../support/parent.ts";
import { type Resources, resourcesOf } from "../support/resources.ts";
import { Random } from "../support/random.ts";
import { collect, HERE } from "../support/runtimes.ts";
import { METADATA_BYTES } from "../support/stamp.ts";
import { KeeperLink } from "./keeper_link.ts";
import type { PartnerOrder, PartnerReport } from "./partner.ts";
import { LatePipe } from "./pipe.ts";
import { type Counts, Scene, type SceneOptions, type Surroundings } from "./scene.ts";
import { relieve, stepOf } from "./steps.ts";

/** What it is told. */
export type StormTask = {
  /** Of the depots: each has a number after it. */
  name: string;
  frames: number;
  seed: number;
  folder: string;
  /** Writes each step to standard error before it is taken: for a run that ends with the process. */
  trace: boolean;
};
/** What it says after each scene. */
export type SceneReport = {
  scene: number;
  options: SceneOptions;
  counts: Counts;
  stored: number;
  other: PartnerReport;
} & Resources;
/** What it says when the first depot is there, and from then on again and again: how many leases it has taken. */
export type Alive = { alive: number; step: string };
/** What it says at its end. */
export type StormReport = { counts: Counts; wrong?: string };

/** A scene ends after this number of frames, but no more than a fifth of all, and after this number of bytes. */
const FRAMES = 2500;
const PART = 5;
const BYTES = 200e6;
/** A scene in which nothing can be leased any more is over. */
const MOST_STEPS = 20;
const TURN_EVERY = 8;
/** Between two signs of life. */
const ALIVE_MS = 1000;

const task = taskOf<StormTask>();
const counts: Counts = {
  leased: 0,
  looks: 0,
  published: 0,
  moved: 0,
  used: 0,
  forgotten: 0,
  released: 0,
  closed: 0,
  collected: 0,
};

const FRAME_SIZES = [[16, 4, 1], [32, 16, 3], [64, 32, 2], [64, 32, 2], [128, 129, 4], [320, 240, 4], [800, 600, 4]];

function someDepot(random: Random): SceneOptions {
  const [width, height, channels] = random.pick(FRAME_SIZES);
  return {
    frameSize: [width, height, channels],
    elementType: random.pick(["uint8", "uint8", "uint16", "float32"] as const),
    maxSize: random.integer(3, 12),
    whenFull: random.pick(["overwrite", "overwrite", "wait", "drop"] as const),
    metadataBytes: METADATA_BYTES,
    maxReaders: random.integer(8, 40),
  };
}

let aliveAt = 0;

function alive(step: string): void {
  aliveAt = performance.now();
  say({ alive: counts.leased, step } satisfies Alive);
}

async function play(index: number, around: Surroundings, partner: ModuleChild): Promise<SceneReport> {
  const random = new Random(task.seed + Math.imul(index, 0x9e3779b1));
  const options = someDepot(random);
  const scene = new Scene(`${task.name}-${index}`, options, 2 * index + 1, around);
  const creator = await FramesDepot.create(scene.name, options);
  alive("begins");
  for (let objects = random.integer(2, 4); objects > 0; objects--) await scene.open();
  partner.send({ join: { name: scene.name, life: 2 * index + 2, seed: random.seed() } } satisfies PartnerOrder);
  await partner.line();
  const frames = Math.min(FRAMES, task.frames / PART, BYTES / creator.frameBytes, task.frames - counts.leased);
  const until = counts.leased + frames;
  const seed = random.seed();
  // Each step has a seed of its own: what one finds does not change what the others are.
  for (let step = 0; counts.leased < until && step < frames * MOST_STEPS; step++) {
    const own = new Random(seed + Math.imul(step, 0x85ebca6b));
    await stepOf(scene, own);
    scene.look();
    if (performance.now() - aliveAt > ALIVE_MS) alive(scene.lastStep);
    if (step % TURN_EVERY === 0) await turn();
    if (step % 100 === 0) await around.keeper.look();
    await relieve(scene, own);
  }
  await finish(scene, random);
  partner.send({ leave: true } satisfies PartnerOrder);
  const other = await partner.line<PartnerReport>();
  if (other.wrong.length > 0) scene.accuse(other.wrong.join("; "));
  const { stored } = creator.stats();
  await creator.close();
  if (FramesDepot.list().some(({ name }) => name === scene.name)) scene.accuse("the segment is left behind");
  if (index % 4 === 3) around.keeper.end();
  collect();
  return { scene: index, options, counts, stored, other, ...resourcesOf() };
}

/** Everything under way comes to its end, then every depot object is closed. */
async function finish(scene: Scene, random: Random): Promise<void> {
  scene.say("the scene ends");
  await scene.around.pipe?.write();
  for (const { reader } of scene.streams.splice(0)) scene.beside(reader.cancel());
  await scene.settle();
  for (const owner of [...scene.owners]) await scene.close(owner, random);
  await scene.around.keeper.look();
  scene.look();
}

async function run(): Promise<StormReport> {
  const partner = new ModuleChild(HERE === "deno" ? "bun" : "deno", new URL("./partner.ts", import.meta.url), {});
  const pipe = HERE === "bun" ? new LatePipe(`${task.folder}/pipe`) : undefined;
  const tell = (step: string) => {
    if (task.trace) fs.writeSync(2, `${step}\n`);
  };
  const around: Surroundings = { counts, keeper: new KeeperLink(), folder: task.folder, pipe, tell };
  try {
    for (let index = 0; counts.leased < task.frames; index++) {
      say(await play(index, around, partner));
      for (const file of fs.readdirSync(task.folder)) {
        if (file !== "pipe") fs.rmSync(`${task.folder}/${file}`);
      }
    }
    return { counts };
  } catch (error) {
    return { counts, wrong: error instanceof Error ? error.stack ?? error.message : String(error) };
  } finally {
    around.keeper.end();
    partner.hangUp();
    await partner.ending;
  }
}

process.on("SIGINT", () => {}); // it is meant for the parent
process.stdin.on("end", () => process.exit(1)).resume();
run().then((report) => {
  say({ ended: true, ...report });
  process.exit(0);
});
