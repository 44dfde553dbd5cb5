/**
 * Times, pixels' shape, fields and colours on their way through a depot into a file: what ffmpeg makes of the source
 * itself is what comes out.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { stepInWords, Timeline } from "../cli/video/timeline.ts";
import { packingOf } from "../cli/video/raw_frames.ts";
import { y4mFramesOf } from "../cli/video/y4m_frames.ts";
import { FramesDepot, PIXEL_FORMATS, type PixelFormat } from "../mod.ts";
import { STARTED } from "./support/harness.ts";
import {
  decoded,
  ffmpeg,
  fileOf,
  move,
  moveBoth,
  OTHER,
  rawFrame,
  sameBytes,
  VideoCommand,
  videoTest,
} from "./support/video.ts";

/** What ffprobe says of the frames of a file: their times in seconds, and what `entries` names. */
function probe(path: string, entries: string): string[] {
  const task = ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0", path];
  return spawnSync("ffprobe", task, { encoding: "utf8", maxBuffer: 2 ** 28 }).stdout.trim().split("\n");
}

const timesOf = (path: string) =>
  probe(path, "frame=pts_time").map((line) => parseFloat(line)).filter((time) => !isNaN(time)); // else side data
const rateOf = (path: string) => probe(path, "stream=avg_frame_rate")[0];

function assertNear(actual: number, expected: number, most: number, what: string): void {
  assert(Math.abs(actual - expected) <= most, `${what}: ${actual} is not ${expected}`);
}

/** A lossless clip. @param filters after the picture */
function clipOf(path: string, rate: string, frames: number, filters = "null", options: string[] = []): string {
  const picture = `testsrc2=size=32x24:rate=${rate},format=yuv420p,${filters}`;
  const times = ["-fps_mode", "passthrough", "-enc_time_base", "1/720000"];
  ffmpeg([
    "-f",
    "lavfi",
    "-i",
    picture,
    "-frames:v",
    String(frames),
    ...times,
    "-c:v",
    "libx264",
    "-qp",
    "0",
    ...options,
    path,
  ]);
  return path;
}

for (const runtime of STARTED) {
  videoTest(
    `read --output keeps the times of frames, whatever their rate (${runtime})`,
    async ({ another, folder }) => {
      const uneven = "setpts='(N/30+if(gt(N,12),0.4,0)+mod(N,3)*0.004)/TB'";
      for (
        const [rate, frames, filters] of [
          ["30000/1001", 40, "null"],
          ["60000/1001", 40, "null"],
          ["24000/1001", 40, "null"],
          ["480", 60, "null"],
          ["30", 40, uneven],
        ] as const
      ) {
        const name = another();
        const clip = clipOf(join(folder, `${name}.mp4`), rate, frames, filters);
        const output = join(folder, `${name}.out.mp4`);
        const [written, read] = await moveBoth([["write", name, "--input", clip], { runtime }], [
          ["read", name, "--output", output, "--ffmpeg", "-c:v libx264 -qp 0"],
          { runtime },
        ]);
        assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
        const [before, after] = [timesOf(clip), timesOf(output)];
        assertEquals(after.length, frames);
        before.forEach((time, i) => assertNear(after[i] - after[0], time - before[0], 0.0001, `${rate} ${i}`));
        if (filters === "null") assertEquals(rateOf(output), rateOf(clip));
        assert(sameBytes(decoded(output), decoded(clip)), rate);
      }
    },
  );
}

for (const runtime of STARTED) {
  videoTest(
    `read --output has the rate and the length of a live source that counts milliseconds (${runtime})`,
    async ({ another, folder }) => {
      for (const [rate, perSecond] of [["30000/1001", 30 / 1.001], ["60000/1001", 60 / 1.001], ["480", 480]] as const) {
        const name = another();
        const clip = clipOf(join(folder, `${name}.mkv`), rate, 24);
        for (const extension of rate === "60000/1001" ? ["mp4", "mkv"] : ["mp4"]) {
          const output = join(folder, `${name}.out.${extension}`);
          const [written, read] = await moveBoth([["write", name, "--input", clip, "--pace"], { runtime }], [
            ["read", name, "--output", output],
            { runtime },
          ]);
          assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
          assertEquals(timesOf(output).length, 24);
          const seconds = Number(probe(output, extension === "mp4" ? "stream=duration" : "format=duration")[0]);
          assertNear(seconds, 24 / perSecond, extension === "mp4" ? 0.000_01 : 0.0011, `${rate} ${extension}`);
          const rates = "stream=r_frame_rate,avg_frame_rate";
          const exact = rate.includes("/") ? rate : `${rate}/1`;
          // What ffprobe makes of milliseconds is the same for what ffmpeg alone writes.
          assertEquals(probe(output, rates), extension === "mp4" ? [`${exact},${exact}`] : probe(clip, rates));
        }
      }
    },
  );
}

