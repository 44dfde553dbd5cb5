/**
 * `write`: a real clip through ffmpeg, Y4M and raw frames; what comes out in the other runtime is what went in.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { cliCommand } from "./support/cli.ts";
import { depotTest, skip, STARTED } from "./support/harness.ts";
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

const listed = (name: string) => FramesDepot.list().filter((info) => info.name === name);

videoTest(
  "write --input gives the frames that ffmpeg alone decodes, bit for bit, in the other runtime",
  async ({ name, folder }) => {
    const clip = makeClip(folder);
    const [written, read] = await moveBoth([["write", name, "--input", clip, "--json"]], [["read", name], {
      runtime: OTHER,
    }]);
    assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
    assert(sameBytes(read.out, decoded(clip)));
    assertEquals(JSON.parse(new TextDecoder().decode(written.out)).frames, 30);
    assertEquals(listed(name), []);
  },
);

videoTest("write takes colours and the shape of pixels from ffmpeg, read gives them back", async ({ name, folder }) => {
  const clip = join(folder, "clip.mkv");
  const said = "setparams=range=tv:colorspace=bt709:color_primaries=bt2020:color_trc=smpte2084,setsar=4/3";
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25", "-frames:v", "5"];
  ffmpeg([...picture, "-vf", `format=yuv420p,${said}`, "-c:v", "ffv1", clip]);
  await using writer = new VideoCommand(["write", name, "--input", clip]);
  {
    await using depot = await FramesDepot.open(name, { timeoutMs: 20_000 });
    assertEquals(depot.color, { matrix: "bt709", range: "limited", primaries: "bt2020", transfer: "smpte2084" });
    assertEquals(depot.sampleAspectRatio, [4, 3]);
  }
  const output = join(folder, "out.mkv");
  const read = await move(["read", name, "--output", output, "--ffmpeg", "-c:v ffv1"], { runtime: OTHER });
  assertEquals([read.code, (await writer.done).code], [0, 0], read.errors);
  const entries = "stream=color_range,color_space,color_primaries,color_transfer,sample_aspect_ratio";
  const shown = (path: string) => {
    const task = ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0", path];
    return spawnSync("ffprobe", task, { encoding: "utf8" }).stdout.trim();
  };
  assertEquals(shown(output), "4:3,tv,bt709,smpte2084,bt2020");
  assertEquals(shown(output), shown(clip));
});

videoTest("write takes the shape of pixels and the range from Y4M, read gives them back", async ({ name }) => {
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=16x8:rate=25", "-frames:v", "2"];
  const y4m = ffmpeg([...picture, "-vf", "format=yuv420p,setsar=8/9", "-color_range", "tv", "-f", "yuv4mpegpipe", "-"]);
  await using writer = new VideoCommand(["write", name], { input: y4m });
  {
    await using depot = await FramesDepot.open(name, { timeoutMs: 20_000 });
    assertEquals([depot.color, depot.sampleAspectRatio], [{ range: "limited" }, [8, 9]]);
  }
  const read = await move(["read", name, "--y4m"], { runtime: OTHER });
  assertEquals([read.code, (await writer.done).code], [0, 0], read.errors);
  const [header] = new TextDecoder("latin1").decode(read.out).split("\n", 1);
  assertEquals(header, "YUV4MPEG2 W16 H8 F25:1 Ip A8:9 C420jpeg XCOLORRANGE=LIMITED");
});

videoTest("write of RGB says nothing of matrix and range", async ({ name, folder }) => {
  const clip = makeClip(folder, { frames: 2 });
  await using _writer = new VideoCommand(["write", name, "--input", clip, "--format", "rgb24"]);
  await using depot = await FramesDepot.open(name, { timeoutMs: 20_000 });
  assertEquals([depot.color.matrix, depot.color.range], [undefined, undefined]);
  assertEquals(depot.sampleAspectRatio, [1, 1]);
});

videoTest("write --input takes size, format and timestamps from the input", async ({ name, folder }) => {
  const clip = makeClip(folder, { size: "98x54", rate: "30000/1001", frames: 5 });
  await using writer = new VideoCommand(["write", name, "--input", clip]);
  {
    await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
    assertEquals([depot.frameSize, depot.pixelFormat, depot.whenFull], [[98, 54, 1], "yuv420p", "wait"]);
    const seen: [number, bigint][] = [];
    for await (const frame of depot.frames()) {
      seen.push([frame.frameNumber, frame.timestampNs]);
      if (seen.length === 5) break;
    }
    const expected = [0, 1, 2, 3, 4].map((n) => [n, BigInt(n) * 1001n * 1_000_000_000n / 30000n]);
    assertEquals(seen, expected);
  }
  assertEquals((await writer.done).code, 0);
});

videoTest("write --input converts to --size and --format as ffmpeg does", async ({ name, folder }) => {
  const clip = makeClip(folder, { frames: 3 });
  const convert = ["--size", "80x60", "--format", "rgb24"];
  const [written, read] = await moveBoth([["write", name, "-i", clip, ...convert]], [["read", name]]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assert(sameBytes(read.out, decoded(clip, ["-vf", "scale=80:60,format=rgb24"])));
});

videoTest("write says in ffmpeg's words why it cannot read the input", async ({ name, folder }) => {
  const missing = await move(["write", name, "--input", `${folder}/missing.mp4`]);
  assertEquals(missing.code, 3);
  assertStringIncludes(missing.errors, "no such file or directory");
  assertEquals(listed(name), []);
});

videoTest("write takes Y4M from standard input, with the rate in its header", async ({ name, folder }) => {
  const clip = makeClip(folder);
  const y4m = ffmpeg(["-i", clip, "-f", "yuv4mpegpipe", "-"]);
  const [written, read] = await moveBoth([["write", name], { input: y4m }], [["read", name, "--y4m"], {
    runtime: OTHER,
  }]);
  assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
  assertStringIncludes(new TextDecoder().decode(read.out.subarray(0, 60)), "W160 H120 F25:1 ");
  assert(sameBytes(decoded(fileOf(folder, "out.y4m", read.out)), decoded(clip)));
});

videoTest("write takes raw frames from standard input, and makes timestamps from --rate", async ({ name }) => {
  const input = new Uint8Array([...rawFrame("rgb48le", 7, 5), ...rawFrame("rgb48le", 7, 5, 9)]);
  const shape = ["--size", "7x5", "--format", "rgb48le"];
  await using _writer = new VideoCommand(["write", name, ...shape, "--rate", "50"], { input });
  await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
  assertEquals([depot.elementType, depot.frameBytes], ["uint16", 210]);
  const times: bigint[] = [];
  for await (const frame of depot.frames()) {
    const { buffer, byteOffset, byteLength } = frame.data;
    assertEquals(
      new Uint8Array(buffer, byteOffset, byteLength),
      input.subarray(times.length * 210, (times.length + 1) * 210),
    );
    if (times.push(frame.timestampNs) === 2) break;
  }
  assertEquals(times, [0n, 20_000_000n]);
});

videoTest("write stays until a reader has come and read everything, unless it is not to --linger", async ({ name }) => {
  const input = Uint8Array.from({ length: 24 }, (_, i) => i);
  const shape = ["--size", "4x2", "--format", "gray"];
  const left = await move(["write", name, ...shape, "--linger", "0.1"], { input });
  assertEquals([left.code, listed(name)], [0, []]);
  await using writer = new VideoCommand(["write", name, ...shape], { input });
  let said = "";
  await new Promise<void>((resolve) =>
    writer.child.stderr!.on("data", (text: string) => (said += text).includes("until depot") && resolve())
  );
  const { code, out } = await move(["read", name], { runtime: OTHER });
  assertEquals([code, out, (await writer.done).code], [0, input, 0]);
});

videoTest(
  "write --linger keeps the frames of depots that do not wait, too, until they are read",
  async ({ another }) => {
    const input = new Uint8Array(24);
    const shape = ["--size", "4x2", "--format", "gray", "--max-size", "2"];
    for (const whenFull of ["drop", "overwrite"]) {
      const name = another();
      const policy = ["--when-full", whenFull];
      const left = await move(["write", name, ...shape, ...policy], { input });
      assertEquals([left.code, listed(name)], [0, []]);
      await using writer = new VideoCommand(["write", name, ...shape, ...policy, "--linger", "600"], { input });
      await new Promise<void>((resolve) =>
        writer.child.stderr!.on("data", (text: string) => {
          if (text.includes("until depot")) resolve();
        })
      );
      const { code } = await move(["grab", name, "-"], { runtime: OTHER });
      assertEquals(code, 0);
      assertEquals((await move(["read", name])).out.length, 16);
      assertEquals((await writer.done).code, 0);
    }
  },
);

videoTest("write says where its input ends in the middle of a frame, or is none", async ({ name }) => {
  const shape = ["--size", "4x2", "--format", "gray", "--no-linger"];
  const cut = await move(["write", name, ...shape], { input: new Uint8Array(20) });
  assertEquals(cut.code, 1);
  assertStringIncludes(cut.errors, "in the middle of frame 2: after 4 of 8 bytes");
  const empty = await move(["write", name, ...shape], { input: new Uint8Array(0) });
  assertEquals(empty.code, 1);
  assertStringIncludes(empty.errors, "ended before the first frame");
  const bare = await move(["write", name], { input: new Uint8Array(20) });
  assertEquals(bare.code, 2);
  assertStringIncludes(bare.errors, "need --size and --format");
  const unknown = await move(["write", name, "--size", "4x2", "--format", "rgb25"], { input: new Uint8Array(20) });
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.errors, 'the pixel format "rgb25" is not known');
  assertEquals(listed(name), []);
});

videoTest(
  "write goes on with another reader when one is killed in the middle, and no frame is missed",
  async ({ name, folder }) => {
    const clip = makeClip(folder, { frames: 60 });
    await using writer = new VideoCommand(["write", name, "--input", clip, "--max-size", "4"]);
    const all = decoded(clip);
    const frameBytes = 160 * 120 * 3 / 2;
    await using first = new VideoCommand(["read", name], { runtime: OTHER });
    let got = 0;
    await new Promise<void>((resolve) =>
      first.child.stdout!.on("data", (b: Uint8Array) => (got += b.length) >= 5 * frameBytes && resolve())
    );
    first.signal("SIGKILL");
    const whole = Math.floor((await first.done).out.length / frameBytes);
    const second = await move(["read", name]);
    assertEquals([(await writer.done).code, second.code], [0, 0]);
    const from = 60 - second.out.length / frameBytes;
    assert(Number.isInteger(from) && from <= whole, `the first reader had ${whole}, the second began with ${from}`);
    assert(sameBytes(second.out, all.subarray(from * frameBytes)));
  },
);

videoTest("write refuses a depot that another process fills, unless it is to --join", async ({ name }) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2, 1], pixelFormat: "gray", maxSize: 8 });
  await depot.enqueue({ frame: new Uint8Array(8) });
  const shape = ["--size", "4x2", "--format", "gray", "--no-linger"];
  const refused = await move(["write", name, ...shape], { input: new Uint8Array(8) });
  assertEquals(refused.code, 4);
  assertStringIncludes(refused.errors, "--join");
  const joined = await move(["write", name, ...shape, "--join"], { input: new Uint8Array(16).fill(3) });
  assertEquals([joined.code, depot.stats().stored], [0, 3], joined.errors);
  const other = await move(["write", name, "--size", "5x2", "--format", "gray", "--join"], {
    input: new Uint8Array(10),
  });
  assertEquals(other.code, 4);
  assertStringIncludes(other.errors, "its frameSize is 4,2,1, not 5,2,1");
});

videoTest("write --when-full drop counts what it drops, and overwrite keeps the newest", async ({ name, another }) => {
  for (const [policy, depotName, newest, dropped] of [["drop", name, 3, 4], ["overwrite", another(), 7, 0]] as const) {
    const shape = [
      "--size",
      "1x1",
      "--format",
      "gray",
      "--max-size",
      "4",
      "--when-full",
      policy,
      "--no-linger",
      "--json",
    ];
    const input = Uint8Array.from({ length: 8 }, (_, i) => i);
    await using depot = await FramesDepot.create(depotName, {
      ...{ frameSize: [1, 1, 1], pixelFormat: "gray", maxSize: 4, whenFull: policy },
    });
    const { code, out, errors } = await move(["write", depotName, ...shape], { input, runtime: OTHER });
    assertEquals(code, 0, errors);
    assertEquals(JSON.parse(new TextDecoder().decode(out)).dropped, dropped);
    using frame = depot.peekFrame(newest);
    assertEquals(frame?.data[0], newest);
  }
});

videoTest("write --pace keeps the time between frames", async ({ name, folder }) => {
  const clip = makeClip(folder, { rate: "10", frames: 8 });
  await using _depot = await FramesDepot.create(name, {
    ...{ frameSize: [160, 120, 1], pixelFormat: "yuv420p", frameBytes: 28800, whenFull: "overwrite" },
  });
  const started = performance.now();
  const { code, errors } = await move(["write", name, "--input", clip, "--pace", "--no-linger"]);
  assertEquals(code, 0, errors);
  assertGreaterOrEqual(performance.now() - started, 700);
});

/** A shell in which a pipe is silent at first, and what is done with it before the command has it. */
const PIPES: Record<string, { before: string; needs?: string }> = {
  "that is silent at first": { before: ":" },
  "that another process has made non-blocking": {
    before: "python3 -c 'import os; os.set_blocking(0, False)'",
    needs: "python3",
  },
};

