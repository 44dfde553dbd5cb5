/**
 * A Unix domain socket by node:net, which both runtimes have. The sender fills one buffer while the other is written.
 *
 * @module
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { serve } from "./endpoint.ts";

await serve({
  async send({ folder, frameBytes }, source) {
    const socket = connect(`${folder}/socket`);
    await once(socket, "connect");
    const buffers = [0, 1].map(() => ({ frame: new Uint8Array(frameBytes), written: Promise.resolve() }));
    for (let turn = 0; await source.next(); turn ^= 1) {
      const buffer = buffers[turn];
      await buffer.written;
      source.write(buffer.frame);
      buffer.written = new Promise((resolve, reject) => {
        socket.write(buffer.frame, (error) => error ? reject(error) : resolve());
      });
    }
    await new Promise<void>((resolve) => socket.end(resolve));
  },

  async receive({ folder, frameBytes }, sink, ready) {
    const server = createServer();
    server.listen(`${folder}/socket`);
    await once(server, "listening");
    ready();
    const [socket] = await once(server, "connection");
    const frame = new Uint8Array(frameBytes);
    let at = 0;
    for await (const chunk of socket) {
      for (let from = 0; from < chunk.length;) {
        const bytes = Math.min(chunk.length - from, frameBytes - at);
        frame.set(chunk.subarray(from, from + bytes), at);
        from += bytes;
        at += bytes;
        if (at < frameBytes) continue;
        at = 0;
        sink.read(frame);
      }
    }
    server.close();
  },
});
