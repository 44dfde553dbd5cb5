/**
 * The commands that move video with several versions of ffmpeg: a few cases of `deno task video-matrix`, and a source
 * that changes. A version that cannot be had is named, and its test passes.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ffmpegs, type FoundFfmpeg, pathTo } from "../tools/support/ffmpegs.ts";
import { casesOf } from "../tools/video_matrix/cases.ts";
import { check } from "../tools/video_matrix/check.ts";
import { alone } from "../tools/video_matrix/commands.ts";
import { depotTest, HERE, RUNTIMES, skip } from "./support/harness.ts";
import { move, moveBoth, sameBytes } from "./support/video.ts";

/** A test with one version; a while is granted for its installation. */
function versionTest(title: string, body: (found: FoundFfmpeg, folder: string, name: string) => Promise<void>): void {
  for (const from of ["the PATH", "PyPI", "npm"]) {
    depotTest(`${title}: ffmpeg of ${from}`, async (name) => {
      const found = ffmpegs().find((each) => each.from.startsWith(from))!;
      if ("missing" in found) return skip(`ffmpeg of ${found.from}: ${found.missing}`);
      console.log(`ffmpeg ${found.version} of ${found.from}`);
      const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
      try {
        await body(found, folder, name);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }, { watchdogMs: 300_000 }); // a version may have to be installed first
  }
}

versionTest("write, read, record, replay and grab are as ffmpeg alone", async (found, folder) => {
  const chosen = ["uneven times", "59.94 frames a second", "odd sizes"];
  const cases = casesOf(["rgb24", "nv12", "yuv420p10le"]).filter(({ name, format }) =>
    name === format || chosen.includes(name)
  );
  assertEquals(cases.length, 6);
  const path = pathTo(folder, found);
  for (const [i, each] of cases.entries()) {
    const runtime = i % 2 === 0 ? HERE : RUNTIMES.find((other) => other !== HERE)!;
    assertEquals(await check({ runtime, path, ffmpeg: found }, each, folder), [], each.name);
  }
});

versionTest("write goes on where a source changes", async (found, folder, name) => {
  const parts = [["64x48", "bt709"], ["128x96", "bt470bg"]].map(([size, matrix], i) => {
    const part = join(folder, `${i}.ts`);
    const picture = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25`, "-frames:v", "9", "-pix_fmt", "yuv420p"];
    alone(found, [...picture, "-colorspace", matrix, "-c:v", "mpeg2video", "-f", "mpegts", part]);
    return part;
  });
  const clip = join(folder, "change.ts");
  alone(found, ["-i", `concat:${parts.join("|")}`, "-c", "copy", "-f", "mpegts", clip]);
  const path = pathTo(folder, found);
  const expected = alone(found, ["-i", clip, "-vf", "scale=64:48", ...found.passthrough, "-f", "rawvideo", "-"]);
  const [scaled, read] = await moveBoth([["write", name, "--input", clip, "--size", "64x48"], { path }], [
    ["read", name],
  ]);
  assertEquals([scaled.code, read.code], [0, 0], scaled.errors + read.errors);
  assert(sameBytes(read.out, expected), `${read.out.length} bytes, not ${expected.length}`);
  const refused = await move(["write", name, "--input", clip, "--when-full", "overwrite"], { path });
  assertEquals(refused.code, 1, refused.errors);
  assertStringIncludes(refused.errors, "--size 64x48 converts all frames to one size");
  const task = ["write", name, "--input", clip, "--follow-format"];
  if (!new TextDecoder().decode(alone(found, ["-h", "full"])).includes("-autoscale")) {
    const old = await move(task, { path });
    assertEquals(old.code, 5, old.errors);
    return assertStringIncludes(old.errors, `--follow-format needs ffmpeg 4.4 or newer, and this is ${found.version}`);
  }
  const [followed, recorded] = await moveBoth([task, { path }], [
    ["record", name, join(folder, "out.fdr"), "--follow-format", "--json"],
  ]);
  assertEquals([followed.code, recorded.code], [0, 0], followed.errors + recorded.errors);
  const files = new TextDecoder().decode(recorded.out).trim().split("\n").map((line) => JSON.parse(line).frames);
  assertEquals([files.length, files[0] + files[1]], [2, expected.length / (64 * 48 * 1.5)]);
});
