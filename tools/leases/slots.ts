/**
 * Steps on slots: claimed, written in place, published, given back, forgotten, moved away, and read into.
 *
 * @module
 */
import fs from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { DepotError, type FrameDetails, type FrameSlot } from "../../mod.ts";
import type { Random } from "../support/random.ts";
import { HERE } from "../support/runtimes.ts";
import { METADATA_BYTES, metadataOf, timestampOf } from "../support/stamp.ts";
import { wholeMetadata } from "./held.ts";
import { moveView } from "./holds.ts";
import { bytesOf, draw, framePixels } from "./marks.ts";
import { MOVES } from "./moves.ts";
import { OPERATIONS } from "./operations.ts";
import type { HeldSlot, Scene } from "./scene.ts";

const SLOTS = 2;

const named = ({ frameNumber }: HeldSlot): string => `slot for ${frameNumber % 2 ** 31}`;

/** All that is said of a frame. Metadata that fills its room is written in place. */
function detailsOf({ slot, frameNumber }: HeldSlot): FrameDetails {
  const whole = wholeMetadata(frameNumber, METADATA_BYTES);
  if (whole === undefined) {
    return { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
  }
  slot.metadata.set(whole);
  return { frameNumber, timestampNs: timestampOf(frameNumber) };
}

function claim(scene: Scene, random: Random): HeldSlot | undefined {
  const owner = random.pick(scene.owners);
  const frameNumber = scene.nextNumber();
  const slot = owner.depot.tryClaim({ frameNumber });
  scene.say(`tryClaim${slot === undefined ? ": no room" : ` for ${frameNumber % 2 ** 31}, sequence ${slot.sequence}`}`);
  if (slot === undefined) {
    scene.refused++;
    return undefined;
  }
  scene.refused = 0;
  return { owner, slot, frameNumber };
}

/** Publishes a slot that has ended or cannot be a frame: that must be refused, and leave an ended slot. */
function refuse(scene: Scene, slot: FrameSlot, details?: FrameDetails): void {
  try {
    slot.publish(details);
  } catch (error) {
    if (error instanceof TypeError && slot.released) return;
    throw error;
  }
  scene.accuse("a slot that cannot be published was not refused");
}

function publish(scene: Scene, held: HeldSlot): void {
  held.slot.publish(detailsOf(held));
  scene.counts.published++;
  scene.know(held.frameNumber);
  emptied(scene, held.slot);
}

/** The views of a slot that has ended. */
function emptied(scene: Scene, slot: FrameSlot): void {
  if (!slot.released || slot.data.length !== 0 || slot.metadata.length !== 0) scene.accuse("a slot outlives its end");
}

/** Claims one, and does something with it now or later. */
export async function work(scene: Scene, random: Random): Promise<void> {
  const keeps = scene.slots.length < SLOTS && random.percent(20);
  const waiting = scene.slots.length > 0 && !keeps && random.percent(60);
  const held = waiting ? scene.slots.shift()! : claim(scene, random);
  if (held === undefined) return;
  if (keeps) {
    if (random.percent(70)) draw(held.slot.data, held.frameNumber);
    scene.slots.push(held);
    return;
  }
  const [name, end] = random.pick(ENDS);
  scene.say(`  ${named(held)}: ${name}`);
  await end(scene, held, random);
}

type End = (scene: Scene, held: HeldSlot, random: Random) => void | Promise<void>;

function published(scene: Scene, held: HeldSlot): void {
  draw(held.slot.data, held.frameNumber);
  publish(scene, held);
  refuse(scene, held.slot);
}

function givenBack(scene: Scene, { slot, frameNumber }: HeldSlot, random: Random): void {
  if (random.percent(50)) draw(slot.data, frameNumber, 32);
  slot.release();
  slot.release();
  emptied(scene, slot);
}

function forgotten({ counts }: Scene, { owner, slot }: HeldSlot, random: Random): void {
  counts.forgotten++;
  if (random.percent(60)) return;
  slot.data.fill(0);
  owner.kept++;
}

/** Its memory is moved away: it can never be a frame, and what is written there reaches no frame. */
async function moved(scene: Scene, held: HeldSlot, random: Random): Promise<void> {
  const { slot, owner, frameNumber } = held;
  draw(slot.data, frameNumber);
  const { sequence } = slot;
  const way = random.percent(20) ? "a worker" : random.pick(Object.keys(MOVES));
  const then = random.pick(["publish", "release", "drop"] as const);
  scene.say(`  by ${way}, then ${then}`);
  moveView(scene, bytesOf(slot.data), { owner, frameNumber, sequence }, way, true);
  scene.counts.moved++;
  owner.kept++;
  if (then === "publish") refuse(scene, slot, { frameNumber });
  else if (then === "release") slot.release();
  await Promise.resolve();
}

/** An operation works on what is published meanwhile. Bun says so, and burns the number. */
function used(scene: Scene, held: HeldSlot, random: Random): void {
  const { slot, frameNumber } = held;
  draw(slot.data, frameNumber);
  const name = random.pick(Object.keys(OPERATIONS));
  scene.say(`  by ${name}`);
  const file = `${scene.around.folder}/${scene.counts.used++}`;
  scene.beside(OPERATIONS[name](bytesOf(slot.data), file).then(() => {}, () => {}));
  if (random.percent(30)) return slot.release();
  try {
    publish(scene, held);
  } catch (error) {
    if (HERE !== "bun" || !(error instanceof DepotError) || error.code !== "BUSY") throw error;
    scene.counts.published--;
    emptied(scene, slot);
  }
}

/** A getter of what is said when publishing ends the slot itself. */
function endedByGetter(scene: Scene, held: HeldSlot, random: Random): void {
  const { slot, frameNumber } = held;
  const publishes = random.percent(50);
  if (publishes || random.percent(50)) draw(slot.data, frameNumber);
  const details = {
    get frameNumber() {
      if (publishes) publish(scene, held);
      else slot.release();
      return frameNumber;
    },
  };
  refuse(scene, slot, details);
}

/** The runtime reads a file into it, to the end. */
async function readInto(scene: Scene, held: HeldSlot): Promise<void> {
  const { slot, frameNumber } = held;
  const { frameBytes } = held.owner.depot;
  const file = `${scene.around.folder}/${scene.counts.used++}`;
  fs.writeFileSync(file, framePixels(frameNumber, frameBytes));
  const handle = await fs.promises.open(file);
  try {
    const view = bytesOf(slot.data);
    for (let at = 0; at < frameBytes;) {
      const { bytesRead } = await handle.read(view, at, frameBytes - at, at);
      if (bytesRead === 0) throw new Error(`${file} is shorter than a frame`);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
  try {
    publish(scene, held);
  } catch (error) {
    // The read is over, but Bun may hold on to the buffer for a moment longer.
    if (HERE !== "bun" || !(error instanceof DepotError) || error.code !== "BUSY") throw error;
    scene.counts.published--;
  }
}

/** What is read is copied into it: a source that is late, or has ended, harms no frame. */
async function fillFrom(scene: Scene, held: HeldSlot, random: Random): Promise<void> {
  const { slot, frameNumber } = held;
  const { frameBytes } = held.owner.depot;
  const pixels = framePixels(frameNumber, frameBytes);
  const half = frameBytes >> 1;
  const late = random.percent(40);
  let goOn = () => {};
  const source = (async function* () {
    yield pixels.subarray(0, half);
    if (late) await new Promise<void>((resolve) => goOn = resolve);
    yield pixels.subarray(half);
  })();
  const filling = slot.fillFrom(source);
  if (!late) {
    if (await filling) publish(scene, held);
    return;
  }
  scene.say("  which is late");
  scene.beside(filling.then(() => scene.accuse("a slot was filled after its end"), () => {}));
  await turn();
  slot.release();
  goOn();
}

/** Bun: a read from a pipe is under way while the slot is given back or published; what comes late reaches no frame. */
function readLate(scene: Scene, { slot }: HeldSlot, random: Random): void {
  const { pipe } = scene.around;
  if (pipe === undefined || !pipe.begin(bytesOf(slot.data))) return slot.release();
  scene.counts.used++;
  if (random.percent(50)) return slot.release();
  try {
    slot.publish();
  } catch (error) {
    if (error instanceof DepotError && error.code === "BUSY") return;
    throw error;
  }
  scene.accuse("a slot was published while a read into it was under way");
}

const ENDS: [name: string, end: End][] = [
  ["publish", published],
  ["publish", published],
  ["publish", published],
  ["publish", published],
  ["release", givenBack],
  ["drop", forgotten],
  ["move", moved],
  ["publish what is in use", used],
  ["publish, with a getter that ends it", endedByGetter],
  ["read a file into it", readInto],
  ["read into it too late", readLate],
  ["fillFrom", fillFrom],
  ["fillFrom", fillFrom],
];
