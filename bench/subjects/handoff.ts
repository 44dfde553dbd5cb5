/**
 * Claim, publish, take, release in one process: what a frame costs beyond its bytes.
 *
 * @module
 */
import type { FrameReader, FramesDepot } from "../../mod.ts";
import { assertSame, nsPerRound, withDepot } from "./depot.ts";

const ROUNDS = 100_000;

type How = { stamped?: boolean; writes?: boolean; reads?: boolean };

function handOff(depot: FramesDepot, reader: FrameReader, how: How): (rounds: number) => void {
  return (rounds) => {
    let sum = 0;
    for (let round = 0; round < rounds; round++) {
      const slot = depot.tryClaim(how.stamped ? { frameNumber: round, timestampNs: round } : { frameNumber: round })!;
      if (how.writes) slot.data[0] = round;
      slot.publish();
      const frame = reader.tryNext()!;
      sum += frame.frameNumber;
      if (how.reads && frame.data.length === 0) throw new Error("an empty frame");
      frame.release();
    }
    assertSame("the sum of frame numbers", sum, rounds * (rounds - 1) / 2);
  };
}

const measure = (how: How, readers = 1): Promise<number> =>
  withDepot({ frameSize: [256, 256, 1], maxSize: 16, whenFull: "wait" }, (depot) => {
    const reader = depot.frames({ from: "next" });
    for (let index = 1; index < readers; index++) depot.frames({ from: "next", mode: "lossy" });
    return nsPerRound(ROUNDS, handOff(depot, reader, how));
  });

/** Nanoseconds a hand-off: views never touched, the time given; the time taken; a view on one side; on both. */
export async function handoff(): Promise<Record<string, number>> {
  return {
    "zero copy": await measure({ stamped: true }),
    "zero copy, timestamped": await measure({}),
    "one view detached": await measure({ stamped: true, reads: true }),
    "two views detached": await measure({ stamped: true, reads: true, writes: true }),
  };
}

/** Nanoseconds to claim and publish by the number of readers that are attached and do not sleep. */
export async function publishWithReaders(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const readers of [0, 1, 8, 31]) {
    found[`${readers} readers`] = await withDepot(
      { frameSize: [256, 256, 1], maxSize: 16, whenFull: "overwrite", maxReaders: 32 },
      (depot) => {
        for (let index = 0; index < readers; index++) depot.frames({ from: "next", mode: "lossless" });
        return nsPerRound(ROUNDS, (rounds) => {
          for (let round = 0; round < rounds; round++) {
            depot.tryClaim({ frameNumber: round, timestampNs: round })!.publish();
          }
          using newest = depot.peekFrame(rounds - 1);
          assertSame("the newest frame's number", newest?.frameNumber, rounds - 1);
        });
      },
    );
  }
  return found;
}

const SIZES = { "64 KB": 2 ** 16, "1 MB": 2 ** 20, "6 MB": 6_220_800, "32 MB": 2 ** 25 };

async function bySize(measure: (depot: FramesDepot) => number): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [name, bytes] of Object.entries(SIZES)) {
    found[name] = await withDepot({ frameSize: [bytes, 1, 1], maxSize: 4, whenFull: "wait" }, measure);
  }
  return found;
}

/** Nanoseconds a hand-off by the size of a frame that is not copied. */
export function handoffBySize(): Promise<Record<string, number>> {
  return bySize((depot) => nsPerRound(ROUNDS, handOff(depot, depot.frames({ from: "next" }), { stamped: true })));
}

/** Few enough for an engine that collects its garbage at every tenth of them. */
const VIEWED_ROUNDS = 5000;

/**
 * Microseconds a hand-off with a view on both sides by the size of a frame: the mean, because an engine may count the
 * bytes under every view as garbage to come, and has its collections now and then.
 */
export function viewsBySize(): Promise<Record<string, number>> {
  return bySize((depot) => {
    const work = handOff(depot, depot.frames({ from: "next" }), { stamped: true, reads: true, writes: true });
    work(VIEWED_ROUNDS);
    const started = performance.now();
    work(VIEWED_ROUNDS);
    return (performance.now() - started) * 1000 / VIEWED_ROUNDS;
  });
}
