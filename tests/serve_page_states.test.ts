/**
 * The states of the page of `frames-depot serve`: without depots, without its server, without its token, narrow, dark,
 * and with names that look like HTML. A picture of each is kept.
 */
import { assert, assertEquals } from "@std/assert";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import type { PageDocument } from "../tools/support/chromium.ts";
import { browserTest, Server, type Sheet, tileOf } from "./support/chromium.ts";
import { Camera, paint } from "./support/numbered.ts";

declare const document: PageDocument;

const SIZE = { width: 320, height: 180 };
const SHAPE: DepotOptions = { frameSize: [320, 180, 3], pixelFormat: "rgb24", maxSize: 8, whenFull: "overwrite" };
const PHONE = { width: 390, height: 844 };

/** A depot with one numbered frame. */
async function still(name: string, number: number, options: DepotOptions = {}): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { ...SHAPE, ...options });
  using slot = await depot.claim({ frameNumber: number });
  paint(slot!.data as Uint8Array, SIZE, number);
  slot!.publish();
  return depot;
}

browserTest("serve without depots says what to run, and shows the first one by itself", async ({ name, open }) => {
  await using server = await Server.start([name, "--port", "0"]);
  const sheet = await open(server.address);
  await sheet.says(`Waiting for ${name}`);
  await sheet.says(`frames-depot write ${name} --input clip.mp4`);
  await sheet.keep("empty");
  await using _depot = await still(name, 3);
  await sheet.shows(tileOf(name), 3);
  assert(!(await sheet.text()).includes("frames-depot write"));
  sheet.assertClean();
});

browserTest("serve shows which reader is slow, what has ended, and what it cannot show", async (scene) => {
  const { name, another, open } = scene;
  const [full, ended, hostile, depth] = [another(), another(), another(), another()];
  await using depot = await FramesDepot.create(name, SHAPE);
  await using _camera = new Camera(depot, SIZE, 15);
  await using fullDepot = await still(full, 9, { whenFull: "drop", maxSize: 4 });
  const slow = fullDepot.frames({ mode: "lossless" });
  await slow.next();
  for (let number = 10; number < 20; number++) {
    const frame = new Uint8Array(SIZE.width * SIZE.height * 3);
    paint(frame, SIZE, number);
    await fullDepot.enqueue({ frameNumber: number, frame });
  }
  await using endedDepot = await still(ended, 21);
  endedDepot.end();
  await using group = await still(hostile, 22);
  const member = group.frames({ group: '<img src=x onerror="alert(1)">' });
  await member.next();
  await using floats = await FramesDepot.create(depth, { frameSize: [64, 48, 7], elementType: "float32" });
  await floats.enqueue({ frame: new Float32Array(64 * 48 * 7) });
  try {
    await using server = await Server.start([name, full, ended, hostile, depth, "--port", "0"]);
    for (const colorScheme of ["light", "dark"] as const) {
      const sheet = await open(server.address, { colorScheme });
      await sheet.draws(tileOf(name), 1);
      await sheet.shows(tileOf(ended), 21);
      await sheet.says("holds the queue up");
      await sheet.says("ended: it takes no more frames");
      await sheet.keep(`overview_${colorScheme}`);
      await sheet.page.click(`${tileOf(full)} a`);
      await sheet.says("the new frame is dropped");
      await sheet.until(() => document.querySelectorAll('.peers tr[data-level="bad"]').length > 0);
      await sheet.draws(".player", 9);
      await sheet.keep(`depot_${colorScheme}`);
      await sheet.page.goto(new URL(`#/${hostile}`, server.address).href);
      await sheet.says('"<img src=x onerror=\\"alert(1)\\">"');
      assertEquals(await sheet.page.evaluate(() => document.querySelectorAll("img").length), 0);
      sheet.assertClean();
    }
    const phone = await open(server.address, { viewport: PHONE, deviceScaleFactor: 2 });
    await phone.draws(tileOf(name), 1);
    await phone.draws(tileOf(full), 9);
    await phone.keep("phone_overview");
    await phone.page.click(`${tileOf(name)} a`);
    await phone.draws(".player", 1);
    await phone.says("this page");
    const width = await phone.page.evaluate(() => document.querySelector("html")!.scrollWidth);
    assertEquals(width, PHONE.width, "nothing is wider than the window");
    await phone.keep("phone_depot", true);
    phone.assertClean();
  } finally {
    slow.release();
    member.release();
  }
});

browserTest("serve that has gone is missed, and met again when it is back", async ({ name, open }) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  await using camera = new Camera(depot, SIZE, 15);
  let [port, sheet]: [string, Sheet | undefined] = ["0", undefined];
  {
    await using server = await Server.start([name, "--port", port]);
    port = server.port;
    sheet = await open(server.address);
    await sheet.draws(tileOf(name), 1);
  }
  await sheet.says("Disconnected: what is shown is old.");
  await sheet.keep("disconnected");
  await using _server = await Server.start([name, "--port", port]);
  await sheet.draws(tileOf(name), camera.number);
  assert(!(await sheet.text()).includes("Disconnected"));
});

browserTest("serve lets a page in by its token, which leaves the address", async ({ name, open }) => {
  await using _depot = await still(name, 7);
  await using server = await Server.start([name, "--port", "0", "--token", "correct-horse-battery"]);
  const withToken = await open(server.address);
  await withToken.shows(tileOf(name), 7);
  assert(!withToken.page.url().includes("correct"), withToken.page.url());
  withToken.assertClean();

  const without = await open(new URL("/", server.address).href);
  await without.page.waitForSelector("#token");
  await without.keep("token");
  await without.page.fill("#token", "wrong");
  await without.page.click("form button");
  await without.says("that is not the token of this server");
  await without.page.fill("#token", "correct-horse-battery");
  await without.page.click("form button");
  await without.shows(tileOf(name), 7);
});

browserTest("serve sends nothing for a picture that is out of sight", async ({ name, another, open }) => {
  const others = Array.from({ length: 6 }, another);
  await using depot = await FramesDepot.create(name, SHAPE);
  await using camera = new Camera(depot, SIZE, 15);
  await using depots = new AsyncDisposableStack();
  for (const [index, other] of others.entries()) depots.use(await still(other, index));
  await using server = await Server.start([name, ...others, "--port", "0"]);
  const sheet = await open(server.address, { viewport: PHONE });
  await sheet.draws(tileOf(name), 5);
  await sheet.scrollTo(tileOf(others[5]));
  await sheet.shows(tileOf(others[5]), 5);
  const { said, count } = await sheet.drawn(tileOf(name));
  while (camera.number < said + 60) await new Promise((resolve) => setTimeout(resolve, 50));
  const later = (await sheet.drawn(tileOf(name))).count;
  assert(later <= count + 2, `two were under way, and ${later - count} were drawn`);
  await sheet.scrollTo(tileOf(name));
  await sheet.draws(tileOf(name), camera.number);
  sheet.assertClean();
});
