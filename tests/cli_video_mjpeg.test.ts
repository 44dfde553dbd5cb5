/**
 * `write --format mjpeg`: JPEG pictures of varying length in a depot, and what other commands make of them.
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { test } from "node:test";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { jpegLength } from "../cli/video/jpeg_length.ts";
import { FramesDepot } from "../mod.ts";
import { STARTED } from "./support/harness.ts";
import {
  decoded,
  ffmpeg,
  makeClip,
  move,
  moveBoth,
  OTHER,
  sameBytes,
  VideoCommand,
  videoTest,
} from "./support/video.ts";

const COUNT = 30;

for (const runtime of STARTED) {
  videoTest(`write --format mjpeg stores a picture for each frame, with its time (${runtime})`, async (scene) => {
    const { name, folder } = scene;
    const clip = makeClip(folder, { frames: COUNT });
    const written = move(["write", name, "--input", clip, "--format", "mjpeg"], { runtime });
    const pictures: Uint8Array[] = [], times: bigint[] = [];
    const follower = FramesDepot.follow<"uint8">(name, { timeoutMs: 60_000, whenEnded: "end" });
    for await (const frame of follower) {
      assertEquals([frame.pixelFormat, frame.width, frame.height], ["mjpeg", 160, 120]);
      assertEquals([...frame.data.subarray(0, 2), ...frame.data.subarray(-2)], [0xff, 0xd8, 0xff, 0xd9]);
      pictures.push(frame.copy());
      times.push(frame.timestampNs);
    }
    const { code, errors } = await written;
    assertEquals([code, follower.ended, pictures.length], [0, "ended", COUNT], errors);
    assertEquals(times, Array.from({ length: COUNT }, (_, n) => BigInt(n) * 40_000_000n));
    assert(new Set(pictures.map(({ length }) => length)).size > 1, "lengths vary");
    // What was stored is what ffmpeg alone makes of the clip.
    const alone = ["-i", clip, "-vf", "format=yuvj420p", "-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg", "-"];
    assert(sameBytes(Buffer.concat(pictures), ffmpeg(alone)));
  });
}

videoTest(
  "write --format mjpeg: read, record, replay and grab take such a depot",
  async ({ name, another, folder }) => {
    const clip = makeClip(folder, { frames: COUNT });
    const write = (to: string) => ["write", to, "--input", clip, "--format", "mjpeg"];
    const film = join(folder, "film.mp4"), recording = join(folder, "clip.fdr"), picture = join(folder, "frame.png");
    const [, read] = await moveBoth([write(name)], [["read", name, "--output", film], { runtime: OTHER }]);
    assertEquals([read.code, decoded(film).length], [0, COUNT * 160 * 120 * 1.5], read.errors);
    const next = another();
    const [, recorded] = await moveBoth([write(next)], [["record", next, recording, "--json"], { runtime: OTHER }]);
    assertEquals(
      [recorded.code, JSON.parse(new TextDecoder().decode(recorded.out)).frames],
      [0, COUNT],
      recorded.errors,
    );
    const last = another();
    await using replay = new VideoCommand(["replay", recording, last, "--when-full", "overwrite"]);
    const grabbed = await move(["grab", last, picture, "--timeout", "60"]);
    replay.child.kill("SIGTERM");
    assertEquals(grabbed.code, 0, grabbed.errors);
    assertEquals(decoded(picture).length, 160 * 120 * 3);
  },
);

videoTest("write --format mjpeg --follow-format goes on where the size changes", async ({ name, folder }) => {
  const parts = ["64x48", "128x96"].map((size, i) => {
    const part = join(folder, `${i}.ts`);
    const picture = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25`, "-frames:v", "9", "-pix_fmt", "yuv420p"];
    ffmpeg([...picture, "-c:v", "mpeg2video", "-f", "mpegts", part]);
    return part;
  });
  const clip = join(folder, "change.ts");
  ffmpeg(["-i", `concat:${parts.join("|")}`, "-c", "copy", "-f", "mpegts", clip]);
  const refused = await move(["write", `${name}-x`, "--input", clip, "--format", "mjpeg", "--when-full", "overwrite"]);
  assertEquals(refused.code, 1, refused.errors);
  assertStringIncludes(refused.errors, "its size is 128x96");
  const written = move(["write", name, "--input", clip, "--format", "mjpeg", "--follow-format"]);
  const widths = new Map<number, number>();
  for await (const { width } of FramesDepot.follow(name, { timeoutMs: 60_000, whenEnded: "end" })) {
    widths.set(width, (widths.get(width) ?? 0) + 1);
  }
  assertEquals((await written).code, 0);
  assertEquals([...widths.keys()], [64, 128]);
  assertEquals([...widths.values()].reduce((one, other) => one + other), 17);
});

test("jpegLength finds the end of a picture, and says of other bytes that they are none", () => {
  const picture = [
    0xff,
    0xd8,
    0xff,
    0xe0,
    0,
    4,
    0xff,
    0xd9,
    0xff,
    0xda,
    0,
    3,
    1,
    5,
    0xff,
    0,
    0xff,
    0xd1,
    6,
    0xff,
    0xd9,
  ];
  const bytes = Uint8Array.from([...picture, 0xff, 0xd8, 0xff]);
  assertEquals(jpegLength(bytes), picture.length);
  for (let length = 0; length < picture.length; length++) {
    assertEquals(jpegLength(bytes.subarray(0, length)), undefined);
  }
  assertThrows(() => jpegLength(Uint8Array.of(0xff, 0xd8, 1, 2, 3, 4)), RangeError, "no JPEG");
});
