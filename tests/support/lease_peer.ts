/**
 * Leases whose objects are dropped and collected, in a process of their own: it can force collections, and may end by
 * what it does.
 *
 * @module
 */
import process from "node:process";
import { type Frame, FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { collect } from "../../tools/support/runtimes.ts";
import { collectUntil } from "./collecting.ts";

const { scene, name } = taskOf<{ scene: string; name: string }>();
const BYTES = 64 * 64;
const pixels = (value: number) => new Uint8Array(BYTES).fill(value);
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** Leases are watched for being forgotten from this age on. */
const OLD_MS = 250;

const make = (maxSize: number) =>
  FramesDepot.create(name, { frameSize: [64, 64, 1], maxSize, whenFull: "overwrite", maxReaders: 4 });

async function put(depot: FramesDepot, ...numbers: number[]): Promise<string> {
  let last = "";
  for (const frameNumber of numbers) {
    last = (await depot.enqueue({ frameNumber, frame: pixels(frameNumber) })).state;
  }
  return last;
}

/** A lap or two of the ring. */
const laps = (depot: FramesDepot) => put(depot, 101, 102, 103, 104, 105, 106, 107, 108);

/** What was dropped is old, collected, and finalized. */
async function settle(): Promise<void> {
  await later(OLD_MS);
  for (let rounds = 0; rounds < 8; rounds++) {
    collect();
    await later(20);
  }
}

/** What a view shows: its bytes, if they are all the same. */
function shown(view: ArrayLike<number> & { every(is: (byte: number) => boolean): boolean }): number | string {
  if (view.length === 0) return "empty";
  return view.every((byte) => byte === view[0]) ? view[0] : "torn";
}

/** The newest frame, as a program asks for it: its reader is dropped. */
async function newest(depot: FramesDepot): Promise<Frame> {
  return (await depot.frames({ mode: "latest" }).next()).value!;
}

let heard = () => {};

/** Waits for a word from its parent; without a parent it ends. */
function told(): Promise<void> {
  return new Promise((resolve) => heard = resolve);
}

const readersOf = (depot: FramesDepot) => depot.stats().peers.flatMap(({ readers }) => readers).length;

/** The reader is dropped and collected, its frame is held: looked at before, or only afterwards. */
async function droppedReader(looks: boolean): Promise<void> {
  const depot = await make(2);
  // Not in variables: engines take what a function once had for still in use.
  const held: Held = {};
  await put(depot, 1);
  await hold(depot, held, looks);
  await settle();
  await laps(depot);
  say(look(held));
  held.frame!.release();
  say({ shows: shown(held.view!) });
  held.frame = held.view = undefined;
  say({ left: await collectUntil(() => readersOf(depot) === 0) });
  await put(depot, 2);
  await hold(depot, held, true);
  await settle();
  await depot.close();
  say({ shows: shown(held.view!), released: held.frame!.released });
}

type Held = { frame?: Frame; view?: Frame["data"] };

async function hold(depot: FramesDepot, held: Held, looks: boolean): Promise<void> {
  held.frame = await newest(depot);
  if (looks) held.view = held.frame.data;
}

function look(held: Held): unknown {
  held.view ??= held.frame!.data;
  return { shows: shown(held.view), copies: shown(held.frame!.copy()), released: held.frame!.released };
}

/** A frame whose reader was dropped is released at last; another process has a frame of its own by then. */
async function orphan(): Promise<void> {
  await using depot = await make(2);
  await put(depot, 1);
  const frame = await newest(depot);
  await settle();
  say({ held: shown(frame.data) });
  await told();
  frame.release();
  await laps(depot);
  say({ done: true });
  await told();
}

/** The other process: it holds its reader and the frame all the time. */
async function neighbour(): Promise<void> {
  await using depot = await FramesDepot.open(name);
  const reader = depot.frames({ mode: "latest" });
  const frame = (await reader.next()).value!;
  say({ shows: shown(frame.data) });
  await told();
  say({ shows: shown(frame.data), released: frame.released });
}

/** Forgotten after a look: what still has its memory is not known. */
async function forgottenAfterALook(what: "frame" | "slot" | "reader"): Promise<void> {
  const depot = await make(1);
  await using other = await FramesDepot.open(name);
  if (what !== "slot") await put(depot, 1);
  const forget = {
    frame: () => depot.peekFrame(1)!.data.length,
    slot: () => depot.tryClaim()!.data.length,
    reader: () => depot.frames().tryNext()!.data.length,
  };
  forget[what]();
  await settle();
  await depot.clearQueue();
  say({ kept: [depot.tryClaim() === undefined, other.tryClaim() === undefined], gating: depot.length });
  await depot.close();
  using slot = other.tryClaim();
  say({ kept: slot === undefined });
}

/** Moved away, and then forgotten. */
async function forgottenAfterAMove(
  what: "frame" | "slot" | "reader",
  finalizers: "ran" | "did not run",
): Promise<void> {
  const depot = await make(3);
  await using other = await FramesDepot.open(name);
  await put(depot, 1);
  const move = {
    frame: () => depot.peekFrame(1)!.data.buffer.transfer(),
    reader: () => depot.frames().tryNext()!.data.buffer.transfer(),
    slot: () => {
      const { data } = depot.tryClaim()!;
      data.fill(1);
      return data.buffer.transfer();
    },
  };
  const view = new Uint8Array(move[what](), 0, BYTES);
  if (finalizers === "ran") await settle();
  else await later(OLD_MS);
  await laps(depot);
  const before = shown(view);
  // The objects are collected here; unless it was done above, close comes before their finalizers.
  collect();
  await depot.close();
  await laps(other);
  say({ before, after: shown(view) });
  if (what === "slot") view.fill(99);
  using frame = other.peekFrame(108)!;
  say({ other: shown(frame.data) });
}

if (["orphan", "neighbour"].includes(scene)) {
  process.stdin.on("data", () => heard()).on("end", () => process.exit(1));
}
const [kind, ...words] = scene.split(", ");
switch (kind) {
  case "droppedReader":
    await droppedReader(words[0] === "looked at");
    break;
  case "orphan":
    await orphan();
    break;
  case "neighbour":
    await neighbour();
    break;
  case "forgottenAfterALook":
    await forgottenAfterALook(words[0] as "frame");
    break;
  case "forgottenAfterAMove":
    await forgottenAfterAMove(words[0] as "frame", words[1] as "ran");
}
process.exit(0);
