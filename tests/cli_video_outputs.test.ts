/**
 * What `read --output` makes of an extension: sizes that its usual encoder takes, times that it takes, and a refusal
 * before a frame is taken where it takes neither.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot, PIXEL_FORMATS } from "../mod.ts";
import { cliCommand } from "./support/cli.ts";
import { pathWith } from "./support/fake_ffmpeg.ts";
import { skip, STARTED } from "./support/harness.ts";
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

/** A depot with a frame at each of these times. */
async function framesAt(name: string, timesNs: number[], [width, height] = [32, 16]): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, { frameSize: [width, height], pixelFormat: "yuv420p", maxSize: 16 });
  const frame = new Uint8Array(depot.frameBytes);
  for (const timeNs of timesNs) await depot.enqueue({ frame, timestampNs: Math.round(timeNs) });
  return depot;
}

for (const runtime of STARTED) {
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

videoTest("read --output leaves no frame out where a file has one rate", async ({ another, folder }) => {
  const frames = [0, 1, 5, 7, 10, 11, 14, 15, 20, 21, 25, 28]; // of 30 a second
  const made = [["ts", "12 frames"], ["avi", "12 frames"], ["gif", "12 frames"], ["mpg", "31 frames (12 read)"]];
  for (const [extension, counted] of made) {
    await using depot = await framesAt(another(), frames.map((n) => n * 1e9 / 30));
    const output = join(folder, `out.${extension}`);
    const { code, errors, out } = await move(["read", depot.name, "--output", output, "--frames", "12"]);
    assertEquals([code, errors], [0, ""], extension);
    assertEquals(new TextDecoder().decode(out), `${output}: ${counted}, 0 lost\n`);
    assertEquals(probe(output, "packet=pos").split("\n").filter(Boolean).length, parseInt(counted), extension);
  }
});

videoTest(
  "read --output takes a usual rate where the encoder does not take the frames' own",
  async ({ name, folder }) => {
    await using depot = await framesAt(name, Array.from({ length: 12 }, (_, n) => n * 1e9 / 12));
    const output = join(folder, "out.mpg"); // MPEG-1 has no 12 frames a second
    const { code, errors } = await move(["read", depot.name, "--output", output, "--frames", "12"]);
    assertEquals([code, errors], [0, ""]);
    assertEquals(probe(output, "stream=r_frame_rate"), "24/1");
  },
);

videoTest("read --output says what a limit on file sizes has cut off", async ({ name, folder }) => {
  if (process.platform !== "linux") return skip("needs Linux");
  await using depot = await framesAt(name, Array.from({ length: 12 }, (_, n) => n * 1e9 / 25), [800, 600]);
  const output = join(folder, "out.nut");
  const read = ["read", depot.name, "--output", output, "--frames", "12", "--ffmpeg", "-c:v rawvideo"];
  const limited = ["-c", 'ulimit -f 4000; exec "$@"', "sh", ...cliCommand("bun"), ...read]; // of 512 or 1024 bytes; caches of Deno are larger
  const { status, stdout, stderr } = spawnSync("sh", limited, { encoding: "utf8" });
  assertEquals(status, 5, stderr);
  assertStringIncludes(stderr, "error: ffmpeg failed: it reached the limit of file sizes; `ulimit -f` shows");
  assertMatch(stdout, /out\.nut: not whole; \d+ frames read, 0 lost\n$/);
});

videoTest("read --output leaves no empty file of an encoder that fails", async ({ name, folder }) => {
  await using depot = await framesAt(name, Array.from({ length: 12 }, (_, n) => n * 1e9 / 25));
  const output = join(folder, "out.mkv");
  const isTrial = 'case "$*" in *.frames-depot-*|*-pix_fmts*) exec "$REAL" "$@";; esac';
  const path = pathWith(folder, `${isTrial}; for last; do :; done; : > "$last"; cat > "$last.seen"; exit 1`);
  const { code, errors, out } = await move(["read", depot.name, "--output", output, "--frames", "12"], { path });
  assertEquals([code, existsSync(output), existsSync(`${output}.seen`)], [5, false, true], errors);
  assertStringIncludes(new TextDecoder().decode(out), "out.mkv: not whole; 12 frames read, 0 lost\n");
});

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
