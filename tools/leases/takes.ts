/**
 * Steps that bring frames in: by number, by readers of every kind, by streams.
 *
 * @module
 */
import { DepotError, type Frame, type FrameReader, type FramesOptions } from "../../mod.ts";
import type { Random } from "../support/random.ts";
import type { HeldFrame, Owner } from "./held.ts";
import { moveAway } from "./holds.ts";
import type { Scene } from "./scene.ts";

const READERS = 3;
/** Older numbers are mostly gone. */
const LATEST = 8;
const STREAMS = 3;
/** Readers never wait for long: what they wait for may be held by this very process. */
const WAIT_MS = 2;

/** Has every lossless reader of this process go on, so that there is room for more. */
export function makeRoom(scene: Scene): void {
  const newest = scene.known.at(-1);
  for (const { depot, readers, consumes } of scene.owners) {
    if (consumes && newest !== undefined) depot.getFrame(newest)?.release();
    for (const reader of readers) {
      for (let left = scene.options.maxSize!; left > 0; left--) {
        const before = scene.current(reader);
        const frame = reader.tryNext();
        if (before !== undefined) scene.end(before);
        if (frame === undefined) break;
        scene.know(frame.frameNumber);
        frame.release();
      }
    }
  }
}

/** Something that may be impossible because every reader's entry is in use. */
function unlessFull<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof DepotError && error.code === "TOO_MANY_PEERS") return undefined;
    throw error;
  }
}

function someOptions(random: Random): FramesOptions {
  return {
    mode: random.pick(["lossless", "lossy", "lossy", "latest"] as const),
    from: random.pick(["oldest", "latest", "next"] as const),
    timeoutMs: random.integer(0, WAIT_MS),
  };
}

function touched(scene: Scene, held: HeldFrame, random: Random): HeldFrame {
  if (random.percent(60)) held.touch();
  scene.say(`  frame ${held.frameNumber % 2 ** 31}, sequence ${held.sequence}${held.data ? ", looked at" : ""}`);
  return held;
}

/** A frame by its number. */
export function ask(scene: Scene, random: Random): void {
  const owner = random.pick(scene.owners);
  if (scene.known.length === 0) return;
  const frameNumber = random.pick(scene.known.slice(-LATEST));
  const how = random.percent(90) ? "peekFrame" : "getFrame";
  scene.say(`${how} ${frameNumber % 2 ** 31}`);
  const frame = unlessFull(() => owner.depot[how](frameNumber));
  if (how === "getFrame" && frame !== undefined) owner.consumes = true;
  if (frame !== undefined) touched(scene, scene.hold(owner, frame), random);
}

/** A new reader. */
export function follow(scene: Scene, random: Random): void {
  const owner = random.pick(scene.owners);
  if (owner.readers.size >= READERS) return;
  const options = someOptions(random);
  scene.say(`frames ${JSON.stringify(options)}`);
  const reader = unlessFull(() => owner.depot.frames(options));
  if (reader !== undefined) owner.readers.add(reader);
}

function someReader(scene: Scene, random: Random): { owner: Owner; reader: FrameReader } | undefined {
  const pairs = scene.owners.flatMap((owner) => [...owner.readers].map((reader) => ({ owner, reader })));
  return pairs.length === 0 ? undefined : random.pick(pairs);
}

/** The next frame of a reader, whose frame before must be released by that. */
export async function goOn(scene: Scene, random: Random): Promise<void> {
  const found = someReader(scene, random);
  if (found === undefined) return follow(scene, random);
  const { owner, reader } = found;
  const before = scene.current(reader);
  const how = random.pick(["tryNext", "tryNext", "nextSync", "next"] as const);
  scene.say(how);
  const frame = how === "next" ? (await reader.next()).value : reader[how]();
  if (before !== undefined) scene.end(before);
  if (reader.released) owner.readers.delete(reader);
  if (frame !== undefined) touched(scene, scene.hold(owner, frame, reader), random);
}

/** A loop of a few frames, some of which are cloned: the clones outlive it. */
export async function loop(scene: Scene, random: Random): Promise<void> {
  const owner = random.pick(scene.owners);
  const options = someOptions(random);
  let left = random.integer(1, 6);
  scene.say(`for await ${left} ${JSON.stringify(options)}`);
  const reader = unlessFull(() => owner.depot.frames(options));
  if (reader === undefined) return;
  for await (const frame of reader) {
    const before = scene.current(reader);
    if (before !== undefined) scene.end(before);
    const held = touched(scene, scene.hold(owner, frame, reader), random);
    if (random.percent(30)) touched(scene, scene.hold(owner, held.frame.clone()), random);
    scene.look();
    if (--left === 0) break;
  }
  const last = scene.current(reader);
  if (last !== undefined) scene.end(last);
}

/** Ends a reader; clones and frames that it has read before stay. */
export function endReader(scene: Scene, random: Random): void {
  const found = someReader(scene, random);
  if (found === undefined) return;
  const { owner, reader } = found;
  const current = scene.current(reader);
  scene.say("reader.release");
  reader.release();
  owner.readers.delete(reader);
  if (current !== undefined) scene.end(current);
}

/**
 * Drops a reader without a word. Its frame may be held on, looked at or not, or dropped, its buffer moved away or not.
 */
export function forgetReader(scene: Scene, random: Random): void {
  const found = someReader(scene, random);
  if (found === undefined) return;
  const { owner, reader } = found;
  const current = scene.current(reader);
  owner.readers.delete(reader);
  const then = random.pick(["held", "held", "dropped", "moved away and dropped"] as const);
  scene.say(current === undefined ? "a reader is dropped" : `a reader is dropped, its frame is ${then}`);
  if (current === undefined) return;
  current.loop = undefined;
  if (then === "moved away and dropped" && !current.moved) moveAway(scene, current, random);
  if (then !== "held") scene.forget(current, random.percent(50));
}

/** A new stream, perhaps in two branches, perhaps through a transform. */
export function stream(scene: Scene, random: Random): void {
  const owner = random.pick(scene.owners);
  if (scene.streams.length >= STREAMS) return;
  const how = random.pick(["readable", "tee", "pipeThrough"] as const);
  scene.say(how);
  const readable = unlessFull(() => owner.depot.readable({ ...someOptions(random), mode: "lossy" }));
  if (readable === undefined) return;
  const branches = how === "tee"
    ? readable.tee()
    : [how === "readable" ? readable : readable.pipeThrough(new TransformStream<Frame, Frame>())];
  for (const branch of branches) scene.streams.push({ owner, reader: branch.getReader() });
}

/** The next frame of a stream belongs to its reader. */
export async function read(scene: Scene, random: Random): Promise<void> {
  if (scene.streams.length === 0) return stream(scene, random);
  const held = random.pick(scene.streams);
  scene.say("stream.read");
  const { done, value } = await held.reader.read();
  if (done) scene.streams = scene.streams.filter((other) => other !== held);
  else touched(scene, scene.hold(held.owner, value), random);
}

/** Cancels a stream, or drops it. */
export async function endStream(scene: Scene, random: Random): Promise<void> {
  if (scene.streams.length === 0) return;
  const held = random.pick(scene.streams);
  const cancels = random.percent(70);
  scene.say(cancels ? "stream.cancel" : "a stream is dropped");
  scene.streams = scene.streams.filter((other) => other !== held);
  // One branch of a tee waits for the other: it is not waited for here.
  if (cancels) scene.beside(held.reader.cancel());
  await Promise.resolve();
}
