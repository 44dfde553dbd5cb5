/**
 * Filling a depot from a source of frames: keeping the pace, going on in a new depot where their shape changes, and
 * staying until what is stored has been read.
 *
 * @module
 */
import { type DepotStats, FramesDepot } from "../../mod.ts";
import { shapeInWords } from "../changes.ts";
import type { Interruption } from "../interruption.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { type Progress, startProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/units.ts";
import { bytesOf } from "./bytes.ts";
import { DamagedFrame, type FrameSource } from "./frame_source.ts";
import { checkWaitReaders, fillerOf, Place, type PlaceOptions } from "./place.ts";
import { stepInWords, Timeline } from "./timeline.ts";

/** How a depot is filled. */
export type ProduceOptions = PlaceOptions & {
  /** Ends the depot when the source has ended, unless another process fills it, too. */
  end: boolean;
  /** Readers to wait for before the first frame. */
  waitReaders?: number;
  /** How fast timestamps go by: 1 is their own pace; undefined is as fast as possible. */
  speed?: number;
  /** The maximum of seconds to stay at the end until readers have read all; Infinity is no limit. */
  linger: number;
  /** Frames get the time at which they are published instead of the source's timestamps. */
  stampNow?: boolean;
  /** What the progress bar says. */
  label: string;
};

/** What was done. */
export type Produced = {
  depot: string;
  frames: number;
  dropped: number;
  bytes: number;
  /** Milliseconds from the first frame's turn to the last one's, without the wait for readers at the end. */
  tookMs: number;
  /** Depots that have had the name, where there was more than one. */
  depots?: number;
};

/** Time between two looks at the counters while it waits for other processes. */
const LOOK_MS = 20;
/** After this long a wait is explained. */
const PATIENCE_MS = 1000;

/**
 * Fills the depot `name` until the source ends.
 *
 * @param tell told what was done, whatever ended it
 * @throws {Failure | DepotError}
 */
export async function produce(
  name: string,
  source: FrameSource,
  options: ProduceOptions,
  interruption: Interruption,
  tell: (produced: Produced) => void,
): Promise<void> {
  await using place = await Place.find(name, source.shape, options);
  const readers = options.waitReaders ?? 0;
  checkWaitReaders(readers, FramesDepot.inspect(name)?.maxReaders ?? readers);
  await look(interruption, `waiting for ${counted(readers, "reader")} of depot "${name}"`, () => {
    return readers === 0 || loopsOf(place.depot.stats()).length >= readers;
  });
  const produced: Produced = { depot: name, frames: 0, dropped: 0, bytes: 0, tookMs: 0 };
  const began = performance.now();
  const progress = startProgress({ total: source.total, label: options.label });
  // Nothing more will come, also where the source has failed; after an interruption it may be started again.
  const end = () => {
    if (options.end && !interruption.signal.aborted && fillerOf(place.depot) === undefined) place.depot.end();
  };
  try {
    await fill(place, source, options, interruption, produced, progress).finally(() => {
      produced.tookMs = Math.round(performance.now() - began);
      progress.end();
      end();
    });
    await waitUntilRead(place.depot, options, interruption);
    interruption.signal.throwIfAborted();
    end(); // another producer may have left meanwhile
    if (source.verdict !== undefined) throw source.verdict;
  } finally {
    tell(produced);
  }
}

/** Fills a depot for each shape of the frames. */
async function fill(
  place: Place,
  source: FrameSource,
  options: ProduceOptions,
  interruption: Interruption,
  produced: Produced,
  progress: Progress,
): Promise<void> {
  const { speed } = options;
  const wait = speed === undefined ? undefined : pace(speed, interruption, () => produced.frames + produced.dropped);
  for (;;) {
    const explaining = explainStall(place.depot, produced);
    await pour(source, place, wait, options, interruption, produced, progress).finally(() => clearInterval(explaining));
    const shape = source.goOn?.();
    if (shape === undefined) return;
    // Readers that come later find the new depot only; a source that does not wait goes on at once.
    if (place.depot.whenFull === "wait") await waitUntilRead(place.depot, options, interruption);
    const before = shapeInWords(place.depot);
    await place.change(shape);
    produced.depots = (produced.depots ?? 1) + 1;
    const n = produced.frames + produced.dropped;
    complain(`from frame ${n} on, depot "${produced.depot}" is a new one: ${shapeInWords(shape)} after ${before}\n`);
  }
}

