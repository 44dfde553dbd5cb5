/**
 * `read`: frames as bytes, as Y4M and as files that ffmpeg encodes; how it begins and how it ends.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { gridRate, guessRate, rateMismatch } from "../cli/video/frame_rate.ts";
import { parseY4mHeader, Y4M_PIXEL_FORMATS, y4mHeader } from "../cli/video/y4m.ts";
import { FramesDepot } from "../mod.ts";
import { depotTest, STARTED } from "./support/harness.ts";
import {
  decoded,
  ffmpeg,
  fileOf,
  makeClip,
  move,
  moveBoth,
  OTHER,
  rawFrame,
  sameBytes,
  VideoCommand,
  videoTest,
} from "./support/video.ts";

const GRAY = { frameSize: [4, 2, 1] as [number, number, number], pixelFormat: "gray", maxSize: 8 };
const grayFrame = (value: number) => ({ frame: new Uint8Array(8).fill(value) });

videoTest(
  "read may be started before the depot is there, and twice: each gets every frame",
  async ({ name, folder }) => {
    const clip = makeClip(folder);
    await using early = new VideoCommand(["read", name], { runtime: OTHER });
    await using late = new VideoCommand(["read", name]);
    const written = await move(["write", name, "--input", clip, "--wait-readers", "2"]);
    const expected = decoded(clip);
    for (const { code, errors } of [written, await early.done, await late.done]) {
      assertEquals(code, 0, errors);
    }
    for (const { out } of [await early.done, await late.done]) assert(sameBytes(out, expected));
    assertEquals(FramesDepot.list().filter((info) => info.name === name), []);
  },
);

videoTest("read --output encodes through ffmpeg, with the rate of the timestamps", async ({ name, folder }) => {
  const clip = makeClip(folder, { rate: "30000/1001" });
  const output = join(folder, "out.mkv");
  const [written, read] = await moveBoth(
    [["write", name, "--input", clip], { runtime: OTHER }],
    [["read", name, "--output", output, "--ffmpeg", "-c:v ffv1", "--json"]],
  );
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assert(sameBytes(decoded(output), decoded(clip)));
  assertEquals(JSON.parse(new TextDecoder().decode(read.out)).frames, 30);
  const rate = ["-select_streams", "v:0", "-show_entries", "stream=avg_frame_rate", "-of", "csv=p=0"];
  assertEquals(
    spawnSync("ffprobe", ["-v", "error", ...rate, output], { encoding: "utf8" }).stdout.trim(),
    "30000/1001",
  );
  const again = await move(["read", name, "--output", output, "--timeout", "0"]);
  assertEquals(again.code, 4, again.errors);
  assertStringIncludes(again.errors, "--overwrite");
});

videoTest(
  "read --output makes an mp4 that players take, whatever size and format frames have",
  async ({ name, folder }) => {
    const output = join(folder, "out.mp4");
    const input = rawFrame("rgb24", 7, 5);
    const write = ["write", name, "--size", "7x5", "--format", "rgb24", "--rate", "5"];
    const [written, read] = await moveBoth([write, { input }], [["read", name, "--output", output]]);
    assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
    assertEquals(new TextDecoder().decode(read.out), `${output}: 1 frame, 0 lost\n`);
    const shows = ["-select_streams", "v:0", "-show_entries", "stream=width,height,pix_fmt", "-of", "csv=p=0"];
    assertEquals(
      spawnSync("ffprobe", ["-v", "error", ...shows, output], { encoding: "utf8" }).stdout.trim(),
      "8,6,yuv420p",
    );
  },
);

videoTest("read says in ffmpeg's words why it cannot encode", async ({ name, folder }) => {
  await using depot = await FramesDepot.create(name, GRAY);
  await depot.enqueue(grayFrame(1));
  const output = join(folder, "out.mkv");
  const task = ["read", name, "--output", output, "--frames", "1", "--ffmpeg", "-c:v nosuch"];
  const { code, errors } = await move(task);
  assertEquals(code, 1);
  assertStringIncludes(errors, "nosuch");
});

videoTest("read ends quietly when the reader of its output has gone", async ({ name }) => {
  await using depot = await FramesDepot.create(name, { frameSize: [640, 480, 3], whenFull: "overwrite" });
  const timer = setInterval(() => void depot.tryEnqueue({ frame: new Uint8Array(640 * 480 * 3) }), 2);
  try {
    for (const runtime of STARTED) {
      await using reader = new VideoCommand(["read", name], { runtime });
      await new Promise((resolve) => reader.child.stdout!.once("data", resolve));
      reader.child.stdout!.destroy();
      const { code, errors } = await reader.done;
      assertEquals([code, errors], [0, ""]);
    }
  } finally {
    clearInterval(timer);
  }
});

videoTest("read --frames, --from and --mode choose what is read", async ({ name }) => {
  await using depot = await FramesDepot.create(name, GRAY);
  for (let n = 0; n < 8; n++) await depot.enqueue(grayFrame(n));
  const firstBytes = ({ out }: { out: Uint8Array }) => Array.from({ length: out.length / 8 }, (_, i) => out[i * 8]);
  const lossy = ["--mode", "lossy"];
  assertEquals(firstBytes(await move(["read", name, "--frames", "2", ...lossy])), [0, 1]);
  assertEquals(firstBytes(await move(["read", name, "--from", "5", "--frames", "2", ...lossy])), [5, 6]);
  assertEquals(firstBytes(await move(["read", name, "--mode", "latest", "--from", "latest", "--frames", "1"])), [7]);
  assertEquals(depot.length, 8);
  const wrong = await move(["read", name, "--from", "newest"]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.errors, "oldest, latest, next or a frame number");
});

videoTest("read --timeout fails when the depot, or a frame, does not come", async ({ name }) => {
  const nowhere = await move(["read", name, "--timeout", "0.2"]);
  assertEquals([nowhere.code, nowhere.errors], [
    3,
    `error: depot "${name}" is not there after 0.2 s, the limit of --timeout\n`,
  ]);
  await using depot = await FramesDepot.create(name, GRAY);
  await depot.enqueue(grayFrame(9));
  const { code, out, errors } = await move(["read", name, "--timeout", "0.3"]);
  assertEquals([code, out.length], [3, 8]);
  assertMatch(errors, /no frame for 0.3 s/);
});

for (const runtime of STARTED) {
  videoTest(`read --output completes the file at Ctrl-C, also after three frames (${runtime})`, async (scene) => {
    const { name, folder } = scene;
    await using depot = await FramesDepot.create(name, GRAY);
    for (const n of [1, 2, 3]) await depot.enqueue({ ...grayFrame(n), timestampNs: n * 40_000_000 });
    const output = join(folder, "out.mkv");
    const parameters = ["read", name, "--output", output, "--ffmpeg", "-c:v ffv1", "--json"];
    await using reader = new VideoCommand(parameters, { runtime });
    while (depot.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    reader.signal("SIGINT");
    const { code, out, errors } = await reader.done;
    assertEquals([code, JSON.parse(new TextDecoder().decode(out)).frames], [130, 3], errors);
    assertEquals([...decoded(output)], [1, 2, 3].flatMap((n) => Array(8).fill(n)));
  });
}

videoTest("read goes on after its producer with --follow, and ends by Ctrl-C", async ({ name }) => {
  await using reader = new VideoCommand(["read", name, "--follow"], { runtime: OTHER });
  let got = 0;
  let more = () => {};
  reader.child.stdout!.on("data", (bytes: Uint8Array) => (got += bytes.length, more()));
  for (const round of [1, 2]) {
    const shape = ["--size", "4x2", "--format", "gray"];
    const { code, errors } = await move(["write", name, ...shape], { input: new Uint8Array(16).fill(round) });
    assertEquals(code, 0, errors);
    while (got < round * 16) await new Promise<void>((resolve) => more = resolve);
  }
  reader.signal("SIGINT");
  assertEquals((await reader.done).code, 130);
  assertEquals([...(await reader.done).out], [...new Uint8Array(16).fill(1), ...new Uint8Array(16).fill(2)]);
});

videoTest("read --when-producers-gone end reads what a killed producer has left, and ends", async ({ name }) => {
  const input = Uint8Array.from({ length: 24 }, (_, i) => i);
  const shape = ["--size", "4x2", "--format", "gray"];
  await using writer = new VideoCommand(["write", name, ...shape], { input, open: true, runtime: OTHER });
  await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
  for (let isStored = false; !isStored;) { // length counts what is claimed, too
    await new Promise((resolve) => setTimeout(resolve, 5));
    using last = depot.peekFrame(2);
    isStored = last !== undefined;
  }
  writer.signal("SIGKILL");
  const { code, out } = await move(["read", name, "--when-producers-gone", "end"]);
  assertEquals([code, out], [0, input]);
});

videoTest("read --y4m converts RGB and what webcams give, as ffmpeg does", async ({ another, folder }) => {
  for (const [format, becomes] of [["rgb24", "444"], ["bgr0", "444"], ["yuyv422", "422"], ["nv12", "420jpeg"]]) {
    const name = another();
    const input = rawFrame(format, 18, 10);
    const shape = ["--size", "18x10", "--format", format, "--rate", "25"];
    const [written, read] = await moveBoth([["write", name, ...shape], { input }], [["read", name, "--y4m"], {
      runtime: OTHER,
    }]);
    assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
    assertStringIncludes(new TextDecoder("latin1").decode(read.out.subarray(0, 80)), ` C${becomes}`);
    const planar = parseY4mHeader(new TextDecoder("latin1").decode(read.out).split("\n")[0]).format;
    const raw = fileOf(folder, `${format}.raw`, input);
    const alone = ffmpeg([
      ...["-f", "rawvideo", "-pix_fmt", format, "-s", "18x10", "-i", raw],
      ...["-sws_flags", "accurate_rnd+full_chroma_int", "-pix_fmt", planar, "-f", "rawvideo", "-"],
    ]);
    const ours = decoded(fileOf(folder, "out.y4m", read.out));
    const farthest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - alone[i])), 0);
    assert(ours.length === alone.length && farthest <= 1, `${format}: ${farthest}`);
  }
});

videoTest("read --y4m refuses what would lose something, with a line that converts it", async ({ another }) => {
  for (const [format, channels] of [["rgba", 4], ["rgb48le", 3]] as const) {
    const name = another();
    const elementType = format === "rgba" ? "uint8" : "uint16";
    await using depot = await FramesDepot.create(name, {
      ...{ frameSize: [2, 2, channels], pixelFormat: format, elementType },
    });
    const frame = elementType === "uint8" ? new Uint8Array(16) : new Uint16Array(12);
    await depot.enqueue({ frame } as Parameters<typeof depot.enqueue>[0]);
    const { code, errors } = await move(["read", name, "--y4m", "--frames", "1"]);
    assertEquals(code, 2);
    assertStringIncludes(errors, `no place for ${format}`);
    assertStringIncludes(errors, `read ${name} | ffmpeg -f rawvideo -pixel_format ${format} -video_size 2x2 -i - `);
    assertEquals(depot.stats().peers.length, 1);
    using kept = depot.peekFrame(0);
    assert(kept !== undefined); // nothing was taken
  }
});

videoTest("y4mHeader writes what ffmpeg reads, and parseY4mHeader reads what ffmpeg writes", async ({ folder }) => {
  for (const format of Y4M_PIXEL_FORMATS) {
    const input = rawFrame(format, 18, 10);
    const text = `${y4mHeader({ width: 18, height: 10, format, rate: [30000, 1001] })}FRAME\n`;
    const file = fileOf(folder, `${format}.y4m`, new Uint8Array([...new TextEncoder().encode(text), ...input]));
    assert(sameBytes(decoded(file, ["-pix_fmt", format]), input), format);
    const written = ffmpeg(["-i", file, "-strict", "-2", "-f", "yuv4mpegpipe", "-"]);
    const header = parseY4mHeader(new TextDecoder("latin1").decode(written).split("\n")[0]);
    assertEquals([header.width, header.height, header.rate], [18, 10, [30000, 1001]]);
    assertEquals(header.format.replace("yuvj", "yuv"), format.replace("yuvj", "yuv")); // ffmpeg may forget the range
  }
  await Promise.resolve();
});

test("guessRate finds the usual rates, also from timestamps that tremble", () => {
  const times = (step: number, tremble = 0) =>
    Array.from({ length: 8 }, (_, n) => BigInt(Math.round(n * step + (n % 2) * tremble)));
  assertEquals(guessRate(times(1001e9 / 24000)), [24000, 1001]);
  assertEquals(guessRate(times(1e9 / 24)), [24, 1]);
  assertEquals(guessRate(times(1e9 / 30, 0.4e6)), [30, 1]);
  assertEquals(guessRate(times(1e9 / 37)), [37000, 1000]);
  assertEquals(guessRate(times(1e9 / 480)), [480, 1]);
  const milliseconds = Array.from({ length: 10 }, (_, n) => BigInt(Math.round(n * 1001 / 30)) * 1_000_000n);
  assertEquals(guessRate(milliseconds), [30000, 1001]);
  assertEquals(guessRate(times(1e9 / 900)), undefined); // stored as fast as possible
  assertEquals([guessRate([5n]), guessRate([5n, 5n]), guessRate([0n, 1000n])], [undefined, undefined, undefined]);
});

test("gridRate is the lowest usual rate that has a place for each frame", () => {
  const at = (frames: number[], step: number) => frames.map((n) => BigInt(Math.round(n * step)));
  assertEquals(gridRate(at([0, 1, 5, 6, 7, 10, 11, 14], 1e9 / 30)), [30, 1]); // some were dropped
  assertEquals(gridRate(at([0, 1, 3, 4, 6, 9], 1001e9 / 30000)), [30000, 1001]);
  const milliseconds = [0, 1, 3, 4, 6, 9].map((n) => BigInt(Math.round(n * 1000 / 24)) * 1_000_000n);
  assertEquals(gridRate(milliseconds), [24, 1]);
  assertEquals(gridRate(at([0, 1, 2, 3, 4, 5], 1e9 / 7.5)), [7500, 1000]); // not 15
  assertEquals(gridRate(at([0, 1, 2, 3, 4, 5], 1e9 / 37)), [37000, 1000]);
  assertEquals(gridRate([0n, 31_300_111n, 70_000_222n, 99_800_333n, 133_400_444n]), [30, 1]); // it trembles
  assertEquals([gridRate([5n]), gridRate([0n, 1000n])], [undefined, undefined]);
});

test("rateMismatch speaks where one rate plays frames at another speed, and not of cameras that tremble", () => {
  assertEquals(rateMismatch(31, 1_000_000_000n, [30, 1]), undefined);
  assertEquals(rateMismatch(3001, 100_500_000_000n, [30, 1]), undefined);
  assertEquals([rateMismatch(1, 0n, [30, 1]), rateMismatch(0, 0n, [30, 1])], [undefined, undefined]);
  assertStringIncludes(
    rateMismatch(31, 2_000_000_000n, [30, 1])!,
    "they last 2.00 s, at 30 a second 1.00 s; `--rate 15.000`",
  );
});

depotTest("read --y4m warns of timestamps that have no one rate, unless a rate is given", async (name) => {
  for (const [options, warns] of [[[], true], [["--rate", "20"], false]] as const) {
    await using depot = await FramesDepot.create(name, { ...GRAY, maxSize: 40 });
    for (let n = 0; n < 30; n++) {
      await depot.enqueue({ ...grayFrame(n), timestampNs: (n < 15 ? n : 3 * n - 30) * 20_000_000 });
    }
    const { code, out, errors } = await move(["read", name, "--y4m", "--frames", "30", ...options], { runtime: OTHER });
    assertEquals(code, 0, errors);
    assertStringIncludes(new TextDecoder().decode(out.subarray(0, 40)), warns ? " F50:1 " : " F20:1 ");
    assertEquals(errors.includes("warning: the frames do not come at one rate"), warns, errors);
  }
});
