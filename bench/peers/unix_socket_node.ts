/**
 * A Unix domain socket through `node:net`, which hands out chunks.
 *
 * @module
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { serve } from "./endpoint.ts";

await serve({
  async send({ folder, frameBytes }, source) {
    const socket = connect(`${folder}/socket`);
    await once(socket, "connect");
    const frame = new Uint8Array(frameBytes);
    while (await source.next()) {
      source.write(frame);
      // The frame is filled again as soon as the kernel has taken it all.
      await new Promise<void>((resolve, reject) => socket.write(frame, (error) => error ? reject(error) : resolve()));
    }
    socket.end();
  },

  async receive({ folder, frameBytes }, sink, ready) {
    const frame = new Uint8Array(frameBytes);
    const server = createServer().listen(`${folder}/socket`);
    await once(server, "listening");
    ready();
    const [socket]: [Socket] = await once(server, "connection") as [Socket];
    server.close();
    let at = 0;
    for await (const chunk of socket as AsyncIterable<Uint8Array>) {
      for (let from = 0; from < chunk.length;) {
        const bytes = Math.min(chunk.length - from, frameBytes - at);
        frame.set(chunk.subarray(from, from + bytes), at);
        from += bytes;
        at = (at + bytes) % frameBytes;
        if (at === 0 && sink.read(frame)) return;
      }
    }
    throw new Error("the sender has gone");
  },
});
