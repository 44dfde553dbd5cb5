/**
 * Asking for a frame by its number, with few slots and many, numbers that grow by one and arbitrary ones.
 *
 * @module
 */
import { assertSame, nsPerRound, withDepot } from "./depot.ts";

const ROUNDS = 20_000;
const STEP = 7919; // a prime, so that arbitrary places are asked for

/** Nanoseconds to find, lease and release a frame. */
export async function lookup(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const slots of [10, 1000, 65_536]) {
    for (const numbers of ["consecutive", "arbitrary"] as const) {
      const numberOf = (at: number) => numbers === "consecutive" ? at : (at * 2_654_435_761) % 4_294_967_296;
      found[`${slots} slots, ${numbers}`] = await withDepot(
        { frameSize: [16, 4, 1], maxSize: slots, whenFull: "overwrite" },
        (depot) => {
          for (let at = 0; at < slots; at++) depot.tryClaim({ frameNumber: numberOf(at) })!.publish();
          return nsPerRound(ROUNDS, (rounds) => {
            for (let round = 0; round < rounds; round++) {
              const wanted = numberOf(round * STEP % slots);
              using frame = depot.peekFrame(wanted);
              assertSame("the frame's number", frame?.frameNumber, wanted);
            }
          });
        },
      );
    }
  }
  return found;
}
