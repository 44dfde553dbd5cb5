/**
 * Steps on frames that are held: looking, cloning, copying, releasing, dropping, moving away, and operations of the
 * runtime over all of that.
 *
 * @module
 */
import type { Random } from "../support/random.ts";
import { metadataOf, timestampOf } from "../support/stamp.ts";
import { type HeldFrame, Moved, type Owner } from "./held.ts";
import { bytesOf, framePixels, pixelsFlaw } from "./marks.ts";
import { MOVES } from "./moves.ts";
import { LASTING, OPERATIONS } from "./operations.ts";
import type { Scene } from "./scene.ts";

const NAMES = Object.keys(OPERATIONS);
const UNDER_WAY = 8;
const ABANDONED = 4;

function some(scene: Scene, random: Random, fits: (held: HeldFrame) => boolean = () => true): HeldFrame | undefined {
  const fitting = scene.held.filter(fits);
  return fitting.length === 0 ? undefined : random.pick(fitting);
}

const named = (held: HeldFrame): string => `${held.frameNumber % 2 ** 31}`;
const inPlace = ({ moved }: HeldFrame): boolean => !moved;
const ours = ({ loop }: HeldFrame): boolean => loop === undefined;

/** The first look. */
export function touch(scene: Scene, random: Random): void {
  const held = some(scene, random, ({ data }) => data === undefined);
  if (held === undefined) return;
  scene.say(`look at ${named(held)}`);
  held.touch();
}

/** Another lease. */
export function clone(scene: Scene, random: Random): void {
  const held = some(scene, random);
  if (held === undefined) return;
  scene.say(`clone ${named(held)}`);
  const own = scene.hold(held.owner, held.frame.clone());
  if (random.percent(60)) own.touch();
}

/** Memory of one's own, which stays whole. */
export function copy(scene: Scene, random: Random): void {
  const held = some(scene, random);
  if (held === undefined) return;
  scene.say(`copy ${named(held)}`);
  const flaw = pixelsFlaw(held.frame.copy(), held.frameNumber);
  if (flaw !== undefined) scene.accuse(flaw);
}

/** Releases in any order. A second release does nothing. */
export function release(scene: Scene, random: Random): void {
  const held = some(scene, random);
  if (held === undefined) return;
  scene.say(`release ${named(held)}`);
  scene.release(held);
  if (random.percent(20)) held.frame.release();
}

/** Drops a frame without a release. */
export function drop(scene: Scene, random: Random): void {
  const held = some(scene, random, ours);
  if (held === undefined) return;
  const keepsView = random.percent(60);
  scene.say(`drop ${named(held)}${keepsView ? ", but for a view" : ""}`);
  scene.forget(held, keepsView);
}

/** Drops a view that was all that was left of a frame. */
export function dropView(scene: Scene, random: Random): void {
  if (scene.views.length === 0) return;
  const view = random.pick(scene.views);
  scene.say(`drop the view of ${view.frameNumber % 2 ** 31}`);
  scene.views = scene.views.filter((other) => other !== view);
}

/** Moves the buffer away; afterwards the frame may be released, dropped, or held. */
export function move(scene: Scene, random: Random): void {
  const held = some(scene, random, inPlace);
  if (held === undefined || !moveAway(scene, held, random)) return;
  if (random.percent(40)) {
    scene.say("  and release it");
    scene.release(held);
    return;
  }
  if (held.loop !== undefined || random.percent(60)) return;
  scene.say("  and drop it");
  scene.forget(held, false);
}

/** @returns false where an operation keeps it: then what was moved is a copy */
export function moveAway(scene: Scene, held: HeldFrame, random: Random): boolean {
  const view = bytesOf(held.touch());
  const way = random.percent(20) ? "a worker" : random.pick(Object.keys(MOVES));
  scene.say(`move ${named(held)} by ${way}`);
  moveView(scene, view, held, way, false);
  held.moved = held.data!.byteLength === 0;
  if (held.moved) scene.counts.moved++;
  return held.moved;
}

/** Moves a view's buffer to where it is looked at from then on. */
export function moveView(
  scene: Scene,
  view: Uint8Array,
  of: ConstructorParameters<typeof Moved>[0],
  way: string,
  scribbled: boolean,
): void {
  const { frameBytes } = of.owner.depot;
  const piece = new Moved(of, scribbled);
  const moving = async () => {
    if (way === "a worker") await scene.around.keeper.keep(view, of.owner, of.frameNumber, frameBytes, scribbled);
    else piece.buffer = await MOVES[way](view);
  };
  scene.moved.push(piece);
  scene.beside(
    moving().catch((error) => {
      // Bun refuses some ways while an operation is in the buffer: then it is where it was.
      if (view.byteLength === 0) throw error;
    }),
  );
}