videoTest("read --output gives the last frame the length of the one before", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2, 1], pixelFormat: "gray", maxSize: 4 });
  for (let n = 0; n < 3; n++) await depot.enqueue({ frame: new Uint8Array(8), timestampNs: n * 125_000_000 });
  const output = join(folder, "out.mp4");
  const { code, errors } = await move(["read", name, "--output", output, "--frames", "3"]);
  assertEquals(code, 0, errors);
  assertEquals([timesOf(output), Number(probe(output, "stream=duration")[0])], [[0, 0.125, 0.25], 0.375]);
});

for (const runtime of STARTED) {
  videoTest(`read --output completes a file at Ctrl-C, however few its frames are (${runtime})`, async (scene) => {
    const { another, folder } = scene;
    for (const frames of [1, 3, 20]) {
      const name = another();
      const shape = { frameSize: [4, 2, 1] as const, pixelFormat: "gray", maxSize: 32 };
      await using depot = await FramesDepot.create(name, shape);
      const bytes = Array.from({ length: frames }, (_, n) => new Uint8Array(8).fill(n));
      for (const [n, frame] of bytes.entries()) await depot.enqueue({ frame, timestampNs: n * 40_000_000 });
      const output = join(folder, `${frames}.mkv`);
      await using reader = new VideoCommand(["read", name, "--output", output, "--ffmpeg", "-c:v ffv1"], { runtime });
      while (depot.length > 0) await new Promise((resolve) => setTimeout(resolve, 20)); // it passes what it has written
      reader.signal("SIGINT");
      const { code, errors } = await reader.done;
      assertEquals(code, 130, errors);
      assert(sameBytes(decoded(output), new Uint8Array(bytes.flatMap((frame) => [...frame]))), `${frames}`);
      if (frames > 1) assertNear(Number(probe(output, "format=duration")[0]), frames * 0.04, 0.0011, "seconds");
    }
  });
}

videoTest("read --output lasts as long as a source that counts milliseconds", async ({ name, folder }) => {
  const clip = clipOf(join(folder, "clip.mkv"), "30000/1001", 1800);
  const output = join(folder, "out.mkv");
  const [written, read] = await moveBoth([["write", name, "--input", clip]], [["read", name, "--output", output], {
    runtime: OTHER,
  }]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  const [before, after] = [clip, output].map((path) => Number(probe(path, "format=duration")[0]));
  assertNear(after, before, 0.034, "seconds");
  assertEquals(timesOf(output).length, 1800);
  assertEquals(rateOf(output), "30000/1001");
});

videoTest("write and read --output keep the shape of pixels and the fields", async ({ another, folder }) => {
  const fields = "frame=interlaced_frame,top_field_first";
  for (const [first, field] of [["tt", "tff"], ["bb", "bff"]] as const) {
    const name = another();
    const clip = clipOf(join(folder, `${first}.mkv`), "25", 5, "setsar=64/45", [
      ...["-vf", `setfield=${field}`, "-flags", "+ildct+ilme"],
    ]);
    const output = join(folder, `${first}-out.mkv`);
    const lossless = ["--ffmpeg", "-c:v libx264 -qp 0 -flags +ildct+ilme"];
    await using writer = new VideoCommand(["write", name, "--input", clip]);
    {
      await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
      assertEquals([depot.fieldOrder, depot.sampleAspectRatio], [first, [64, 45]]);
    }
    const read = await move(["read", name, "--output", output, ...lossless], { runtime: OTHER });
    assertEquals([(await writer.done).code, read.code], [0, 0], read.errors);
    const shown = "stream=sample_aspect_ratio";
    assertEquals(probe(output, shown), probe(clip, shown));
    assertEquals(probe(output, fields), probe(clip, fields));
    assertEquals(probe(output, fields)[0].slice(0, 3), first === "tt" ? "1,1" : "1,0");
  }
});

videoTest("read --fields goes before what the depot says", async ({ name, folder }) => {
  const shape = { frameSize: [32, 16] as const, pixelFormat: "yuv420p", fieldOrder: "progressive" as const };
  await using depot = await FramesDepot.create(name, shape);
  await depot.enqueue({ frame: new Uint8Array(depot.frameBytes) });
  const output = join(folder, "out.mkv");
  const options = ["--fields", "bottom", "--frames", "1", "--ffmpeg", "-c:v libx264 -qp 0 -flags +ildct+ilme"];
  const { code, errors } = await move(["read", name, "--output", output, ...options]);
  assertEquals(code, 0, errors);
  assertEquals(probe(output, "frame=interlaced_frame,top_field_first")[0].slice(0, 3), "1,0");
});

videoTest("read --rate gives frames one rate instead of their times", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2, 1], pixelFormat: "gray", maxSize: 8 });
  for (let n = 0; n < 8; n++) await depot.enqueue({ frame: new Uint8Array(8), timestampNs: n * n * 1_000_000 });
  const output = join(folder, "out.mkv");
  const task = ["read", name, "--output", output, "--frames", "8", "--rate", "10", "--ffmpeg", "-c:v ffv1"];
  const { code, errors } = await move(task);
  assertEquals(code, 0, errors);
  assertEquals(timesOf(output), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]);
});

