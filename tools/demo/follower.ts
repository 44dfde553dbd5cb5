/**
 * A process that follows without losing any: each frame must have the number after the one before, and be whole.
 *
 * @module
 */
import process from "node:process";
import { FramesDepot } from "../../mod.ts";
import { isWhole } from "./checksum.ts";
import { Wire } from "./wire.ts";

await new Wire().serve(async (wire) => {
  const { task, counts } = wire;
  await using depot = await FramesDepot.open(task.depot);
  const frames = depot.frames({ mode: "lossless", signal: wire.signal });
  wire.report({ kind: "ready", pid: process.pid });
  let expected = 0;
  try {
    for await (const frame of frames) {
      if (frame.frameNumber < expected) counts.disordered++;
      else counts.lost += frame.frameNumber - expected;
      expected = Math.max(expected, frame.frameNumber + 1);
      if (!isWhole(frame)) counts.torn++;
      counts.frames++;
      await wire.turn();
      if (wire.complete) break;
    }
  } catch (error) {
    if (!wire.signal.aborted) throw error;
  }
});
