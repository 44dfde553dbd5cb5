/**
 * The WebSocket of `frames-depot serve`: credits, one encoder for all, stored frames, and clients that stall.
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { FramesDepot } from "../mod.ts";
import { depotTest, skip } from "./support/harness.ts";
import { colored, colorOf, eventually, type Live, Served, socketFrame } from "./support/serve_scene.ts";
import { decoded, fileOf, videoTest } from "./support/video.ts";

const [WIDTH, HEIGHT] = [64, 48];
const SHAPE = { frameSize: [WIDTH, HEIGHT, 3], pixelFormat: "rgb24", maxSize: 8, whenFull: "overwrite" } as const;
const MANY = 5;
const STALLED = 50;

const put = (depot: FramesDepot, frameNumber: number, [width, height] = [WIDTH, HEIGHT]) =>
  depot.enqueue({ frameNumber, frame: colored(frameNumber, width, height) });

/** Long enough for a picture that must not come: others come meanwhile. */
async function settle(depot: FramesDepot, live: Live, from: number): Promise<void> {
  for (let number = from; number < from + 5; number++) {
    await put(depot, number);
    await live.picture((header) => header.channel === 2 && header.number === number);
  }
}

depotTest("serve sends two pictures, and one more for each that is shown", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await using served = await Served.start([]);
  const live = await served.live();
  const hello = await live.said("hello");
  assertEquals([hello.codec, hello.codecs, hello.names], ["jpeg", ["jpeg"], null]);
  live.shows = false;
  live.show(name);
  const other = await served.live();
  other.show(name, { channel: 2 });
  const numbers = () => live.pictures.map(({ header }) => header.number);
  for (const number of [1, 2]) {
    await put(depot, number);
    await live.picture((header) => header.number === number);
    await other.picture((header) => header.number === number);
  }
  await settle(depot, other, 3);
  assertEquals(numbers(), [1, 2]);
  live.say({ type: "shown", channel: 1 });
  await live.picture(({ number }) => number === 7); // the newest, although none comes after it
  for (let more = 0; more < 9; more++) live.say({ type: "shown", channel: 1 }); // more than it has got
  live.say({ type: "none" }); // an answer to it comes after all before it have been heard
  await live.said("refused");
  await settle(depot, other, 8);
  assertEquals(numbers().length, 5);
  live.say({ type: "hide", channel: 1 });
  live.say({ type: "shown", channel: 1 });
  await settle(depot, other, 13);
  assertEquals(numbers().length, 5);
});

depotTest("serve encodes a frame once for all clients of one size", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await using served = await Served.start([]);
  const lives = await Promise.all(Array.from({ length: MANY }, () => served.live()));
  for (const [index, live] of lives.entries()) live.show(name, { width: 1 + index * 30 }); // rounded to one size
  const encoded = () => served.metric(`frames_depot_serve_pictures_encoded_total{depot="${name}",codec="jpeg"}`);
  for (let number = 0; number < 10; number++) {
    await put(depot, number);
    for (const live of lives) await live.picture((header) => header.number === number);
    assertEquals(await encoded(), number + 1);
  }
  assertEquals(await served.metric("frames_depot_serve_pictures_sent_total"), 10 * MANY);
  assertEquals(await served.metric("frames_depot_serve_clients"), MANY);
  const late = await served.live();
  late.show(name);
  await late.picture(({ number }) => number === 9); // what the others have
  assertEquals(await encoded(), 10);
});

videoTest("serve pauses on a stored frame, steps, and goes on", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await using served = await Served.start([]);
  for (const number of [10, 20, 30]) await put(depot, number);
  const live = await served.live();
  live.show(name);
  await live.picture(({ number }) => number === 30);
  const asked = async (message: object) => {
    const before = live.pictures.length;
    live.say({ channel: 1, ...message });
    await live.until(() => live.pictures.length > before || undefined);
    return live.pictures.at(-1)!;
  };
  for (
    const [message, number] of [
      [{ type: "at", number: 10 }, 10],
      [{ type: "step", number: 10, by: 1 }, 20],
      [{ type: "step", number: 30, by: -1 }, 20],
    ] as const
  ) {
    const { header, bytes } = await asked(message);
    assertEquals([header.number, header.asked], [number, true]);
    const pixels = decoded(fileOf(folder, `${number}.jpg`, bytes), ["-pix_fmt", "rgb24"]);
    for (const [at, value] of colorOf(number).entries()) assert(Math.abs(pixels[at] - value) <= 6);
  }
  for (
    const message of [{ type: "at", number: 11 }, { type: "step", number: 10, by: -1 }, {
      type: "step",
      number: 5,
      by: 1,
    }]
  ) {
    live.texts.length = 0;
    live.say({ channel: 1, ...message });
    assertEquals((await live.said("missing")).range, [10, 30]);
  }
  const other = await served.live();
  other.show(name, { channel: 2 });
  await settle(depot, other, 31);
  assertNotEquals(live.pictures.at(-1)!.header.number, 35); // paused
  const { header } = await asked({ type: "live" });
  assertEquals([header.number, header.asked], [35, undefined]);
  const again = await asked({ type: "at", number: 35 });
  assertEquals(again.header.asked, true);
  assertEquals((await asked({ type: "live" })).header.number, 35); // once more, although nothing has changed
  assertEquals(depot.stats().stored, 8);
});

