/**
 * What ffmpeg does to `write` and `read`: it is absent, dies, complains and ends as if nothing were, counts its frames
 * anew, or meets a source that changes. None of it hangs, and no frame is taken for an output that does not work.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { existsSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { FramesDepot } from "../mod.ts";
import { pathWith, pathWithout } from "./support/fake_ffmpeg.ts";
import { STARTED } from "./support/harness.ts";
import {
  decoded,
  ffmpeg,
  fileOf,
  makeClip,
  move,
  moveBoth,
  OTHER,
  sameBytes,
  VideoCommand,
  videoTest,
} from "./support/video.ts";

const GRAY = { frameSize: [4, 2, 1] as [number, number, number], pixelFormat: "gray", maxSize: 8 };

/** A depot with frames that wait for a reader. */
async function waiting(name: string, frames = 8): Promise<FramesDepot> {
  const depot = await FramesDepot.create(name, GRAY);
  for (let n = 0; n < frames; n++) {
    await depot.enqueue({ frame: new Uint8Array(8).fill(n), timestampNs: n * 40_000_000 });
  }
  return depot;
}

for (const runtime of STARTED) {
  videoTest(`read --output takes no frame where ffmpeg is not on the PATH (${runtime})`, async ({ name, folder }) => {
    await using depot = await waiting(name);
    const output = join(folder, "out.mkv");
    const { code, errors } = await move(["read", name, "--output", output, "--frames", "8"], {
      runtime,
      path: pathWithout(folder),
    });
    assertEquals(code, 5, errors);
    assertStringIncludes(errors, "cannot run ffmpeg: it is not on the PATH");
    assertEquals(depot.length, 8);
    const written = await move(["write", `${name}-2`, "--input", fileOf(folder, "x.mp4", new Uint8Array(9))], {
      runtime,
      path: pathWithout(folder),
    });
    assertEquals(written.code, 5, written.errors);
  });

  videoTest(`read --output takes no frame where ffmpeg ends at once (${runtime})`, async ({ name, folder }) => {
    await using depot = await waiting(name);
    const output = join(folder, "out.mkv");
    for (
      const [script, reason] of [
        ["echo 'ffmpeg: error while loading shared libraries' >&2; exit 127", "shared libraries"],
        ["kill -9 $$", "it was killed"],
        ['[ "$2" = -pix_fmts ] && exec "$REAL" "$@"; exit 3', "exit code 3"],
      ]
    ) {
      const path = pathWith(folder, script);
      const { code, errors } = await move(["read", name, "--output", output, "--frames", "8"], { runtime, path });
      assertEquals(code, 5, errors);
      assertStringIncludes(errors, reason);
      const written = await move(["write", `${name}-2`, "--input", fileOf(folder, "x.mp4", new Uint8Array(9))], {
        runtime,
        path,
      });
      assertEquals(written.code, 5, written.errors);
    }
    assertEquals([depot.length, existsSync(output)], [8, false]);
  });

  videoTest(`read --output takes no frame for an output that does not work (${runtime})`, async ({ name, folder }) => {
    await using depot = await waiting(name);
    for (
      const [output, options, reason] of [
        ["out.xyz", [], /out\.xyz/],
        ["out.mkv", ["--ffmpeg", "-c:v nosuch"], /nosuch/],
        ["out.mkv", ["--ffmpeg", "-c:v libx264 -profile:v nosuch"], /ffmpeg failed/],
        ["out.mp4", ["--ffmpeg", "-c:v libx264 -preset nosuch"], /ffmpeg failed/],
      ] as const
    ) {
      const task = ["read", name, "--output", join(folder, output), "--frames", "8", ...options];
      const { code, errors } = await move(task, { runtime });
      assertEquals(code, 1, errors);
      assertMatch(errors, reason);
      assertEquals(depot.length, 8);
    }
    assertEquals(readdirSync(folder), []);
  });

  videoTest(`write says what ffmpeg complains of although it exits 0 (${runtime})`, async ({ another, folder }) => {
    const clip = makeClip(folder);
    const fast = join(folder, "fast.mp4");
    ffmpeg(["-i", clip, "-c", "copy", "-movflags", "+faststart", fast]);
    truncateSync(fast, Math.floor(statSync(fast).size * 0.6));
    const alone = decoded(fast);
    for (const [options, expected] of [[[], 1], [["--tolerant"], 0]] as const) {
      const name = another();
      const [written, read] = await moveBoth([["write", name, "--input", fast, "--json", ...options], { runtime }], [
        ["read", name],
      ]);
      assertEquals([written.code, read.code], [expected, 0], written.errors + read.errors);
      assertStringIncludes(written.errors, "partial file");
      assert(sameBytes(read.out, alone));
      const { frames } = JSON.parse(new TextDecoder().decode(written.out));
      assertEquals(frames, alone.length / (160 * 120 * 1.5));
    }
  });
}

