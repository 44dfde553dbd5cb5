/**
 * `record`: every frame with number, timestamp and metadata; what is left when it is killed, or the disk is full; the
 * last frames on a signal.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { cliCommand } from "./support/cli.ts";
import { HERE, skip, STARTED } from "./support/harness.ts";
import { mountable } from "./support/namespaces.ts";
import { decoded, makeClip, move, moveBoth, OTHER, sameBytes, VideoCommand, videoTest } from "./support/video.ts";

const SHAPE = { frameSize: [64, 48, 3] as [number, number, number], pixelFormat: "rgb24", metadataBytes: 8 };
const FRAME_BYTES = 64 * 48 * 3;
const frameOf = (n: number) => ({
  frameNumber: n * 10 - 5,
  timestampNs: BigInt(n) * 1_000_000n,
  metadata: new Uint8Array(n % 8).fill(n),
  frame: new Uint8Array(FRAME_BYTES).fill(n),
});

type Seen = { number: number; timestampNs: bigint; metadata: number[]; first: number; last: number };

/** What a replay brings, frame by frame. */
async function replayed(file: string, name: string, options: string[] = []): Promise<Seen[]> {
  await using player = new VideoCommand(["replay", file, name, "--speed", "max", ...options], { runtime: OTHER });
  const seen: Seen[] = [];
  {
    await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
    const { frames } = await info(file);
    for await (const { frameNumber, timestampNs, metadata, data } of depot.frames()) {
      const [first, last] = [data[0], data[data.length - 1]];
      seen.push({ number: frameNumber, timestampNs, metadata: [...metadata], first, last });
      if (seen.length === frames) break;
    }
  }
  const { code, errors } = await player.done;
  assertEquals(code, 0, errors);
  return seen;
}

async function info(
  file: string,
): Promise<{ frames: number; complete: boolean; firstNumber: number; lastNumber: number }> {
  const { code, out, errors } = await move(["replay", file, "--info", "--json"]);
  assertEquals(code, 0, errors);
  return JSON.parse(new TextDecoder().decode(out));
}

const expected = (numbers: number[]) =>
  numbers.map((n) => ({
    ...{ number: n * 10 - 5, timestampNs: BigInt(n) * 1_000_000n, metadata: Array(n % 8).fill(n), first: n, last: n },
  }));
const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, i) => from + i);

videoTest(
  "record and replay of a real clip give the frames that ffmpeg alone decodes, bit for bit",
  async ({ name, another, folder }) => {
    const [clip, file, second] = [makeClip(folder), join(folder, "out.fdr"), another()];
    const [written, recorded] = await moveBoth(
      [["write", name, "--input", clip]],
      [["record", name, file, "--json"], { runtime: OTHER }],
    );
    assertEquals([written.code, recorded.code], [0, 0], written.errors + recorded.errors);
    const { bytes, ...said } = JSON.parse(new TextDecoder().decode(recorded.out));
    assertEquals(said, { depot: name, file, frames: 30, lost: 0 });
    assert(bytes > 30 * 28800);
    const [played, read] = await moveBoth([["replay", file, second, "--speed", "max"]], [["read", second], {
      runtime: OTHER,
    }]);
    assertEquals([played.code, read.code], [0, 0], played.errors + read.errors);
    assert(sameBytes(read.out, decoded(clip)));
  },
);

