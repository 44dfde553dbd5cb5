/**
 * The process that makes frames: each is drawn or read into shared memory itself, stamped there, and published.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import process from "node:process";
import { stamp, STAMP_BYTES } from "./checksum.ts";
import { Picture } from "./picture.ts";
import { VideoFile } from "./video.ts";
import { Wire } from "./wire.ts";

await new Wire().serve(async (wire) => {
  const { task, counts } = wire;
  const [width, height] = task.size;
  await using depot = await FramesDepot.create(task.depot, {
    frameSize: [width, height, 3],
    pixelFormat: "rgb24",
    maxSize: task.maxSize,
    whenFull: "wait",
    metadataBytes: STAMP_BYTES,
  });
  wire.report({ kind: "ready", pid: process.pid });
  await wire.started;

  const signal = AbortSignal.any([wire.signal, AbortSignal.timeout(task.seconds * 1000)]);
  await using video = task.video === undefined
    ? undefined
    : new VideoFile(task.video, { scaleTo: task.scale ? task.size : undefined, signal });
  const source = video ?? new Picture(width, height);
  try {
    while (!signal.aborted) {
      using slot = await depot.claim({ frameNumber: counts.frames, signal });
      if (slot === undefined || !await source.fill(slot.data as Uint8Array, counts.frames)) break;
      stamp(slot);
      slot.publish();
      counts.frames++;
      await wire.turn();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
});