videoTest("read --output goes on at once where the clock steps, and says so", async ({ another, folder }) => {
  for (const step of [3600, -3600]) {
    const name = another();
    await using depot = await FramesDepot.create(name, { frameSize: [4, 2, 1], pixelFormat: "gray", maxSize: 8 });
    for (let n = 0; n < 8; n++) {
      const timestampNs = 1e15 + n * 5e7 + (n < 4 ? 0 : step * 1e9);
      await depot.enqueue({ frame: new Uint8Array(8).fill(n), timestampNs });
    }
    const output = join(folder, `${step}.mkv`);
    const { code, errors } = await move(["read", name, "--output", output, "--frames", "8", "--ffmpeg", "-c:v ffv1"]);
    assertEquals(code, 0, errors);
    assertStringIncludes(errors, `steps by ${step > 0 ? "+" : ""}${step} s before frame 4`);
    assertEquals(timesOf(output), [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35]);
  }
});

videoTest("read --output gives an encoder the pixels of each format", async ({ another, folder }) => {
  // Directly, as planar YUV of the same samples, and as raw frames of one rate.
  for (
    const format of [
      "rgb24",
      "nv12",
      "yuv422p10le",
      "p010le",
      "nv24",
      "yuyv422",
      "gray16le",
      "grayf32le",
      "yuv440p10le",
    ]
  ) {
    const name = another();
    assert(PIXEL_FORMATS.has(format));
    const input = rawFrame(format, 18, 10);
    const raw = fileOf(folder, `${format}.raw`, input);
    const shape = ["--size", "18x10", "--format", format, "--rate", "25"];
    const output = join(folder, `${format}.nut`);
    const [written, read] = await moveBoth([["write", name, ...shape], { input }], [
      ["read", name, "--output", output, "--ffmpeg", "-c:v ffv1"],
      { runtime: OTHER },
    ]);
    assertEquals([written.code, read.code], [0, 0], format + written.errors + read.errors);
    const alone = join(folder, `${format}.alone.nut`);
    ffmpeg(["-f", "rawvideo", "-pix_fmt", format, "-s", "18x10", "-i", raw, "-c:v", "ffv1", alone]);
    const back = ["-pix_fmt", format]; // the encoder may take the same samples in another order
    assert(sameBytes(decoded(output, back), decoded(alone, back)), format);
  }
});

test("packingOf and y4mFramesOf keep the sampling of chroma", () => {
  const samplingOf = ({ planes }: PixelFormat) => {
    const { shiftX, shiftY, pixels } = planes.find(({ components }) => components.includes("u"))!;
    return [shiftX || (pixels === 2 ? 1 : 0), shiftY]; // one of two pixels is as halved
  };
  for (const format of PIXEL_FORMATS.values()) {
    if (!format.isYuv) continue;
    for (const other of [packingOf(format, 34, 18), y4mFramesOf(format, 34, 18)]) {
      if (other !== undefined) assertEquals(samplingOf(other.format), samplingOf(format), format.name);
    }
  }
  assertEquals(y4mFramesOf(PIXEL_FORMATS.get("yuv410p")!, 34, 18), undefined);
  assertEquals(packingOf(PIXEL_FORMATS.get("yuv440p10le")!, 34, 18), undefined);
});

test("Timeline cuts where a clock steps, and nowhere else", () => {
  const play = (seconds: number[]) => {
    const steps: bigint[] = [];
    const timeline = new Timeline((stepNs) => steps.push(stepNs));
    const times = seconds.map((time) => Number(timeline.add(BigInt(Math.round(time * 1e9)))) / 1e9);
    return { times, steps: steps.map((ns) => Math.round(Number(ns) / 1e9)) };
  };
  assertEquals(play([5, 6, 7, 40, 41]), { times: [0, 1, 2, 35, 36], steps: [] }); // a pause
  assertEquals(play([5, 6, 7, 4000, 4001]), { times: [0, 1, 2, 3, 4], steps: [3992] });
  assertEquals(play([5000, 5001, 1, 2]), { times: [0, 1, 2, 3], steps: [-5001] });
  assertEquals(play([0, 300, 600]), { times: [0, 300, 600], steps: [] }); // a time lapse
  assertEquals(play([1, 1.5, 1.4, 2]), { times: [0, 0.5, 0.5, 1], steps: [] }); // several producers
  assertEquals(play([1, 2, 1.5, 1.2, 3, 2.5, 2.6, 4]).steps, []); // which are late now and then
  // A producer that begins again within its first second: nothing of the second run is lost.
  assertEquals(play([0, 0.2, 0.4, 0.6, 0, 0.2, 0.4, 0.6, 0.8]), {
    times: [0, 0.2, 0.4, 0.6, 0.6, 0.6, 1.2, 1.4, 1.6],
    steps: [-1],
  });
  assertEquals(stepInWords(3_600_500_000_000n), "the clock of the timestamps steps by +3600.5 s");
});
