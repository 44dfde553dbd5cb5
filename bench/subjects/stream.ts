/**
 * Frames from one process to another, no copy, both spinning: how many a second, each verified by its numbers.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { assertSame, withDepot } from "./depot.ts";
import { startPartner } from "./partner.ts";

const WARM_UP = 200_000;
const FRAMES = 1_500_000;
/** Frames between two turns of the event loop, so that signals and input get in. */
const BURST = 100_000;

/** The producing process: fills the depot of that name until it has stored enough. */
export async function produce(name: string): Promise<Record<string, number>> {
  await using depot = await FramesDepot.open(name, { timeoutMs: 10_000 });
  for (let frameNumber = 0; frameNumber < WARM_UP + FRAMES;) {
    const slot = depot.tryClaim({ frameNumber, timestampNs: frameNumber * 3 });
    if (slot === undefined) continue;
    slot.publish();
    if (++frameNumber % BURST === 0) await turn();
  }
  return {};
}

/** Million frames a second. */
export function stream(): Promise<Record<string, number>> {
  return withDepot({ frameSize: [64, 64, 1], maxSize: 1024, whenFull: "wait" }, async (depot) => {
    const reader = depot.frames({ from: "oldest" });
    const partner = startPartner("produce", depot.name);
    let next = 0;
    let started = 0;
    while (next < WARM_UP + FRAMES && !partner.gone || next === 0) {
      for (let tries = 0; tries < BURST && next < WARM_UP + FRAMES; tries++) {
        const frame = reader.tryNext();
        if (frame === undefined) continue;
        if (frame.frameNumber !== next || frame.lost !== 0) assertSame("the frame's number", frame.frameNumber, next);
        if (++next === WARM_UP) started = performance.now();
      }
      if (next < WARM_UP + FRAMES) await turn();
    }
    const seconds = (performance.now() - started) / 1000;
    reader.release();
    await partner.end();
    assertSame("frames", next, WARM_UP + FRAMES);
    return { stream: FRAMES / seconds / 1e6 };
  });
}
