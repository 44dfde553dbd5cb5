/**
 * A named pipe, read and written with blocking calls, straight from and into the frame: the fastest way that a
 * runtime's own file functions offer.
 *
 * @module
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { serve } from "./endpoint.ts";

await serve({
  async send({ folder, frameBytes }, source) {
    const pipe = openSync(`${folder}/pipe`, "w");
    const frame = new Uint8Array(frameBytes);
    while (await source.next()) {
      source.write(frame);
      for (let at = 0; at < frameBytes;) at += writeSync(pipe, frame, at, frameBytes - at);
    }
    closeSync(pipe);
  },

  // deno-lint-ignore require-await -- blocking calls are the point
  async receive({ folder, frameBytes }, sink, ready) {
    ready();
    const pipe = openSync(`${folder}/pipe`, "r");
    const frame = new Uint8Array(frameBytes);
    do {
      for (let at = 0; at < frameBytes;) {
        const bytes = readSync(pipe, frame, at, frameBytes - at, null);
        if (bytes === 0) throw new Error("the sender has gone");
        at += bytes;
      }
    } while (!sink.read(frame));
    closeSync(pipe);
  },
});
