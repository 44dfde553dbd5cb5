/**
 * Ours: the sender writes into the slot itself, the receiver reads the slot itself. With "blocking" before its
 * role, its thread sleeps in the kernel, otherwise its event loop goes on.
 *
 * @module
 */
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { FramesDepot } from "../../mod.ts";
import { serve } from "./endpoint.ts";
import { FRAME_SIZE } from "./task.ts";

await serve({
  async send({ channel }, source) {
    await using depot = await FramesDepot.open(channel, { timeoutMs: 10_000 });
    while (await source.next()) {
      const slot = depot.tryClaim() ?? await depot.claim();
      source.write(slot!.data as Uint8Array);
      slot!.publish();
    }
  },

  async receive({ channel, depth }, sink, ready) {
    await using depot = await FramesDepot.create(channel, {
      frameSize: FRAME_SIZE,
      maxSize: depth,
      whenFull: "wait",
    });
    const frames = depot.frames({ mode: "lossless" });
    ready();
    if (process.argv.includes("blocking")) {
      await setTimeout(10); // what was said has to get out before the thread is blocked
      while (!sink.read(frames.nextSync()!.data as Uint8Array));
      return;
    }
    for await (const frame of frames) {
      if (sink.read(frame.data as Uint8Array)) break;
    }
  },
});
