/**
 * What it costs to put a 1080p frame into a depot, beside the same copy into ordinary memory.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { FramesDepot } from "../../mod.ts";
import { summarize, type Summary } from "./samples.ts";

const SLOTS = 10;
const SIZE = [1920, 1080, 3] as const;
/** Copies between two checks of the clock and of the signal. */
const BATCH = SLOTS;

/** Bytes a second, measured batch by batch. */
export type CopyResult = { depot: Summary; floor: Summary };

/**
 * Copies to both in turns until the time is over, so that noise meets both alike.
 *
 * @throws {Error} when the frame in the depot is not the one that was put in
 */
export async function measureCopy(name: string, milliseconds: number, signal: AbortSignal): Promise<CopyResult> {
  await using depot = await FramesDepot.create(name, { frameSize: SIZE, maxSize: SLOTS, whenFull: "overwrite" });
  const frame = new Uint8Array(depot.frameBytes).map((_, index) => index * 31 + (index >> 8));
  // Both write into memory that has been touched before.
  const ordinary = Array.from({ length: SLOTS }, () => new Uint8Array(depot.frameBytes).fill(1));
  const toDepot = async () => {
    for (let n = 0; n < BATCH; n++) await depot.enqueue({ frameNumber: n, frame });
  };
  const toOrdinary = () => {
    for (const target of ordinary) target.set(frame);
  };
  const rates: Record<"depot" | "floor", number[]> = { depot: [], floor: [] };
  const timed = async (what: keyof typeof rates, run: () => Promise<void> | void) => {
    const started = performance.now();
    await run();
    rates[what].push(BATCH * frame.length * 1000 / (performance.now() - started));
  };
  await toDepot();
  const end = performance.now() + milliseconds;
  do {
    signal.throwIfAborted();
    await timed("depot", toDepot);
    await timed("floor", toOrdinary);
    await new Promise((resolve) => setTimeout(resolve)); // lets signals arrive
  } while (performance.now() < end);
  using stored = depot.peekFrame(BATCH - 1);
  if (stored === undefined || crc32(stored.data as Uint8Array) !== crc32(frame)) {
    throw new Error("the frame in the depot is not the one that was put in");
  }
  return { depot: summarize(rates.depot), floor: summarize(rates.floor) };
}