videoTest("read --output says what ffmpeg complains of although it exits 0", async ({ another, folder }) => {
  const complaint = `'[mp4 @ 0x5] [error] Error writing trailer of out.mkv: No space left on device'`;
  const path = pathWith(folder, `"$REAL" "$@" || exit; [ "$2" = -pix_fmts ] || echo ${complaint} >&2`);
  for (const [options, expected] of [[[], 1], [["--tolerant"], 0]] as const) {
    await using depot = await waiting(another(), 3);
    const task = ["read", depot.name, "--output", join(folder, "out.mkv"), "--overwrite", "--frames", "3", ...options];
    const { code, errors } = await move(task, { path });
    assertEquals(code, expected, errors);
    assertStringIncludes(errors, "out.mkv may not be whole; ffmpeg says: Error writing trailer");
  }
});

videoTest("write counts lines as they come where ffmpeg numbers frames anew", async ({ name, folder }) => {
  const clip = makeClip(folder);
  // Numbers begin again after each tenth frame, as where ffmpeg rebuilds its graph.
  const anew = `sed -u 's/ n: *[0-9]*\\([0-9]\\) pts/ n: \\1 pts/' >&2`;
  const path = pathWith(
    folder,
    `[ "$2" = -pix_fmts ] && exec "$REAL" "$@"; { "$REAL" "$@" 2>&1 1>&3 | ${anew}; } 3>&1`,
  );
  const [written, read] = await moveBoth([["write", name, "--input", clip], { path }], [["read", name]]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assert(sameBytes(read.out, decoded(clip)));
});

videoTest("write does not believe what a file says of itself", async ({ name, folder }) => {
  const clip = makeClip(folder, { frames: 5 });
  const spoof = join(folder, "spoof.mp4");
  const line = "n:   0 pts:      0 pts_time:0 fmt:rgb24 sar:1/1 s:4x4 i:P iskey:1 type:I ";
  const titles = ["-metadata", `title=[Parsed_showinfo_1 @ 0x5] [info] ${line}`, "-metadata", `comment=${line}`];
  ffmpeg(["-i", clip, "-c", "copy", ...titles, spoof]);
  const [written, read] = await moveBoth([["write", name, "--input", spoof], { runtime: OTHER }], [["read", name]]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assert(sameBytes(read.out, decoded(clip)));
});

/** Pictures of one size, then of another. */
function changingClip(folder: string): string {
  const parts = [["64x48", 9], ["128x96", 11]].map(([size, frames], i) => {
    const part = join(folder, `${i}.ts`);
    const picture = ["-f", "lavfi", "-i", `testsrc2=size=${size}:rate=25`, "-frames:v", String(frames)];
    ffmpeg([...picture, "-c:v", "mpeg2video", "-f", "mpegts", part]);
    return part;
  });
  const clip = join(folder, "change.ts");
  ffmpeg(["-i", `concat:${parts.join("|")}`, "-c", "copy", "-f", "mpegts", clip]);
  return clip;
}

/** Frames of each size that ffmpeg decodes: where they meet, it may lose one. */
function countsOf(clip: string): [small: number, large: number] {
  const [smallBytes, largeBytes] = [64 * 48 * 1.5, 128 * 96 * 1.5];
  const all = decoded(clip, ["-vf", "scale=64:48"]).length / smallBytes;
  const large = (decoded(clip, ["-noautoscale"]).length - all * smallBytes) / (largeBytes - smallBytes);
  return [all - large, large];
}

for (const runtime of STARTED) {
  videoTest(`write goes on with --size where the size changes, else says so (${runtime})`, async (scene) => {
    const { another, folder } = scene;
    const clip = changingClip(folder);
    const name = another();
    const [scaled, all] = await moveBoth([["write", name, "--input", clip, "--size", "64x48"], { runtime }], [[
      "read",
      name,
    ]]);
    assertEquals([scaled.code, all.code], [0, 0], scaled.errors + all.errors);
    assert(sameBytes(all.out, decoded(clip, ["-vf", "scale=64:48"])));
    const other = another();
    const [refused, some] = await moveBoth([["write", other, "--input", clip, "--max-size", "4"], { runtime }], [
      ["read", other], // which comes in time: the queue is too short for all
    ]);
    assertEquals([refused.code, some.code], [1, 0], refused.errors + some.errors);
    assertStringIncludes(refused.errors, "its size is 128x96, that of the frames before 64x48; --size 64x48");
    assertStringIncludes(refused.errors, "--follow-format goes on");
    assert(sameBytes(some.out, all.out.subarray(0, some.out.length)) && some.out.length > 0);
  });

  videoTest(`write --follow-format goes on in a new depot where the size changes (${runtime})`, async (scene) => {
    const { name, folder } = scene;
    const clip = changingClip(folder);
    const follow = [...["write", name, "--input", clip], "--follow-format", "--max-size", "4"];
    await using writer = new VideoCommand([...follow, "--json"], { runtime });
    const seen: [size: string, number: number, timeMs: number][] = [];
    const bytes: Uint8Array[] = [];
    for await (const frame of FramesDepot.follow(name, { whenEnded: "end" })) {
      const [{ width, height }] = frame.planes;
      seen.push([`${width}x${height}`, frame.frameNumber, Number(frame.timestampNs / 1_000_000n)]);
      bytes.push(frame.copy() as Uint8Array);
    }
    const { code, out, errors } = await writer.done;
    assertEquals(code, 0, errors);
    const expected = decoded(clip, ["-noautoscale"]);
    const [small, large] = countsOf(clip);
    assert(sameBytes(new Uint8Array(Buffer.concat(bytes)), expected));
    const sizes = [...Array(small).fill("64x48"), ...Array(large).fill("128x96")];
    assertEquals(seen.map(([size]) => size), sizes);
    assertEquals(seen.map(([, number]) => number), seen.map((_, n) => n));
    assert(seen.every(([, , timeMs], n) => n === 0 || timeMs > seen[n - 1][2]), "times go on");
    const { frames, depots } = JSON.parse(new TextDecoder().decode(out));
    assertEquals([frames, depots], [seen.length, 2]);
    assertStringIncludes(errors, `from frame ${small} on`);
  });

  videoTest(
    `write --follow-format keeps the frames before a change for the first reader (${runtime})`,
    async (scene) => {
      const { name, folder } = scene;
      const clip = changingClip(folder);
      await using writer = new VideoCommand(["write", name, "--input", clip, "--follow-format", "--max-size", "40"], {
        runtime,
      });
      {
        await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
        while (depot.stats().stored < countsOf(clip)[0]) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const out = join(folder, "out.fdr");
      const recorded = await move(["record", name, out, "--follow-format", "--json"], { runtime: OTHER });
      assertEquals([recorded.code, (await writer.done).code], [0, 0], recorded.errors);
      const files = new TextDecoder().decode(recorded.out).trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(files.map(({ file, lost }) => [file, lost]), [[out, 0], [join(folder, "out.1.fdr"), 0]]);
      assertEquals(files.map(({ frames }) => frames), countsOf(clip));
    },
  );
}

for (const runtime of STARTED) {
  videoTest(
    `write says once that the pixel format changes, and stores what ffmpeg converts (${runtime})`,
    async (scene) => {
      const { another, folder } = scene;
      const parts = ["yuv420p", "yuv422p", "yuv420p", "yuv422p"].map((format, i) => {
        const part = join(folder, `${i}.ts`);
        const picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", "9", "-pix_fmt", format];
        ffmpeg([...picture, "-c:v", "libx264", "-qp", "0", "-f", "mpegts", part]);
        return part;
      });
      const clip = join(folder, "change.ts");
      ffmpeg(["-i", `concat:${parts.join("|")}`, "-c", "copy", "-f", "mpegts", clip]);
      const expected = decoded(clip); // by ffmpeg alone, and all of one format
      assertEquals(expected.length, 36 * 64 * 48 * 1.5);
      for (const options of [[], ["--follow-format"], ["--size", "64x48"]]) {
        const name = another();
        const [written, read] = await moveBoth([["write", name, "--input", clip, ...options], { runtime }], [[
          "read",
          name,
        ]]);
        assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
        assert(sameBytes(read.out, expected), options.join(" "));
        const said =
          "from frame 9 on, frames of .*change\\.ts have the pixel format yuv422p; ffmpeg converts them to yuv420p";
        assertMatch(written.errors, new RegExp(said));
        assertEquals(written.errors.match(/pixel format/g)?.length, 1, written.errors);
      }
    },
  );
}

videoTest("write says once that colours change, and goes on", async ({ name, folder }) => {
  const parts = ["bt709", "bt470bg"].map((matrix, i) => {
    const part = join(folder, `${i}.ts`);
    const colors = ["-colorspace", matrix, "-color_primaries", matrix, "-color_trc", "bt709", "-color_range", "tv"];
    const picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", "10", "-pix_fmt", "yuv420p"];
    ffmpeg([...picture, "-c:v", "mpeg2video", ...colors, "-f", "mpegts", part]);
    return part;
  });
  const clip = join(folder, "change.ts");
  ffmpeg(["-i", `concat:${parts.join("|")}`, "-c", "copy", "-f", "mpegts", clip]);
  const [written, read] = await moveBoth([["write", name, "--input", clip]], [["read", name]]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assert(sameBytes(read.out, decoded(clip)));
  assertEquals(written.errors.match(/have matrix bt470bg/g)?.length, 1, written.errors);
});

videoTest("write takes the moving pictures and not the cover, as ffmpeg does", async ({ name, folder }) => {
  const clip = makeClip(folder, { frames: 5 });
  const cover = fileOf(
    folder,
    "cover.png",
    ffmpeg([
      ...["-f", "lavfi", "-i", "testsrc2=size=320x240", "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-"],
    ]),
  );
  const both = join(folder, "both.mp4");
  const streams = ["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"];
  ffmpeg(["-i", cover, "-i", clip, ...streams, both]);
  const [written, read] = await moveBoth([["write", name, "--input", both]], [["read", name]]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assert(sameBytes(read.out, decoded(clip)));
});

for (const runtime of STARTED) {
  videoTest(`write --input - has ffmpeg read standard input (${runtime})`, async ({ name, folder }) => {
    const clip = makeClip(folder);
    const input = ffmpeg(["-i", clip, "-c", "copy", "-f", "matroska", "-"]);
    const [written, read] = await moveBoth([["write", name, "--input", "-"], { input, runtime }], [["read", name]]);
    assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
    assert(sameBytes(read.out, decoded(clip)));
  });
}
