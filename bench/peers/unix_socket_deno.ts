/**
 * A Unix domain socket through Deno's own sockets, which read straight into the frame. They move three times as many
 * frames as `node:net` in the same runtime.
 *
 * @module
 */
import { serve } from "./endpoint.ts";

const transport = "unix";

await serve({
  async send({ folder, frameBytes }, source) {
    using socket = await Deno.connect({ transport, path: `${folder}/socket` });
    const frame = new Uint8Array(frameBytes);
    while (await source.next()) {
      source.write(frame);
      for (let at = 0; at < frameBytes;) at += await socket.write(frame.subarray(at));
    }
  },

  async receive({ folder, frameBytes }, sink, ready) {
    using listener = Deno.listen({ transport, path: `${folder}/socket` });
    ready();
    using socket = await listener.accept();
    const frame = new Uint8Array(frameBytes);
    do {
      for (let at = 0; at < frameBytes;) {
        const bytes = await socket.read(frame.subarray(at));
        if (bytes === null) throw new Error("the sender has gone");
        at += bytes;
      }
    } while (!sink.read(frame));
  },
});
