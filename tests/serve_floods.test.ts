/**
 * Clients of `frames-depot serve` that ask for more than they take, or for more than is reasonable.
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { FramesDepot } from "../mod.ts";
import { depotTest, HERE, skip } from "./support/harness.ts";
import { colored, eventually, HANDSHAKE, Served, socketFrame } from "./support/serve_scene.ts";

const SHAPE = { frameSize: [64, 48, 3], pixelFormat: "rgb24", maxSize: 4, whenFull: "overwrite" } as const;
const MEGABYTE = 1_000_000;
const NO_IMPORTS = "bun test finds no packages of the command line";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const text = (message: object) => socketFrame(JSON.stringify(message));

depotTest("serve keeps little for a client that asks for stored frames and takes none", async (name) => {
  await using depot = await FramesDepot.create(name, {
    ...SHAPE,
    pixelFormat: "mjpeg",
    variableLength: true,
    frameBytes: MEGABYTE,
  });
  await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(MEGABYTE) }); // JPEGs pass as they are
  await using served = await Served.start([]);
  const sent = () => served.metric("frames_depot_serve_sent_bytes_total");
  const [, client] = await served.upgrade();
  client.pause();
  client.write(text({ type: "show", channel: 1, name, width: 64 }));
  let before = -1;
  for (let same = 0, now = 0; same < 10 && now < 60 * MEGABYTE; before = now) {
    for (let n = 0; n < 4; n++) {
      client.write(text({ type: "at", channel: 1, number: 1 }));
      await pause(25);
    }
    now = await sent();
    same = now > MEGABYTE && now === before ? same + 1 : 0;
  }
  assert(before < 40 * MEGABYTE, `${before} bytes were made for it`);
  let taken = 0;
  client.on("data", (bytes: Uint8Array) => taken += bytes.length);
  client.resume();
  await eventually(() => taken > before); // what it had asked for last comes, too
});

depotTest("serve keeps little for a client that pings and takes no answer", async () => {
  await using served = await Served.start([]);
  const memory = () => {
    try {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${served.pid}/status`, "utf8"))![1]) * 1024;
    } catch {
      return undefined;
    }
  };
  const before = memory();
  if (before === undefined) return skip("the memory of another process is not told here");
  const [, client] = await served.upgrade();
  client.pause();
  const many = Buffer.concat(Array.from({ length: 4000 }, () => socketFrame(new Uint8Array(125), 0x89)));
  for (let n = 0; n < 200 && !client.destroyed; n++) {
    const isTaken = new Promise<void>((resolve) => client.write(many, () => resolve()));
    await Promise.race([isTaken, new Promise((resolve) => client.once("close", resolve)), pause(500)]);
  }
  assertEquals((await served.get("healthz")).status, 200);
  const more = memory()! - before;
  assert(more < 150 * MEGABYTE, `${more} bytes more`);
});

depotTest("serve closes a client that answers pings without reading them", async () => {
  if (HERE === "bun") return skip(NO_IMPORTS);
  const { Access } = await import("../cli/serve/access.ts");
  const { Counts } = await import("../cli/serve/counts.ts");
  const { Feeds } = await import("../cli/serve/feeds.ts");
  const { Overview } = await import("../cli/serve/overview.ts");
  const { PictureMaker } = await import("../cli/serve/picture_maker.ts");
  const { DepotServer } = await import("../cli/serve/server.ts");
  const { Stills } = await import("../cli/serve/still.ts");
  const { StoredFrames } = await import("../cli/serve/stored.ts");
  const counts = new Counts();
  using overview = new Overview(() => false);
  await using maker = new PictureMaker(1);
  await using stored = new StoredFrames();
  await using feeds = new Feeds({ maker, quality: 75, mostPerSecond: 30, counts });
  const stills = new Stills(stored, maker, 75, counts);
  const hello = { codec: "jpeg" as const, codecs: ["jpeg" as const], version: "", names: null, sharp: false };
  const services = { overview, feeds, stored, stills, counts, hello };
  let port = 0;
  const access = new Access({ hosts: [], token: undefined, port: () => port });
  await using server = new DepotServer({ access, services, mostClients: 4, pingMs: 100 });
  port = await server.listen("127.0.0.1", 0);
  const client = connect(port, "127.0.0.1");
  try {
    client.on("error", () => {});
    client.resume(); // what comes is not looked at
    const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
    const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...HANDSHAKE }).map(([name, value]) =>
      `${name}: ${value}`
    );
    client.write([`GET /api/live HTTP/1.1`, ...lines, "\r\n"].join("\r\n"));
    const answering = setInterval(() => client.write(socketFrame("", 0x8a)), 20);
    await closed;
    clearInterval(answering);
  } finally {
    client.destroy();
  }
});

depotTest("serve speaks HTTP/1.1 with a client that would like HTTP/2", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await using served = await Served.start([]);
  const ask = async (path: string, headers: string) => {
    const client = await served.raw();
    let got = "";
    client.on("data", (bytes: Uint8Array) => got += Buffer.from(bytes).toString("latin1"));
    client.write(`GET /${path} HTTP/1.1\r\n${headers}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n`);
    return { got: () => got, ended: new Promise((resolve) => client.once("end", resolve)) };
  };
  const whole = await ask(`api/depots/${name}`, `Host: ${served.url.host}\r\n`);
  await whole.ended;
  assert(whole.got().startsWith("HTTP/1.1 200 OK\r\n"), whole.got());
  assertEquals(JSON.parse(whole.got().split("\r\n\r\n")[1]).name, name);
  const stream = await ask(`depots/${name}/stream.mjpeg`, `Host: ${served.url.host}\r\n`);
  await eventually(() => stream.got().includes("X-Frame-Number: 1"));
  const elsewhere = await ask("api/depots", "Host: evil.example\r\n");
  await elsewhere.ended;
  assert(elsewhere.got().startsWith("HTTP/1.1 421 "), elsewhere.got());
});

depotTest("serve closes a connection with many requests at one time", async () => {
  if (HERE === "bun") return skip("Bun takes the requests of a connection one by one");
  await using served = await Served.start([]);
  const client = await served.raw();
  let answers = 0;
  client.on("data", (bytes: Uint8Array) => answers += Buffer.from(bytes).toString("latin1").split("200 OK").length - 1);
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.write(`GET /metrics HTTP/1.1\r\nHost: ${served.url.host}\r\n\r\n`.repeat(1000));
  await closed;
  assert(answers < 1000, `${answers} answers`);
  assertEquals((await served.get("metrics")).status, 200);
});

depotTest("neighbourOf is the frame before or after, however frames are numbered", async (name, another) => {
  if (HERE === "bun") return skip(NO_IMPORTS);
  const { neighbourOf } = await import("../cli/serve/stored.ts");
  for (const [of, numbers] of [[name, [10, 20, 21, 22, 5, 6, 9, 8, 7]], [another(), [1, 2, 3, 4, 5]]] as const) {
    await using depot = await FramesDepot.create(of, { ...SHAPE, maxSize: 8 });
    for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: colored(1, 64, 48) });
    const stored = numbers.slice(-8);
    for (const [at, number] of stored.entries()) {
      assertEquals([neighbourOf(depot, number, -1), neighbourOf(depot, number, 1)], [stored[at - 1], stored[at + 1]]);
    }
    for (const number of [11, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      assertEquals([neighbourOf(depot, number, -1), neighbourOf(depot, number, 1)], [undefined, undefined]);
    }
  }
});

depotTest("framesBefore are those of H.264 from the last frame on that needs none before it", async (name) => {
  if (HERE === "bun") return skip(NO_IMPORTS);
  const { framesBefore } = await import("../cli/video/frame_picture.ts");
  await using depot = await FramesDepot.create(name, {
    ...{ frameSize: [64, 48, 3], pixelFormat: "h264", variableLength: true, maxSize: 16, whenFull: "overwrite" },
  });
  const unit = (...kinds: number[]) => Uint8Array.from(kinds.flatMap((kind) => [0, 0, 0, 1, kind, 99]));
  const [key, other, refresh] = [unit(0x09, 0x67, 0x68, 0x06, 0x65), unit(0x41), unit(0x67, 0x68, 0x41)];
  const frames = [other, key, other, other, key, refresh, other];
  for (const [frameNumber, frame] of frames.entries()) await depot.enqueue({ frameNumber, frame });
  for (const [number, from] of [[6, 4], [5, 4], [4, 4], [3, 1], [2, 1], [1, 1], [0, 0]]) {
    assertEquals(framesBefore(depot, number), frames.slice(from, number));
  }
});
