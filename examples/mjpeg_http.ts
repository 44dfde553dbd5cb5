// MJPEG over HTTP for several clients, as an <img> of a browser shows it: each gets the newest picture at its own pace.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { FramesDepot } from "@frames-depot/frames-depot";

const name = `example-mjpeg-${process.pid}`;
const options = { pixelFormat: "mjpeg", frameBytes: 100_000, variableLength: true } as const;
await using depot = await FramesDepot.create(name, options);
let isOn = true;
const camera = (async () => { // usually another process; these are no pictures, but begin and end as a JPEG does
  for (let n = 0; isOn; n++) {
    const inside = new Uint8Array(5000 + n % 100).fill(n % 128);
    await depot.enqueue({ frameNumber: n, frame: new Uint8Array([0xff, 0xd8, ...inside, 0xff, 0xd9]) });
    await setTimeout(5);
  }
})();

// One depot object for all clients. A client is a reader, which ends with the connection.
await using shared = await FramesDepot.open(name, { timeoutMs: 5000 });
async function show(response: ServerResponse): Promise<void> {
  using reader = shared.frames({ mode: "latest" });
  response.once("close", () => reader.release()); // ends the loop, also while it waits for a frame
  response.writeHead(200, { "content-type": "multipart/x-mixed-replace; boundary=frame" });
  for await (const frame of reader) {
    response.write(`\r\n--frame\r\ncontent-type: image/jpeg\r\ncontent-length: ${frame.byteLength}\r\n\r\n`);
    // The next frame is asked for once this one has left: a slow client skips pictures, and no queue grows.
    await new Promise((resolve) => response.write(frame.copy(), resolve));
  }
  response.end();
}
const server = createServer((_, response) => void show(response)).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as { port: number };

/** A client that leaves after some pictures. */
async function watch(pictures: number): Promise<void> {
  const { body } = await fetch(`http://127.0.0.1:${port}/`);
  let bytes = Buffer.alloc(0);
  for await (const piece of body!) {
    bytes = Buffer.concat([bytes, piece]);
    for (;;) {
      const head = /^\r\n--frame\r\ncontent-type: .*\r\ncontent-length: (\d+)\r\n\r\n/.exec(bytes.toString("latin1"));
      if (head === null || bytes.length < head[0].length + Number(head[1])) break;
      const picture = bytes.subarray(head[0].length, head[0].length + Number(head[1]));
      assert.equal(picture.toString("hex").replace(/^ffd8(..)\1*ffd9$/, "a picture"), "a picture");
      bytes = bytes.subarray(head[0].length + picture.length);
      if (--pictures === 0) return; // disconnects
    }
  }
}

for (let round = 0; round < 5; round++) await Promise.all([watch(1), watch(5), watch(10)]);
// Nothing is left of fifteen clients: two open depot objects, and no reader.
const left = () => depot.stats().peers.map(({ readers }) => readers.length);
for (let waits = 0; waits < 500 && left().join() !== "0,0"; waits++) await setTimeout(10);
assert.deepEqual(left(), [0, 0]);
isOn = false;
await camera;
server.close();
console.log("ok: fifteen clients were served and left nothing behind");