for (const runtime of STARTED) {
  for (const [what, { before, needs }] of Object.entries(PIPES)) {
    depotTest(`write in ${runtime} takes every frame of a pipe ${what}`, (name) => {
      if (needs !== undefined && spawnSync(needs, ["--version"]).status !== 0) return skip(`no ${needs} here`);
      const bytes = "for n in 1 2 3; do sleep 0.3; printf 1234567$n; done";
      const shape = ["--size", "4x2", "--format", "gray", "--when-full", "drop"];
      const command = [...cliCommand(runtime), "write", name, ...shape, "--json"];
      const parameters = ["-c", `(${bytes}) | { ${before}; exec "$@"; }`, "sh", ...command];
      const { status, stdout, stderr } = spawnSync("sh", parameters, { encoding: "utf8" });
      assertEquals([status, stderr], [0, ""]);
      assertEquals(JSON.parse(stdout).frames, 3);
    });
  }

  videoTest(
    `write in ${runtime} ends by SIGTERM while its input is silent, and leaves no depot behind`,
    async ({ name }) => {
      const shape = ["--size", "4x2", "--format", "gray"];
      await using writer = new VideoCommand(["write", name, ...shape], {
        runtime,
        input: new Uint8Array(12),
        open: true,
      });
      {
        await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
        for await (const _frame of depot.frames()) break;
      }
      writer.signal("SIGTERM");
      assertEquals((await writer.done).code, 143);
      assertEquals(listed(name), []);
    },
  );
}
