// A server sends frames over a WebSocket, each when the client asks for it.
import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";

type Socket = { send(bytes: Uint8Array): unknown };
declare const Bun: { serve(options: object): { port: number; stop(atOnce: boolean): unknown } };
const hostname = "127.0.0.1";

/** The part that differs between the runtimes: a server that calls `reply` for each message of a client. */
function serve(reply: (socket: Socket) => unknown): { port: number; stop: () => unknown } {
  if ("Bun" in globalThis) {
    const fetch = (request: Request, server: { upgrade(request: Request): void }) => server.upgrade(request);
    const server = Bun.serve({ hostname, port: 0, fetch, websocket: { message: reply } });
    return { port: server.port, stop: () => server.stop(true) };
  }
  const server = Deno.serve({ hostname, port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = () => reply(socket as Socket);
    return response;
  });
  return { port: server.addr.port, stop: () => server.shutdown() };
}

const count = 20;
const name = `example-websocket-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
  }
})();

const frames = depot.frames();
const server = serve(async (socket) => {
  const { value: frame } = await frames.next(); // releases the previous frame
  if (frame !== undefined) socket.send(frame.data as Uint8Array); // copies before it returns: nothing to await
});

const client = new WebSocket(`ws://${hostname}:${server.port}`);
client.binaryType = "arraybuffer";
await once(client, "open");
for (let n = 0; n < count; n++) {
  const message = once(client, "message"); // before the request: the reply may come at once
  client.send("next"); // the client sets the pace, so that no queue grows behind send()
  const bytes = new Uint8Array((await message)[0].data);
  assert.equal(bytes.length, depot.frameBytes);
  assert.ok(bytes.every((byte) => byte === n));
}
await camera;
client.close();
await server.stop();
console.log(`ok: ${count} frames came over the WebSocket as they were`);