depotTest("serve's list and detail say what ls and stat say, and which frames are stored", async (name, another) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  for (const number of [7, 8, 9]) await put(depot, number);
  using _slow = depot.frames({ mode: "lossy", from: "oldest" });
  await using served = await Served.start([]);
  const live = await served.live();
  const { depots } = await live.said(
    "depots",
    ({ depots }) => depots.some((each: { name: string }) => each.name === name),
  );
  const entry = depots.find((each: { name: string }) => each.name === name);
  assertEquals([entry.state, entry.full, entry.picture, entry.maxSize, entry.stored], ["live", false, undefined, 8, 3]);
  live.say({ type: "detail", name });
  const detail = await live.said("detail", ({ range }) => range !== undefined);
  assertEquals([detail.name, detail.range, detail.id], [name, [7, 9], depot.id]);
  assertEquals(detail.peers.filter((peer: { serves?: true }) => !peer.serves).length, 1);
  const late = another();
  live.say({ type: "detail", name: late });
  assertEquals(
    (await live.said("detail", ({ missing }) => missing !== undefined)).missing,
    `there is no depot "${late}"`,
  );
  await using _other = await FramesDepot.create(late, SHAPE);
  await live.said("detail", (said) => said.name === late && said.missing === undefined);
});

depotTest("serve goes on with the next depot of a name, of another size", async (name) => {
  await using served = await Served.start([]);
  const live = await served.live();
  live.show(name, { width: 160 });
  assertEquals((await live.said("gone")).why, `there is no depot "${name}"`);
  for (const [round, [width, height]] of ([[64, 48], [128, 32], [64, 48]] as const).entries()) {
    await using depot = await FramesDepot.create(name, { ...SHAPE, frameSize: [width, height, 3] });
    await put(depot, round, [width, height]);
    const { header } = await live.picture(({ number }) => number === round);
    assertEquals([header.id, header.fullWidth, header.fullHeight], [depot.id, width, height]);
    await depot.close();
    // Left by all others: the server leaves it too, and the name is free.
    await live.said("gone", () => live.texts.filter(({ type }) => type === "gone").length > round + 1);
    await eventually(() => FramesDepot.inspect(name) === undefined);
  }
});

depotTest("serve refuses wrong messages, and closes where there are too many or too long ones", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await put(depot, 1);
  await using served = await Served.start([]);
  const live = await served.live();
  const wrong = [
    ...[
      "",
      "{",
      "[]",
      "null",
      "1",
      '"show"',
      "{}",
      '{"type":"show"}',
      '{"type":"shown"}',
      '{"type":"__proto__","channel":1}',
    ],
    ...[{ channel: -1 }, { channel: 1.5 }, { channel: "1" }, { width: 0 }, { width: 1e9 }, { name: "" }, { name: 5 }, {
      codec: "av1",
    }]
      .map((part) => JSON.stringify({ type: "show", channel: 1, name, width: 64, ...part })),
    ...[
      '{"type":"at","channel":1,"number":"1"}',
      '{"type":"step","channel":1,"number":1,"by":2}',
      '{"type":"detail","name":""}',
    ],
  ];
  for (const message of wrong) live.say(message);
  const types = "show, hide, shown, at, step, live, detail";
  await live.said("refused", ({ text }) => text === `the type of a message is none of ${types}`);
  await live.until(() => live.texts.filter(({ type }) => type === "refused").length === wrong.length || undefined);
  for (let channel = 0; channel < 65; channel++) live.show(name, { channel });
  assertEquals((await live.said("refused", (said) => said.channel === 64)).text, "a client has at most 64 channels");
  await live.picture(({ channel }) => channel === 63);
  live.show("a/b\0", { channel: 63 });
  await live.said("gone", ({ channel }) => channel === 63);
  const long = await served.live();
  long.say({ type: "detail", name: "x".repeat(5000) });
  assertEquals(await long.ending(), 1009);
  const many = await served.live();
  while (many.closed === undefined) { // on a busy machine it takes more of them
    for (let n = 0; n < 10_000; n++) many.say({ type: "shown", channel: 1 });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(await many.ending(), 1008);
  live.show(name, { channel: 1 });
  await live.said("depots");
});

