/**
 * What `read --output` makes of an extension: sizes that its usual encoder takes, times that it takes, and a refusal
 * before a frame is taken where it takes neither.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { FramesDepot, PIXEL_FORMATS } from "../mod.ts";
import { RUNTIMES } from "./support/harness.ts";
import { move, rawFrame, videoTest } from "./support/video.ts";

/** What ffprobe says of the picture of a file. */
function probe(path: string, entries: string): string {
  const task = ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0", path];
  return spawnSync("ffprobe", task, { encoding: "utf8" }).stdout.trim();
}

/** A depot with a few frames of 33x17. @param intervalNs from frame to frame */
async function oddDepot(name: string, pixelFormat: string, frames: number, intervalNs: number): Promise<FramesDepot> {
  const { channels, elementType } = PIXEL_FORMATS.get(pixelFormat)!;
  const depot = await FramesDepot.create(name, {
    frameSize: [33, 17, channels],
    elementType,
    pixelFormat,
    maxSize: 16,
  });
  const frame = rawFrame(pixelFormat, 33, 17);
  for (let n = 0; n < frames; n++) await depot.enqueue({ frame, timestampNs: Math.round(n * intervalNs) });
  return depot;
}

for (const runtime of RUNTIMES) {
  videoTest(`read --output makes files of odd sizes, whatever their extension (${runtime})`, async (scene) => {
    const { another, folder } = scene;
    for (const [extension, even] of [["mkv", true], ["avi", false], ["nut", false], ["ts", false], ["webm", true]]) {
      await using depot = await oddDepot(another(), "yuv420p", 10, 1e9 / 25);
      const output = join(folder, `out.${extension}`);
      const { code, errors } = await move(["read", depot.name, "--output", output, "--frames", "10"], { runtime });
      assertEquals([code, errors], [0, ""], String(extension));
      const [width, height] = probe(output, "stream=width,height").split("\n")[0].split(",").map(Number);
      assert(even ? width === 34 && height === 18 : width >= 33 && height >= 17, `${extension}: ${width}x${height}`);
    }
  });

  videoTest(`read --output .nut keeps the times of frames as well as its encoder can (${runtime})`, async (scene) => {
    const { another, folder } = scene;
    for (const [i, intervalNs] of [1001e9 / 30_000, 1001e9 / 24_000, 1e9 / 7].entries()) {
      await using depot = await oddDepot(another(), "yuv420p", 10, intervalNs);
      const output = join(folder, `${i}.nut`);
      const { code, errors } = await move(["read", depot.name, "--output", output, "--frames", "10"], { runtime });
      assertEquals([code, errors], [0, ""]);
      const times = probe(output, "packet=pts_time").split("\n").map(parseFloat).sort((a, b) => a - b);
      assertEquals(times.length, 10);
      times.forEach((time, n) => assert(Math.abs(time - n * intervalNs / 1e9) < 0.00002, `${i}: ${n} is at ${time}`));
    }
  });
}

videoTest("read --output takes no frame where a file has room for one and more may come", async ({ name, folder }) => {
  await using depot = await oddDepot(name, "rgb24", 3, 4e7);
  const output = join(folder, "out.png");
  const { code, errors } = await move(["read", name, "--output", output]);
  assertEquals(code, 1, errors);
  assertStringIncludes(errors, "ffmpeg failed");
  assertEquals([depot.length, readdirSync(folder)], [3, []]);
  const one = await move(["read", name, "--output", output, "--frames", "1"]);
  assertEquals([one.code, one.errors, probe(output, "stream=width,height")], [0, "", "33,17"]);
});