/** Begins an operation of the runtime, and goes on. */
export function operate(scene: Scene, random: Random): void {
  const held = some(scene, random, inPlace);
  if (held === undefined || scene.under.size >= UNDER_WAY) return;
  const file = `${scene.around.folder}/${scene.counts.used++}`;
  if (random.percent(40)) {
    const name = random.pick(NAMES);
    scene.say(`${name} on a clone of ${named(held)}, to its end`);
    return scene.beside(toItsEnd(held, name, file));
  }
  const name = random.pick(NAMES);
  scene.say(`${name} on ${named(held)}`);
  held.used = true;
  const view = bytesOf(held.touch());
  scene.beside(OPERATIONS[name](view, file).then(() => {}, () => {}));
  if (!random.percent(60)) return;
  scene.say("  and release it");
  scene.release(held);
}

/** What is over before the release has seen the frame. */
async function toItsEnd(held: HeldFrame, name: string, file: string): Promise<void> {
  const { frameNumber } = held;
  using lease = held.frame.clone();
  let seen: Uint8Array | void;
  try {
    seen = await OPERATIONS[name](bytesOf(lease.data), file);
  } catch (error) {
    if (lease.released) return; // the depot object was closed
    throw error;
  }
  if (lease.released || !(seen instanceof Uint8Array)) return;
  const flaw = seen.byteLength === held.owner.depot.frameBytes
    ? pixelsFlaw(seen, frameNumber)
    : `${seen.byteLength} bytes instead of a frame's`;
  if (flaw !== undefined) throw new Error(`${name}: ${flaw}`);
}

/** Moves away what an operation has kept over the release. */
export function moveEnded(scene: Scene, random: Random): void {
  const kept = scene.ended.filter(({ owner, empty }) => owner.state === "open" && !empty);
  if (kept.length === 0) return;
  const ended = random.pick(kept);
  scene.say(`move what is left of ${ended.frameNumber % 2 ** 31}`);
  const [view] = ended.views;
  moveView(scene, bytesOf(view), ended, "buffer.transfer()", false);
  if (view.byteLength > 0) return;
  scene.counts.moved++;
  ended.owner.kept++;
}

/** Begins operations on what a depot object has lent. */
export function operateOn(scene: Scene, owner: Owner, random: Random): void {
  for (const held of scene.held.filter((held) => held.owner === owner && !held.moved).slice(0, UNDER_WAY)) {
    const name = random.pick(random.percent(50) ? LASTING : NAMES);
    scene.say(`  while ${name} is under way on ${named(held)}`);
    held.used = true;
    const file = `${scene.around.folder}/${scene.counts.used++}`;
    scene.beside(OPERATIONS[name](bytesOf(held.touch()), file).then(() => {}, () => {}));
  }
}

/** Moves away and drops what a depot object has lent. */
export function abandon(scene: Scene, owner: Owner, random: Random): void {
  for (const held of scene.held.filter((held) => held.owner === owner && ours(held)).slice(0, ABANDONED)) {
    if (!held.moved && !moveAway(scene, held, random)) continue;
    scene.say("  and drop it");
    scene.forget(held, false);
  }
}

/** Stores a held frame again, under its own number; it may be released while that waits for room. */
export function again(scene: Scene, random: Random): void {
  const held = some(scene, random, inPlace);
  if (held === undefined || scene.under.size >= UNDER_WAY) return;
  const { frameNumber } = held;
  const { depot } = random.pick(scene.owners);
  scene.say(`enqueue the data of ${named(held)}`);
  const details = { frameNumber, timestampNs: timestampOf(frameNumber), metadata: metadataOf(frameNumber) };
  const storing = depot.enqueue({ ...details, frame: held.touch() }, { timeoutMs: 3 });
  scene.beside(storing.then(() => {}, (error) => {
    const closed = error.code === "CLOSED";
    const changed = error instanceof TypeError && (held.frame.released || held.moved);
    if (!closed && !changed) throw error;
  }));
  if (random.percent(40)) scene.release(held);
}

/** A frame of one's own making. */
export async function put(scene: Scene, random: Random): Promise<void> {
  const { depot } = random.pick(scene.owners);
  const frameNumber = scene.nextNumber();
  const input = {
    frame: framePixels(frameNumber, depot.frameBytes),
    frameNumber,
    timestampNs: timestampOf(frameNumber),
    metadata: metadataOf(frameNumber),
  };
  const waits = depot.whenFull === "wait" && random.percent(20);
  scene.say(`enqueue ${frameNumber % 2 ** 31}${waits ? ", waiting" : ""}`);
  const stored = waits ? (await depot.enqueue(input, { timeoutMs: 2 })).state === "stored" : depot.tryEnqueue(input);
  if (!stored) {
    scene.refused++;
    return;
  }
  scene.refused = 0;
  scene.counts.published++;
  scene.know(frameNumber);
}
