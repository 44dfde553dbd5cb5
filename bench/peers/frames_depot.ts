/**
 * Ours: the sender writes into the slot itself, the receiver reads the slot itself.
 *
 * @module
 */
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
    await using depot = await FramesDepot.create(channel, { frameSize: FRAME_SIZE, maxSize: depth, whenFull: "wait" });
    const frames = depot.frames({ mode: "lossless" });
    ready();
    for await (const frame of frames) {
      if (sink.read(frame.data as Uint8Array)) break;
    }
  },
});