videoTest("record keeps number, timestamp and metadata of every frame", async ({ name, another, folder }) => {
  const file = join(folder, "out.fdr");
  await using recorder = new VideoCommand(["record", name, file]);
  {
    await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait" });
    for (const n of upTo(25)) await depot.enqueue(frameOf(n));
    depot.end();
    while (depot.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { code, errors } = await recorder.done;
  assertEquals(code, 0, errors);
  assertEquals(await replayed(file, another()), expected(upTo(25)));
  const again = await move(["record", name, file, "--timeout", "5"]);
  assertEquals(again.code, 4); // the file is there, and that is said before the depot is waited for
  const late = await move(["record", name, file, "--overwrite", "--timeout", "0.1"]);
  assertEquals(late.code, 3);
});

videoTest("record does not replace a file unless it is to --overwrite", async ({ name, folder }) => {
  const file = join(folder, "out.fdr");
  await using depot = await FramesDepot.create(name, SHAPE);
  await depot.enqueue(frameOf(1));
  const record = ["record", name, file, "--frames", "1", "--mode", "lossy"];
  const codes = [];
  for (const more of [[], [], ["--overwrite"]]) codes.push((await move([...record, ...more])).code);
  assertEquals(codes, [0, 4, 0]);
});

for (const runtime of STARTED) {
  videoTest(
    `record in ${runtime} that is killed leaves a recording up to its last whole frame`,
    async ({ name, another, folder }) => {
      const file = join(folder, "out.fdr");
      await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait" });
      await using recorder = new VideoCommand(["record", name, file], { runtime });
      for (let n = 0; !existsSync(file) || statSync(file).size < 40 * FRAME_BYTES;) {
        const { state } = await depot.enqueue(frameOf(n), { timeoutMs: 1000 });
        if (state === "stored") n++;
      }
      recorder.signal("SIGKILL");
      await recorder.done;
      const { frames, complete } = await info(file);
      assert(frames >= 39, `${frames} frames`);
      assertEquals(complete, false);
      assertEquals(await replayed(file, another()), expected(upTo(frames)));
    },
  );
}

videoTest("record ends by Ctrl-C with a complete file", async ({ name, folder }) => {
  const file = join(folder, "out.fdr");
  await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait" });
  await using recorder = new VideoCommand(["record", name, file], { runtime: OTHER });
  for (const n of upTo(15)) await depot.enqueue(frameOf(n)); // ten slots: it has begun to read
  while (depot.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  recorder.signal("SIGINT");
  assertEquals((await recorder.done).code, 130);
  assertEquals(await info(file).then(({ frames, complete }) => [frames, complete]), [15, true]);
});

for (const runtime of STARTED) {
  videoTest(`record says that a limit on file sizes is reached (${runtime})`, async ({ name, another, folder }) => {
    if (process.platform !== "linux") return skip("needs Linux");
    await using depot = await FramesDepot.create(name, { frameSize: [1024, 1024, 4], maxSize: 12, whenFull: "wait" });
    for (let n = 0; n < 12; n++) await depot.enqueue({ frame: new Uint8Array(depot.frameBytes).fill(n) });
    const file = join(folder, "out.fdr");
    const limited = ["-c", 'ulimit -f 40000; exec "$@"', "sh", ...cliCommand(runtime), "record", name, file]; // 20 to 40 MB
    const { status, stderr } = spawnSync("sh", limited, { encoding: "utf8", timeout: 60_000 });
    assertEquals(status, 5, stderr);
    assertMatch(stderr, /cannot record to .*out\.fdr: it has reached the limit of a file's size; its \d frames/);
    const { frames } = await info(file);
    assert(frames >= 4 && frames <= 9, `${frames} frames`);
    assertStringIncludes(stderr, `its ${frames} frames`);
    const { code, errors } = await move(["replay", file, another(), "--speed", "max", "--no-linger", "--strict"]);
    assertEquals(code, 0, errors);
  });
}

videoTest("record says that the disk is full, and what it wrote can be played", async ({ name, another, folder }) => {
  const flags = mountable;
  if (flags === undefined) return skip("no file systems can be mounted here: needs Linux and namespaces");
  const file = join(folder, "out.fdr");
  await using depot = await FramesDepot.create(name, { ...SHAPE, whenFull: "wait" });
  let full = false;
  const filling = (async () => {
    for (let n = 0; !full;) {
      const { state } = await depot.enqueue(frameOf(n % 200), { timeoutMs: 100 });
      if (state === "stored") n++;
    }
  })();
  try {
    // The small disk is seen by these processes only; the recording is copied out of it when it is full.
    const shell = 'mount -t tmpfs -o size=1m tmpfs "$1" && (cd "$1" && "$RUNTIME" $FLAGS record "$2" small.fdr); ' +
      'code=$?; cp "$1/small.fdr" "$3"; exit $code';
    const [runtime, ...parameters] = cliCommand();
    const outside = join(folder, "disk");
    spawnSync("mkdir", [outside]);
    const run = await new Promise<{ status: number; errors: string }>((resolve) => {
      const child = spawn("unshare", [...flags, "sh", "-c", shell, "sh", outside, name, file], {
        env: { ...process.env, NO_COLOR: "1", RUNTIME: runtime, FLAGS: parameters.join(" ") },
      });
      let errors = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
      child.stdout.resume();
      child.on("close", (code) => resolve({ status: code ?? -1, errors }));
    });
    assertEquals(run.status, 5, run.errors);
    assertStringIncludes(run.errors, "cannot record to small.fdr: no space left on the device; its ");
    const { frames } = await info(file);
    assertStringIncludes(run.errors, `its ${frames} frames`);
    assert(frames > 100, `${frames} frames in a megabyte`);
    assertEquals((await replayed(file, another())).slice(0, 100), expected(upTo(100)));
  } finally {
    full = true;
    await filling;
  }
});

for (const runtime of STARTED) {
  videoTest(`record to a disk that takes no byte leaves no file behind (${runtime})`, async ({ name, folder }) => {
    if (mountable === undefined) return skip("no file systems can be mounted here: needs Linux and namespaces");
    await using depot = await FramesDepot.create(name, SHAPE);
    await depot.enqueue(frameOf(1));
    // The disk is filled, and emptied for a second attempt, which needs no --overwrite.
    const shell = `mount -t tmpfs -o size=64k tmpfs "$1" && cd "$1" && cat /dev/zero > rest 2> /dev/null
      record() { "$RUNTIME" $FLAGS record "$2" small.fdr --frames 1 --mode lossy; }
      record "$@"; echo "$?" $(ls -A); rm rest; record "$@" > /dev/null; echo "$?" $(ls -A)`;
    const [executable, ...flags] = cliCommand(runtime);
    const { stdout, stderr } = spawnSync("unshare", [...mountable, "sh", "-c", shell, "sh", folder, name], {
      env: { ...process.env, NO_COLOR: "1", RUNTIME: executable, FLAGS: flags.join(" ") },
      encoding: "utf8",
    });
    assertEquals(stdout, "5 rest\n0 small.fdr\n", stderr);
    assertEquals(
      stderr,
      "error: cannot record to small.fdr: no space left on the device; " +
        "not even its header of 96 B was written, so it is removed\n",
    );
  });

  videoTest(
    `record --last in ${runtime} writes what led up to a signal, and goes on`,
    async ({ name, another, folder }) => {
      await using depot = await FramesDepot.create(name, { ...SHAPE, maxSize: 32, whenFull: "drop" });
      const pattern = join(folder, "crash-{n}.fdr");
      const record = ["record", name, pattern, "--last", "5", "--mode", "lossless", "--on-exit", "--json"];
      await using recorder = new VideoCommand(record, { runtime });
      let said = "";
      let more = () => {};
      recorder.child.stdout!.on("data", (bytes: Uint8Array) => (said += new TextDecoder().decode(bytes), more()));
      const lines = async (count: number) => {
        while (said.split("\n").length <= count) await new Promise<void>((resolve) => more = resolve);
        return said.trim().split("\n").map((line) => JSON.parse(line));
      };
      const put = async (numbers: number[]) => {
        for (const n of numbers) await depot.enqueue(frameOf(n));
        while (depot.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      await put(upTo(12));
      recorder.signal("SIGUSR2");
      const [first] = await lines(1);
      assertEquals([first.file, first.frames], [join(folder, "crash-1.fdr"), 5]);
      assertEquals(await replayed(first.file, another()), expected(upTo(12, 7)));
      await put(upTo(15, 12));
      recorder.signal("SIGUSR1");
      const [, second] = await lines(2);
      assertEquals(await replayed(second.file, another()), expected(upTo(15, 12)));
      await put(upTo(16, 15));
      recorder.signal("SIGTERM");
      assertEquals((await recorder.done).code, 143);
      assertEquals(readdirSync(folder).sort(), ["crash-1.fdr", "crash-2.fdr", "crash-3.fdr"]);
      assertEquals(await info(join(folder, "crash-3.fdr")).then(({ frames, lastNumber }) => [frames, lastNumber]), [
        1,
        145,
      ]);
    },
  );
}

videoTest(
  "record --last numbers its files where the name has no place for it, and says that no new frame has come",
  async ({ name, folder }) => {
    await using depot = await FramesDepot.create(name, SHAPE);
    await using recorder = new VideoCommand(["record", name, join(folder, "moment.fdr"), "--last", "2"], {
      runtime: HERE,
    });
    while (depot.stats().peers.every(({ self, readers }) => self || readers.length === 0)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    let errors = "";
    const complained = new Promise<void>((resolve) =>
      recorder.child.stderr!.on(
        "data",
        (text: string) => (errors += text).includes("no new frame has come") && resolve(),
      )
    );
    recorder.signal("SIGUSR2");
    await complained;
    await depot.enqueue(frameOf(1));
    while (depot.stats().peers.some(({ self, readers }) => !self && readers[0]?.read === 0)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    recorder.signal("SIGUSR2");
    while (readdirSync(folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(readdirSync(folder), ["moment-1.fdr"]); // the first attempt has used no number up
  },
);