depotTest("serve with 50 clients that stall goes on for the others, and no producer waits", async (name) => {
  const [width, height] = [320, 24]; // two sizes, small ones
  await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait", frameSize: [width, height, 3] });
  const reader = depot.frames();
  await using served = await Served.start([]);
  const stalled = await Promise.all(Array.from({ length: STALLED }, async (_, index) => {
    if (index % 5 === 4) {
      const socket = await served.raw();
      socket.write(`GET /depots/${name}/stream.mjpeg HTTP/1.1\r\nHost: ${served.url.host}\r\n\r\n`);
      socket.pause();
      return 101;
    }
    const [status, socket] = await served.upgrade();
    socket.pause();
    const show = { type: "show", channel: 1, name, width: index % 2 === 0 ? width : 160, codec: "jpeg" };
    socket.write(socketFrame(JSON.stringify(show)));
    // Credits that it never had: it shows nothing.
    for (let n = 0; n < 200; n++) socket.write(socketFrame(JSON.stringify({ type: "shown", channel: 1 })));
    return status;
  }));
  assertEquals(new Set(stalled), new Set([101]));
  await eventually(async () => await served.metric("frames_depot_serve_clients") === STALLED);
  const live = await served.live();
  live.show(name, { width, channel: 2 });
  for (let number = 0; number < 100; number++) {
    await put(depot, number, [width, height]);
    using frame = await reader.within(60_000);
    assertEquals(frame?.frameNumber, number);
    if (number % 20 === 0) await live.picture((header) => header.number === number);
  }
  await live.picture((header) => header.number === 99);
  assertEquals(depot.stats().stored, 100);
});

videoTest("serve --codec h264 begins with a key frame for each client, and every picture is shown", async (scene) => {
  const { name, folder } = scene;
  const found = spawnSync("ffmpeg", ["-hide_banner", "-encoders"], { encoding: "utf8" });
  if (!found.stdout.includes(" libx264 ")) return skip("this ffmpeg has no libx264");
  await using depot = await FramesDepot.create(name, SHAPE);
  await using served = await Served.start(["--codec", "h264"]);
  const lives: Live[] = [];
  for (let round = 0; round < 2; round++) {
    const live = await served.live();
    lives.push(live);
    live.show(name, { codec: "h264" });
    for (let number = round * 10; number < round * 10 + 10; number++) {
      await put(depot, number);
      for (const each of lives) {
        await each.picture((header) => header.number === number || header.number === number + 1);
      }
    }
    assertEquals((await live.said("hello")).codecs, ["jpeg", "h264"]);
    const [first] = live.pictures;
    assertEquals([first.header.codec, first.header.key], ["h264", true]);
    assert(/^avc1\.[0-9A-F]{6}$/.test(first.header.codecString!), first.header.codecString);
  }
  for (const [index, { pictures }] of lives.entries()) {
    const bytes = new Uint8Array(pictures.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const picture of pictures) {
      bytes.set(picture.bytes, at);
      at += picture.bytes.length;
    }
    const frames = decoded(fileOf(folder, `${index}.h264`, bytes), ["-pix_fmt", "rgb24", "-fps_mode", "passthrough"]);
    assertEquals(frames.length, pictures.length * WIDTH * HEIGHT * 3);
    for (const [n, { header }] of pictures.entries()) {
      const pixel = frames.slice(n * WIDTH * HEIGHT * 3).slice(0, 3);
      for (const [channel, value] of colorOf(header.number).entries()) {
        assert(
          Math.abs(pixel[channel] - value) <= 20,
          `picture ${header.number}: ${pixel} for ${colorOf(header.number)}`,
        );
      }
    }
  }
});
