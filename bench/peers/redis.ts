/**
 * A list in Redis: LPUSH and BRPOP through the official client, over the server's Unix socket. The reply to LPUSH tells
 * how long the list is, and so when to wait.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, RESP_TYPES } from "redis";
import { serve } from "./endpoint.ts";

const LIST = "frames";

async function connected(folder: string) {
  const socket = { path: `${folder}/redis`, tls: false as const, reconnectStrategy: () => 20 };
  const client = createClient({ socket });
  client.on("error", () => {}); // the server needs a moment to come up
  await client.connect();
  return client;
}

await serve({
  async send({ folder, frameBytes, depth }, source) {
    const client = await connected(folder);
    const frame = Buffer.alloc(frameBytes);
    while (await source.next()) {
      source.write(frame);
      let length = await client.lPush(LIST, frame);
      while (length >= depth) {
        await sleep(1);
        length = await client.lLen(LIST);
      }
    }
    await client.close();
  },

  async receive({ folder }, sink, ready) {
    const client = (await connected(folder)).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    ready();
    for (;;) {
      const popped = await client.brPop(LIST, 10);
      if (popped === null) throw new Error("no frame for ten seconds");
      if (sink.read(popped.element as unknown as Buffer)) break;
    }
    await client.close();
  },
});
