// A server sends frames over a WebSocket, each when the client asks for it. The server is that of the package `ws`.
import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { FramesDepot } from "@frames-depot/frames-depot";
import { WebSocketServer } from "ws";

type Socket = {
  on(event: "message", listener: () => void): void;
  send(bytes: Uint8Array, sent: (error?: Error) => void): void;
};

const [count, host] = [20, "127.0.0.1"];
const name = `example-websocket-${process.pid}`;
await using depot = await FramesDepot.create(name, { frameSize: [320, 240, 3], maxSize: 3, whenFull: "wait" });
const camera = (async () => {
  for (let n = 0; n < count; n++) {
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array(depot.frameBytes).fill(n) });
  }
})();

const frames = depot.readable(); // its frames belong to this program until it releases them
const reader = frames.getReader();
const server = new WebSocketServer({ host, port: 0 });
server.on("connection", (socket: Socket) => {
  socket.on("message", async () => {
    const { value: frame } = await reader.read();
    // `ws` sends the frame's own memory and calls back when it has left: only then the frame is released.
    if (frame !== undefined) socket.send(frame.data as Uint8Array, () => frame.release());
  });
});
await once(server, "listening");

const client = new WebSocket(`ws://${host}:${server.address().port}`);
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
await reader.cancel();
client.close();
await once(client, "close");
await new Promise<void>((resolve) => server.close(() => resolve()));
console.log(`ok: ${count} frames came over the WebSocket as they were`);
