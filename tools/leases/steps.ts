/**
 * What a storm does, and how often.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../support/random.ts";
import { collect } from "../support/runtimes.ts";
import type { Owner } from "./held.ts";
import * as holds from "./holds.ts";
import type { Scene } from "./scene.ts";
import { work } from "./slots.ts";
import * as takes from "./takes.ts";

type Step = (scene: Scene, random: Random) => void | Promise<void>;

/** Leases are looked after for being forgotten once they are so old. */
const OLD_MS = 110;
/** Pieces that are held at once, by the bytes of a frame. */
const PIECES = 22;
const PIECES_BYTES = 12e6;
/** Refusals in a row after which something is given up. */
const REFUSALS = 12;

async function closeOne(scene: Scene, random: Random, owner: Owner = random.pick(scene.owners)): Promise<void> {
  scene.say("close, and open another");
  if (random.percent(8)) {
    holds.abandon(scene, owner, random);
    // Old enough for a finalizer, which a collection just before the close leaves no time to run.
    await sleep(OLD_MS);
  }
  const used = random.percent(30);
  if (used) holds.operateOn(scene, owner, random);
  const begin = random.percent(30) ? () => closeWithin(scene, owner, random) : undefined;
  await scene.close(owner, random, begin);
  // Nothing new takes the addresses before what is under way has ended.
  if (used) await scene.settle();
  await scene.open();
}

/** Begins to close the depot object in a getter. */
function closeWithin(scene: Scene, { depot }: Owner, random: Random): void {
  const closes = () => {
    depot.close();
    return undefined;
  };
  const how = random.pick(["tryEnqueue", "tryClaim", "frames"] as const);
  scene.say(`  in a getter of what ${how} is told`);
  try {
    if (how === "tryEnqueue") {
      const frame = new Uint8Array(depot.frameBytes);
      depot.tryEnqueue({
        frame,
        get timestampNs() {
          return closes();
        },
      });
    } else if (how === "tryClaim") {
      depot.tryClaim({
        get timestampNs() {
          return closes();
        },
      });
    } else {depot.frames({
        mode: "lossy",
        get signal() {
          return closes();
        },
      });}
  } catch (error) {
    if (!["CLOSED", "TOO_MANY_PEERS"].includes((error as { code?: string }).code ?? "")) throw error;
    return;
  }
  if (how !== "frames") scene.accuse(`${how} did something in a depot object that is closed`);
}

async function clear(scene: Scene, random: Random): Promise<void> {
  scene.say("clearQueue");
  await random.pick(scene.owners).depot.clearQueue();
}

function sweep(scene: Scene): void {
  scene.say("collect");
  scene.counts.collected++;
  collect();
}

/** Leases grow old, what was forgotten is collected, and finalizers run. */
async function rest(scene: Scene, random: Random): Promise<void> {
  takes.forgetReader(scene, random);
  scene.say("rest and collect");
  await sleep(OLD_MS);
  for (let rounds = 0; rounds < 3; rounds++) {
    collect();
    scene.counts.collected++;
    await sleep(4);
    scene.look();
  }
}

async function writeLate(scene: Scene): Promise<void> {
  scene.say("what is read for comes");
  await scene.around.pipe?.write();
}

async function settle(scene: Scene): Promise<void> {
  scene.say("what is under way ends");
  await scene.settle();
}

const STEPS: readonly (readonly [weight: number, step: Step])[] = [
  [220, takes.ask],
  [30, takes.follow],
  [220, takes.goOn],
  [25, takes.loop],
  [15, takes.endReader],
  [10, takes.forgetReader],
  [8, takes.stream],
  [40, takes.read],
  [8, takes.endStream],
  [40, holds.touch],
  [70, holds.clone],
  [20, holds.copy],
  [230, holds.release],
  [10, holds.drop],
  [4, holds.dropView],
  [25, holds.move],
  [30, holds.operate],
  [10, holds.moveEnded],
  [10, holds.again],
  [250, holds.put],
  [130, work],
  [5, clear],
  [6, sweep],
  [3, rest],
  [5, writeLate],
  [3, settle],
  [7, closeOne],
];
const ALL = STEPS.reduce((sum, [weight]) => sum + weight, 0);

/** Takes one step. */
export async function stepOf(scene: Scene, random: Random): Promise<void> {
  let place = random.unit() * ALL;
  for (const [weight, step] of STEPS) {
    if ((place -= weight) < 0) return await step(scene, random);
  }
}

/** Gives up something where too much is held, so that a storm goes on. */
export async function relieve(scene: Scene, random: Random): Promise<void> {
  const { frameSize: [width, height, channels], maxSize = 10 } = scene.options;
  const most = Math.min(PIECES, PIECES_BYTES / (width * height * channels));
  while (scene.held.length > most) scene.release(random.pick(scene.held));
  if (scene.refused > 0) takes.makeRoom(scene);
  const kept = scene.owners.reduce((sum, owner) => sum + owner.kept, 0);
  if (kept >= maxSize - 1 || scene.refused >= 3 * REFUSALS) {
    const owner = scene.owners.reduce((most, owner) => owner.kept > most.kept ? owner : most);
    scene.refused = 0;
    await closeOne(scene, random, owner);
  } else if (scene.refused > 0 && scene.refused % REFUSALS === 0) {
    scene.refused++;
    scene.say("relief");
    for (const held of [...scene.held]) if (random.percent(70)) scene.release(held);
    for (const held of scene.slots.splice(0)) held.slot.release();
    for (const { reader } of scene.streams.splice(0)) scene.beside(reader.cancel());
    await clear(scene, random);
  }
}
