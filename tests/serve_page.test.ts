/**
 * The page of `frames-depot serve` in a real browser, against the command in every runtime: the pixels that it draws
 * are those of the frames that it names.
 */
import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { type DepotOptions, FramesDepot } from "../mod.ts";
import { browserTest, Server, tileOf } from "./support/chromium.ts";
import { STARTED } from "./support/harness.ts";
import { Camera, paint } from "./support/numbered.ts";
import { decoded, fileOf, sameBytes } from "./support/video.ts";
import { tmpdir } from "node:os";

const SIZE = { width: 320, height: 180 };
const SHAPE: DepotOptions = { frameSize: [320, 180, 3], pixelFormat: "rgb24", maxSize: 8, whenFull: "overwrite" };

for (const runtime of STARTED) {
  browserTest(`serve shows every depot by its newest frame (${runtime})`, async ({ name, another, open }) => {
    const second = another();
    await using depot = await FramesDepot.create(name, SHAPE);
    await using camera = new Camera(depot, SIZE, 15);
    await using server = await Server.start([name, second, "--port", "0"], runtime);
    const sheet = await open(server.address);
    await sheet.draws(tileOf(name), 10);
    for (let look = 0; look < 5; look++) {
      const { said, seen } = await sheet.drawn(tileOf(name));
      assertEquals(seen, said);
      await sheet.draws(tileOf(name), said + 1);
    }
    const text = await sheet.page.textContent(tileOf(name)) ?? "";
    for (const expected of [name, "320×180×3", "rgb24", "live"]) assert(text.includes(expected), text);

    // Another depot appears, has another format after it was replaced, and goes.
    {
      await using early = await FramesDepot.create(second, { ...SHAPE, frameSize: [160, 120, 3] });
      const slot = await early.claim({ frameNumber: 5 });
      paint(slot!.data as Uint8Array, { width: 160, height: 120 }, 5);
      slot!.publish();
      await sheet.draws(tileOf(second), 5);
      assertEquals((await sheet.drawn(tileOf(second))).seen, 5);
    }
    {
      await using late = await FramesDepot.create(second, { ...SHAPE, frameSize: [120, 160, 4], pixelFormat: "rgba" });
      const filming = new Camera(late, { width: 120, height: 160 }, 15);
      await sheet.draws(tileOf(second), 10);
      const { said, seen, width, height } = await sheet.drawn(tileOf(second));
      assertEquals(seen, said);
      assert(width < height, `${width}×${height}`);
      await sheet.says("120×160×4 rgba");
      await filming.stop();
      late.end();
      await sheet.says("ended: it takes no more frames");
    }
    await sheet.page.waitForSelector(tileOf(second), { state: "hidden" });
    await sheet.draws(tileOf(name), camera.number);
    sheet.assertClean();
  });

  browserTest(`serve shows one depot in full, pauses, steps and saves (${runtime})`, async ({ name, open }) => {
    await using depot = await FramesDepot.create(name, SHAPE);
    const camera = new Camera(depot, SIZE, 15);
    await using server = await Server.start([name, "--port", "0"], runtime);
    const sheet = await open(server.address);
    const { page } = sheet;
    try {
      await sheet.draws(tileOf(name), 10);
      await page.click(`${tileOf(name)} a`);
      await sheet.draws(".player", 20);
      assertEquals(new URL(page.url()).hash, `#/${name}`);
      await sheet.says("delay");
      await sheet.says("this page");
    } finally {
      await camera.stop();
    }
    // The camera stands still, so its last frames stay where they are.
    await sheet.draws(".player", camera.number);
    await page.keyboard.press("Space");
    await sheet.says("Go on");
    for (let back = 1; back <= 3; back++) {
      await page.keyboard.press("ArrowLeft");
      await sheet.shows(".player", camera.number - back);
      const { said, seen } = await sheet.drawn(".player");
      assertEquals(seen, said);
    }
    await page.keyboard.press("ArrowRight");
    await sheet.shows(".player", camera.number - 2);
    await sheet.says(`frame\n${camera.number - 2}\n`);

    const download = page.waitForEvent("download");
    await page.keyboard.press("s");
    const saved = await download;
    assertEquals(saved.suggestedFilename(), `${name}-${camera.number - 2}.png`);
    const expected = new Uint8Array(SIZE.width * SIZE.height * 3);
    paint(expected, SIZE, camera.number - 2);
    const png = fileOf(tmpdir(), `${name}.png`, new Uint8Array(readFileSync(await saved.path())));
    assert(sameBytes(decoded(png, ["-pix_fmt", "rgb24"]), expected), "the PNG has every pixel of the frame");

    // The newest frame comes again. Where the camera has gone on, pictures that were drawn can be stepped through.
    await page.keyboard.press("Space");
    await sheet.shows(".player", camera.number);
    await using again = new Camera(depot, SIZE, 15, camera.number + 1);
    await sheet.draws(".player", camera.number + 10);
    await page.keyboard.press("Space");
    await sheet.says("Go on");
    // A picture that was under way is drawn, too.
    for (const { said } = await sheet.drawn(".player"); again.number < said + 20;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const paused = await sheet.drawn(".player");
    await page.keyboard.press("ArrowLeft");
    await sheet.says("the page remembers its picture");
    await sheet.showsBefore(".player", paused.said); // it is decoded first
    const before = await sheet.drawn(".player");
    assertEquals(before.seen, before.said);

    await page.keyboard.press("Escape");
    await page.waitForSelector(tileOf(name));
    assertEquals(await sheet.focused(), name);
    await page.goBack();
    await page.waitForSelector(".player");
    sheet.assertClean();
  });
}
