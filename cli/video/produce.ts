/**
 * Filling a depot from a source of frames: making or joining the depot, keeping the pace, and staying until what is
 * stored has been read.
 *
 * @module
 */
import { DepotError, type DepotStats, FramesDepot, type WhenFull } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { type Progress, startProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/units.ts";
import { bytesOf } from "./descriptors.ts";
import { DamagedFrame, type FrameSource, type Shape } from "./frame_source.ts";
import { stepInWords, Timeline } from "./timeline.ts";

/** How a depot is filled. An undefined value fits any depot that is joined. */
export type ProduceOptions = {
  maxSize?: number;
  /** Slots of a new depot where `maxSize` is undefined. */
  newMaxSize?: number;
  whenFull?: WhenFull;
  maxReaders?: number;
  /** Joins a depot that another process fills. */
  join?: boolean;
  /** Takes the name from any depot that has it. */
  replace?: boolean;
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
export type Produced = { depot: string; frames: number; dropped: number; bytes: number };

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
  const { depot, head } = await makeOrJoin(name, source.shape, options);
  await using _closing = depot;
  const readers = options.waitReaders ?? 0;
  await look(interruption, `waiting for ${counted(readers, "reader")} of depot "${name}"`, () => {
    return readers === 0 || loopsOf(depot.stats()).length >= readers;
  });
  const produced: Produced = { depot: name, frames: 0, dropped: 0, bytes: 0 };
  const progress = startProgress({ total: source.total, label: options.label });
  const explaining = explainStall(depot, produced);
  // Nothing more will come, also where the source has failed; after an interruption it may be started again.
  const end = () => {
    if (options.end && !interruption.signal.aborted && fillerOf(depot) === undefined) depot.end();
  };
  try {
    await pour(source, depot, head, options, interruption, produced, progress).finally(() => {
      clearInterval(explaining);
      progress.end();
      end();
    });
    const lingerUntil = performance.now() + options.linger * 1000;
    await look(interruption, `waiting until depot "${name}" has been read; Ctrl-C ends the wait`, () => {
      return performance.now() >= lingerUntil || allRead(depot);
    });
    interruption.signal.throwIfAborted();
    end(); // another producer may have left meanwhile
    if (source.verdict !== undefined) throw source.verdict;
  } finally {
    tell(produced);
  }
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

async function pour(
  source: FrameSource,
  depot: FramesDepot,
  head: number,
  { speed, stampNow = false }: ProduceOptions,
  interruption: Interruption,
  produced: Produced,
  progress: Progress,
): Promise<void> {
  const { signal } = interruption;
  const scratch = { bytes: undefined as Uint8Array | undefined };
  const wait = speed === undefined ? undefined : pace(speed, interruption, () => produced.frames + produced.dropped);
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
  const timeline = new Timeline((stepNs) => {
    complain(`${paintErrors().yellow("warning:")} ${stepInWords(stepNs)} before frame ${count()}: a cut\n`);
  });
  return async (timestampNs) => {
    const dueMs = (startedMs ??= performance.now()) + Number(timeline.add(timestampNs)) / 1e6 / speed;
    if (dueMs > performance.now()) await interruption.sleep(dueMs - performance.now());
  };
}

/**
 * Makes the depot, or joins one that is open elsewhere, fits, and has no other producer: its readers notice nothing.
 *
 * @returns `head`: the number of frames that were stored before
 */
async function makeOrJoin(
  name: string,
  shape: Shape,
  options: ProduceOptions,
): Promise<{ depot: FramesDepot; head: number }> {
  const { maxSize, newMaxSize, whenFull = "wait" as const, maxReaders, replace } = options;
  const made = { maxSize: maxSize ?? newMaxSize, whenFull, maxReaders, replace };
  for (;;) {
    const found = replace ? undefined : await FramesDepot.open(name).catch(unlessMissing);
    try {
      if (found !== undefined && fits(found, shape, options)) return { depot: found, head: found.stats().head };
    } catch (error) {
      await found?.close();
      throw error;
    }
    await found?.close();
    try {
      const depot = await FramesDepot.create(name, { ...shape, frameSize: sizeOf(shape), ...made });
      return { depot, head: 0 };
    } catch (error) {
      // Where it was made just now by another process, the next look says whether it fits.
      if (!(error instanceof DepotError && error.code === "EXISTS" && found === undefined)) throw error;
    }
  }
}

function unlessMissing(error: unknown): undefined {
  if (!(error instanceof DepotError && error.code === "NOT_FOUND")) throw error;
}

/** Whether frames fit a depot; otherwise it must be replaced. @throws {Failure} where another process fills it */
function fits(depot: FramesDepot, shape: Shape, { maxSize, whenFull, join }: ProduceOptions): boolean {
  // Colours and aspect are labels: frames fit without them.
  const { color: _color, sampleAspectRatio: _aspect, ...memory } = shape;
  const differing = Object.entries({ ...memory, maxSize, whenFull }).find(([key, value]) => {
    const found = depot[key as "maxSize"];
    const same = key === "metadataBytes" ? Number(found) >= Number(value) : String(found) === String(value);
    return value !== undefined && !same;
  });
  const other = fillerOf(depot);
  if (other === undefined) return differing === undefined && !depot.ended;
  const refuse = (why: string, remedy: string) =>
    new Failure(`cannot fill depot "${depot.name}": process ${other} fills it${why}; ${remedy}`, EXIT.refused);
  if (differing !== undefined) {
    const [key, value] = differing;
    const why = `, and its ${key} is ${depot[key as "maxSize"]}, not ${value}`;
    throw refuse(why, "--replace takes the name from it, or choose another name");
  }
  if (!join) throw refuse("", "--join adds a second producer, --replace takes the name from it");
  return true;
}

/** The pid of another process that fills the depot. */
function fillerOf(depot: FramesDepot): number | undefined {
  return depot.stats().peers.find(({ self, alive, producer }) => !self && alive && producer)?.pid;
}

/** The size as it was said when the recorded depot was made: what was not said is 0. */
function sizeOf({ frameSize }: Shape): Shape["frameSize"] | undefined {
  const said = frameSize.filter((pixels) => pixels > 0);
  return said.length === 0 ? undefined : said as Shape["frameSize"];
}

/** Readers that follow, in all processes. */
function loopsOf(stats: DepotStats) {
  return stats.peers.flatMap(({ readers }) => readers).filter(({ mode }) => mode !== "lookup");
}

/**
 * Whether no reader misses a frame if this process leaves. A depot that waits keeps frames for the first reader, too.
 */
function allRead(depot: FramesDepot): boolean {
  const stats = depot.stats();
  if (depot.whenFull === "wait" && stats.length > 0) return false;
  return loopsOf(stats).every(({ mode, lag }) => mode !== "lossless" || lag === 0);
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
