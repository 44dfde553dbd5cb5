/**
 * The page of `frames-depot serve --codec h264`: what the browser decodes is the frame that it names.
 */
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { FramesDepot } from "../mod.ts";
import { browserTest, Server, tileOf } from "./support/chromium.ts";
import { skip, STARTED } from "./support/harness.ts";
import { Camera } from "./support/numbered.ts";

const SIZE = { width: 640, height: 360 };

for (const runtime of STARTED) {
  browserTest(`serve sends H.264, which the page draws frame by frame (${runtime})`, async ({ name, open }) => {
    if (spawnSync("ffmpeg", ["-version"]).status !== 0) return skip("no ffmpeg here");
    const shape = { frameSize: [640, 360, 3] as [number, number, number], pixelFormat: "rgb24", maxSize: 8 };
    await using depot = await FramesDepot.create(name, { ...shape, whenFull: "overwrite" });
    await using camera = new Camera(depot, SIZE, 15);
    await using server = await Server.start([name, "--port", "0", "--codec", "h264"], runtime);
    const sheet = await open(new URL(`#/${name}`, server.address).href);
    await sheet.draws(".player", 20);
    for (let look = 0; look < 5; look++) {
      const { said, seen } = await sheet.drawn(".player");
      assertEquals(seen, said);
      await sheet.draws(".player", said + 1);
    }
    assertEquals(await sheet.codec(".player"), "h264");
    // A stored frame comes as a JPEG, and the stream goes on after it.
    await sheet.page.keyboard.press("Space");
    await sheet.says("Go on");
    await sheet.page.keyboard.press("Space");
    await sheet.draws(".player", camera.number);
    // So it does in another size.
    await sheet.page.keyboard.press("Escape");
    await sheet.draws(tileOf(name), camera.number);
    const { said, seen, width } = await sheet.drawn(tileOf(name));
    assertEquals(seen, said);
    assert(width < SIZE.width, `${width}`);
    sheet.assertClean();
  });
}
