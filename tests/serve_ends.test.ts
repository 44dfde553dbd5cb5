/**
 * How `frames-depot serve` begins and ends: ports, signals, and depots that end, change or go.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { Cli, runCli } from "./support/cli.ts";
import { depotTest, skip } from "./support/harness.ts";
import { colored, eventually, Served } from "./support/serve_scene.ts";
import { IS_WINDOWS, NO_SIGNALS, TERMINATED } from "./support/windows.ts";

const SHAPE = { frameSize: [64, 48, 3], pixelFormat: "rgb24", maxSize: 4, whenFull: "overwrite" } as const;

depotTest("serve ends by a signal with its exit code, and leaves the depots that it has joined", async (name) => {
  if (IS_WINDOWS) return skip(NO_SIGNALS);
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
    await using served = await Served.start([]);
    const live = await served.live();
    live.show(name);
    await live.picture(() => true);
    live.say({ type: "at", channel: 1, number: 1 });
    await live.picture(({ asked }) => asked === true);
    const stream = await served.raw();
    stream.write(`GET /depots/${name}/stream.mjpeg HTTP/1.1\r\nHost: ${served.url.host}\r\n\r\n`);
    await new Promise((resolve) => stream.once("data", resolve));
    const itsPeers = () => depot.stats().peers.filter(({ pid }) => pid === served.pid).length;
    assertEquals(itsPeers() > 0, true);
    const ended = await served.end(signal);
    assertEquals([ended.code, itsPeers()], [code, 0], ended.errors);
    assertEquals(await live.ending(), 1001);
  }
});

depotTest("serve prints the address alone, or an object", async () => {
  await using cli = new Cli(["serve", "--port", "0"]);
  await cli.shows("\n");
  const address = new URL(cli.out.trim());
  assertEquals([address.protocol, address.hostname, address.hash], ["http:", "127.0.0.1", ""]);
  assertEquals((await fetch(new URL("healthz", address))).status, 200);
  process.kill(cli.child.pid!, "SIGTERM");
  assertEquals((await cli.answer()).code, TERMINATED);
  await using served = await Served.start(["--token", "a-token-of-tests-0123"]);
  const { out } = await served.end();
  const { url, host, port, token, pid } = JSON.parse(out);
  assertEquals(url, `http://127.0.0.1:${port}/#token=a-token-of-tests-0123`);
  assertEquals([host, token, pid], ["127.0.0.1", "a-token-of-tests-0123", served.pid]);
});

depotTest("serve says what helps where it cannot listen", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  try {
    const inUse = await runCli(["serve", "--port", String(port)]);
    assertEquals([inUse.code, inUse.out], [5, ""]);
    assertStringIncludes(
      inUse.errors,
      `cannot listen on 127.0.0.1, port ${port}: another process listens there; --port 0 takes a free port`,
    );
  } finally {
    taken.close();
  }
  const elsewhere = await runCli(["serve", "--port", "0", "--host", "192.0.2.1"]);
  assertEquals(elsewhere.code, 5);
  assertStringIncludes(elsewhere.errors, "this machine has no such address");
  const WRONG = [
    ...[["--port", "65536"], ["--port", "x"], ["--quality", "0"], ["--rate", "0"], ["--max-clients", "0"]],
    ...[["--codec", "av1"], ["--allow-host", "https://cams.example/"], ["a/name"]],
  ];
  for (const wrong of WRONG) {
    assertEquals((await runCli(["serve", ...wrong])).code, 2, wrong.join(" "));
  }
});

depotTest("serve --codec h264 without ffmpeg is refused", async () => {
  const { code, errors } = await runCli(["serve", "--port", "0", "--codec", "h264"], { env: { PATH: "/nowhere" } });
  assertEquals(code, 5);
  assertStringIncludes(errors, "cannot run ffmpeg");
});

depotTest("serve shows a depot until it has gone, and leaves it when all others have", async (name) => {
  await using served = await Served.start([]);
  const live = await served.live();
  const depot = await FramesDepot.create(name, SHAPE);
  try {
    live.show(name);
    await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
    await live.picture(() => true);
    live.say({ type: "detail", name });
    await live.said("detail", ({ range }) => range?.[1] === 1);
    // Once its rates are known it is remembered: a depot that was there for less than a second is not shown as gone.
    await live.said(
      "depots",
      ({ depots }) =>
        depots.some((each: { name: string; framesPerSecond?: number }) =>
          each.name === name && typeof each.framesPerSecond === "number"
        ),
    );
    depot.end();
    await live.said(
      "depots",
      ({ depots }) =>
        depots.some((each: { name: string; state: string }) => each.name === name && each.state === "ended"),
    );
  } finally {
    await depot.close();
  }
  await live.said("gone", ({ why }) => why === `all other processes have left depot "${name}"`);
  await eventually(() => FramesDepot.inspect(name) === undefined);
  await live.said(
    "depots",
    ({ depots }) => depots.some((each: { name: string; state: string }) => each.name === name && each.state === "gone"),
  );
  await live.said("detail", ({ missing }) => missing !== undefined);
});

depotTest("serve stays in a depot while a client changes the size of its picture", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "drop" });
  await using served = await Served.start([]);
  const live = await served.live();
  live.show(name, { width: 160 });
  await eventually(() => depot.stats().peers.some(({ pid }) => pid === served.pid));
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await live.picture(({ number }) => number === 1);
  const entry = () => depot.stats().peers.find(({ pid }) => pid === served.pid)!.joinedMs;
  const joined = entry();
  for (const width of [64, 320, 640]) {
    const before = live.pictures.length;
    live.show(name, { width });
    await live.until(() => live.pictures.length > before || undefined);
    assertEquals(entry(), joined);
  }
});

depotTest("serve goes on with what replaces a depot", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await using served = await Served.start([]);
  const live = await served.live();
  live.show(name, { width: 160 });
  await depot.enqueue({ frameNumber: 1, frame: colored(1, 64, 48) });
  await live.picture(({ number }) => number === 1);
  await using next = await FramesDepot.create(name, {
    ...SHAPE,
    frameSize: [32, 16, 1],
    pixelFormat: "gray",
    replace: true,
  });
  await next.enqueue({ frameNumber: 2, frame: new Uint8Array(32 * 16).fill(99) });
  const { header } = await live.picture(({ number }) => number === 2);
  assertEquals([header.fullWidth, header.fullHeight, header.width, header.id], [32, 16, 32, next.id]);
  await eventually(() => depot.stats().peers.every(({ pid }) => pid !== served.pid));
});
