/**
 * `frames-depot serve`: its JSON, which depots it has, and when it joins them.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { FramesDepot } from "../mod.ts";
import { runCli } from "./support/cli.ts";
import { depotTest } from "./support/harness.ts";
import { colored, eventually, Served } from "./support/serve_scene.ts";

const [WIDTH, HEIGHT] = [64, 48];
const SHAPE = { frameSize: [WIDTH, HEIGHT, 3], pixelFormat: "rgb24", maxSize: 4, whenFull: "overwrite" } as const;

async function fill(depot: FramesDepot, numbers: readonly number[]): Promise<void> {
  for (const frameNumber of numbers) await depot.enqueue({ frameNumber, frame: colored(frameNumber, WIDTH, HEIGHT) });
}

depotTest("serve's api is what ls and stat print as JSON", async (name, another) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await using _other = await FramesDepot.create(another(), SHAPE);
  await fill(depot, [1, 2]);
  await using served = await Served.start([name]);
  assertEquals(await served.json("healthz"), { status: "ok" });
  const listed = JSON.parse((await runCli(["ls", "--json"])).out).filter((each: { name: string }) =>
    each.name === name
  );
  assertEquals(await served.json("api/depots"), listed);
  const { rates: _1, ...stat } = await served.json(`api/depots/${name}`);
  const { rates: _2, ...printed } = JSON.parse((await runCli(["stat", name, "--json"])).out);
  assertEquals(stat, printed);
  assertEquals((await served.get(`api/depots/${name}-not`)).status, 404);
});

depotTest("serve has only the depots that it is told, also those that come later", async (name, another) => {
  await using _first = await FramesDepot.create(name, SHAPE);
  const later = another();
  await using served = await Served.start([later]);
  assertEquals(await served.json("api/depots"), []);
  for (const path of [`depots/${name}/latest.jpg`, `depots/${name}/stream.mjpeg`, `api/depots/${name}`]) {
    assertEquals((await served.get(path)).status, 404, path);
  }
  await using depot = await FramesDepot.create(later, SHAPE);
  await fill(depot, [1]);
  const depots = await served.json("api/depots");
  assertEquals(depots.map((each: { name: string }) => each.name), [later]);
  assertEquals((await served.get(`depots/${later}/latest.jpg`)).status, 200);
});

depotTest("serve joins a depot only while a client looks, and no producer waits for it", async (name) => {
  await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait" });
  const reader = depot.frames();
  await using served = await Served.start([]);
  await served.json(`api/depots/${name}`);
  const itsPeers = () => depot.stats().peers.filter(({ pid }) => pid === served.pid);
  assertEquals(itsPeers(), []);
  const live = await served.live();
  live.shows = false; // two pictures, and no more
  live.show(name);
  for (let number = 0; number < 40; number++) {
    await fill(depot, [number]);
    using frame = await reader.within(60_000);
    assertEquals(frame?.frameNumber, number);
    if (number === 1) await live.until(() => live.pictures[0]);
  }
  const peers = itsPeers();
  assertEquals(peers.length, 1);
  for (const { gating } of peers[0].readers) assertEquals(gating, false);
  live.say({ type: "hide", channel: 1 });
  await eventually(() => itsPeers().length === 0);
});

depotTest(
  "serve keeps a depot that drops going while a client watches, and changes nothing otherwise",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "drop" });
    await fill(depot, [0, 1, 2, 3, 4]);
    await using served = await Served.start([]);
    for (const path of ["api/depots", "metrics", `depots/${name}/latest.jpg`, `depots/${name}/frames/0.png`]) {
      assertEquals((await served.get(path)).status, 200);
    }
    await fill(depot, [5]);
    assertEquals(depot.droppedFrames, 2); // 4 and 5: the first four are kept for a first reader
    const live = await served.live();
    live.show(name);
    await live.picture(({ number }) => number === 3);
    await fill(depot, [6, 7]);
    await live.picture(({ number }) => number === 7);
    assertEquals(depot.droppedFrames, 2);
    using reader = depot.frames();
    using first = reader.tryNext();
    assertEquals(first?.frameNumber, 2);
  },
);

depotTest("serve has the files of its page, and no others", async () => {
  await using served = await Served.start([]);
  const page = await served.get("");
  assertEquals([page.status, page.headers["content-type"]], [200, "text/html; charset=utf-8"]);
  assertEquals(page.bytes, new Uint8Array(readFileSync(new URL("../cli/serve/page/index.html", import.meta.url))));
  assertStringIncludes(String(page.headers["content-security-policy"]), "default-src 'none'; script-src 'self'");
  assertEquals(page.headers["x-content-type-options"], "nosniff");
  for (
    const path of ["page/../routes.ts", "page/..%2froutes.ts", "page/%2e%2e/routes.ts", "page/deno.json", "page/", "x"]
  ) {
    assertEquals((await served.get(path)).status, 404, path);
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const { status, headers } = await served.get("api/depots", {}, method);
    assertEquals([status, headers.allow], [405, "GET, HEAD"], method);
  }
  const head = await served.get("healthz", {}, "HEAD");
  assertEquals([head.status, head.bytes.length], [200, 0]);
});