/** Stays until what is stored has been read, or the time is up. */
async function waitUntilRead(
  depot: FramesDepot,
  { linger }: ProduceOptions,
  interruption: Interruption,
): Promise<void> {
  const end = performance.now() + linger * 1000;
  const isAsked = linger !== Infinity;
  await look(interruption, `waiting until depot "${depot.name}" has been read; Ctrl-C ends the wait`, () => {
    return performance.now() >= end || allRead(depot, isAsked);
  });
}

/** Says once why a producer makes no progress. */
function explainStall(depot: FramesDepot, produced: Produced): ReturnType<typeof setInterval> {
  let before = -1;
  const timer = setInterval(() => {
    if (produced.frames === before && depot.whenFull === "wait" && depot.stats().waitsForReader) {
      clearInterval(timer);
      complain(`depot "${depot.name}" is full: waiting for a reader, such as \`frames-depot read ${depot.name}\`\n`);
    }
    before = produced.frames;
  }, PATIENCE_MS);
  return timer;
}

/** Stores the frames of one shape. */
async function pour(
  source: FrameSource,
  { depot, head }: Place,
  wait: ((timestampNs: bigint) => Promise<void>) | undefined,
  { stampNow = false }: ProduceOptions,
  { signal }: Interruption,
  produced: Produced,
  progress: Progress,
): Promise<void> {
  const scratch = { bytes: undefined as Uint8Array | undefined };
  for (;;) {
    const next = await source.next();
    if (next === undefined) return;
    const { timestampNs } = next.details;
    if (timestampNs !== undefined) await wait?.(BigInt(timestampNs));
    const details = { frameNumber: head + produced.frames + produced.dropped, ...next.details };
    if (stampNow) delete details.timestampNs;
    // The slot is claimed when the frame is there: a slot that is held for long delays the frames of other producers.
    using slot = await depot.claim({ ...details, signal });
    const { byteLength = depot.frameBytes } = next;
    try {
      const room = slot === undefined ? scratch.bytes ??= new Uint8Array(depot.frameBytes) : bytesOf(slot.data);
      await next.fill(room.subarray(0, byteLength));
    } catch (error) {
      if (!(error instanceof DamagedFrame) || source.leaveOut === undefined) throw error;
      source.leaveOut(error);
      continue; // the slot is given back
    }
    if (slot === undefined) {
      produced.dropped++;
      continue;
    }
    slot.publish({ byteLength });
    produced.frames++;
    produced.bytes += byteLength;
    progress.advance(1, byteLength);
  }
}

/** Waits until a frame is due. Where the clock of the timestamps steps, it is at once. */
function pace(speed: number, interruption: Interruption, count: () => number): (timestampNs: bigint) => Promise<void> {
  let startedMs: number | undefined;
  const timeline = new Timeline((stepNs, framesAgo) => {
    const n = count() - framesAgo;
    complain(`${paintErrors().yellow("warning:")} ${stepInWords(stepNs)} before frame ${n}: a cut\n`);
  });
  return async (timestampNs) => {
    const dueMs = (startedMs ??= performance.now()) + Number(timeline.add(timestampNs)) / 1e6 / speed;
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) await interruption.sleep(leftMs);
  };
}

/** Readers that follow, in all processes. */
function loopsOf(stats: DepotStats) {
  return stats.peers.flatMap(({ readers }) => readers).filter(({ mode }) => mode !== "lookup");
}

/**
 * Whether no reader misses a frame if this process leaves. A depot that waits keeps frames for the first reader, too.
 *
 * @param isAsked another depot does so, too: a time to stay was given
 */
function allRead(depot: FramesDepot, isAsked: boolean): boolean {
  const stats = depot.stats();
  const loops = loopsOf(stats);
  if (depot.whenFull === "wait" && stats.length > 0) return false;
  if (isAsked && stats.length > 0 && loops.length === 0) return false;
  return loops.every(({ mode, lag }) => (mode !== "lossless" && !isAsked) || lag === 0);
}

/** Looks again and again; says what it waits for where that takes a while. */
async function look(interruption: Interruption, what: string, done: () => boolean): Promise<void> {
  const explainAt = performance.now() + PATIENCE_MS;
  let explained = false;
  while (!done()) {
    if (!explained && performance.now() > explainAt) {
      complain(`${what}\n`);
      explained = true;
    }
    await interruption.sleep(LOOK_MS);
  }
}
