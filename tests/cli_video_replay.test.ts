/**
 * `replay`: its pace, where it begins and ends, and what it says of files that are damaged or no recordings.
 */
import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  decodeFooter,
  decodeHeader,
  decodeIndex,
  decodeRecord,
  encodeHeader,
  encodeIndex,
  encodeRecord,
  recordBytes,
  RecordingDamage,
  SIZE,
} from "../cli/video/recording_format.ts";
import { COLOR_NAMES, FramesDepot } from "../mod.ts";
import { STARTED } from "./support/harness.ts";
import { bytesOfFile, move, OTHER, VideoCommand, videoTest } from "./support/video.ts";

const SHAPE = {
  ...{ frameSize: [4, 2, 1] as [number, number, number], elementType: "uint8" as const, pixelFormat: "gray" },
  ...{ frameBytes: 8, variableLength: false, metadataBytes: 3, maxSize: 12 },
};
const STEP_NS = 100_000_000n;
const FRAMES = 10;
/** Where each record begins, and where the last one ends. */
const OFFSETS = Array.from({ length: FRAMES }).reduce<number[]>(
  (offsets, _, n) => [...offsets, offsets[n] + recordBytes(8, n % 4)],
  [SIZE.header],
);

/** Ten frames, a tenth of a second apart, numbered from 100 in steps of two, recorded by the command. */
async function makeRecording(name: string, folder: string): Promise<string> {
  const file = join(folder, "in.fdr");
  await using depot = await FramesDepot.create(name, SHAPE);
  for (let n = 0; n < FRAMES; n++) {
    await depot.enqueue({
      ...{ frameNumber: 100 + 2 * n, timestampNs: 5n * STEP_NS + BigInt(n) * STEP_NS },
      ...{ frame: new Uint8Array(8).fill(n), metadata: new Uint8Array(n % 4).fill(n) },
    });
  }
  const { code, errors } = await move(["record", name, file, "--frames", String(FRAMES), "--mode", "lossy"]);
  assertEquals(code, 0, errors);
  return file;
}

/** Numbers, timestamps and arrival times of the frames that a replay brings. */
async function play(name: string, parameters: string[], count: number): Promise<[number[], bigint[], number[]]> {
  await using player = new VideoCommand(["replay", ...parameters], { runtime: OTHER });
  const [numbers, times, arrivals]: [number[], bigint[], number[]] = [[], [], []];
  {
    await using depot = await FramesDepot.open(name, { timeoutMs: 60_000 });
    for await (const frame of depot.frames()) {
      numbers.push(frame.frameNumber);
      times.push(frame.timestampNs);
      arrivals.push(performance.now());
      if (numbers.length === count) break;
    }
  }
  if (parameters.includes("--loop")) player.signal("SIGTERM");
  const { code, errors } = await player.done;
  assertEquals(code, parameters.includes("--loop") ? 143 : 0, errors);
  return [numbers, times, arrivals];
}

const even = (first: number, last: number) => Array.from({ length: (last - first) / 2 + 1 }, (_, i) => first + 2 * i);

videoTest("replay keeps the time between frames, and --speed changes it", async ({ name, another, folder }) => {
  const file = await makeRecording(another(), folder);
  // 900 ms at the recording's own speed; a busy machine may see the first frame late.
  for (const [speed, leastMs, depotName] of [["1", 600], ["0.5", 1400], ["max", 0]].map((row) => [...row, another()])) {
    const [numbers, times, arrivals] = await play(String(depotName), [
      file,
      String(depotName),
      "--speed",
      String(speed),
    ], 10);
    assertEquals(numbers, even(100, 118));
    assertEquals(times, numbers.map((_, n) => 5n * STEP_NS + BigInt(n) * STEP_NS));
    assertGreaterOrEqual(arrivals[9] - arrivals[0], Number(leastMs));
  }
  const before = BigInt(Date.now()) * 1_000_000n;
  const [, stamps] = await play(name, [file, name, "--speed", "max", "--timestamps", "now"], 10);
  assert(stamps[0] >= before && stamps[9] >= stamps[0]);
});

videoTest("replay --from, --to and --at choose frames by number and by time", async ({ another, folder }) => {
  const file = await makeRecording(another(), folder);
  for (
    const [options, first, last] of [
      [["--from", "105", "--to", "110"], 106, 110],
      [["--at", "0.45"], 110, 118],
      [["--at", "0.4"], 108, 118],
      [["--to", "100"], 100, 100],
    ] as const
  ) {
    const name = another();
    const expected = even(first, last);
    const [numbers] = await play(name, [file, name, "--speed", "max", ...options], expected.length);
    assertEquals(numbers, expected, options.join(" "));
  }
  const nothing = await move(["replay", file, another(), "--from", "200"]);
  assertEquals(nothing.code, 3);
  assertStringIncludes(nothing.errors, "its numbers are 100 to 118, its length is 0.900 s");
});

videoTest("replay --loop goes on with growing numbers and timestamps", async ({ name, another, folder }) => {
  const file = await makeRecording(another(), folder);
  const [numbers, times] = await play(name, [file, name, "--speed", "max", "--loop", "--from", "114"], 7);
  assertEquals(numbers, [114, 116, 118, 119, 121, 123, 124]);
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  assertEquals(gaps, Array(6).fill(STEP_NS));
});

videoTest(
  "replay --info says what is in a recording, and finds every whole frame where one was cut off",
  async ({ another, folder }) => {
    const file = await makeRecording(another(), folder);
    const inform = async () =>
      JSON.parse(new TextDecoder().decode((await move(["replay", file, "--info", "--json"])).out));
    const { startedMs, ...said } = await inform();
    assert(Math.abs(Date.now() - startedMs) < 600_000);
    assertEquals(said, {
      ...{ file, complete: true, frames: 10, firstNumber: 100, lastNumber: 118, durationMs: 900 },
      ...SHAPE,
    });
    const bytes = bytesOfFile(file);
    const end = OFFSETS[FRAMES];
    assertEquals(bytes.length, end + SIZE.index + FRAMES * SIZE.entry + SIZE.footer);
    for (
      const [length, whole] of [
        [bytes.length - 1, 10],
        [end + SIZE.index, 10],
        [end, 10],
        [end - 8, 9],
        [OFFSETS[9] + SIZE.record - 1, 9],
        [OFFSETS[4] + SIZE.record + 8, 5], // frame 104 has no metadata: it ends here
        [OFFSETS[4] + SIZE.record + 7, 4],
        [SIZE.header, 0],
      ]
    ) {
      truncateSync(file, length);
      const { complete, frames } = await inform();
      assertEquals([complete, frames], [false, whole], `${length} bytes`);
    }
  },
);

videoTest("replay --strict stops at a frame that is damaged, and names it", async ({ name, another, folder }) => {
  const file = await makeRecording(another(), folder);
  const bytes = bytesOfFile(file);
  const offset = OFFSETS[3];
  const damage = async (at: number, expected: string) => {
    const broken = bytes.slice();
    broken[at] ^= 0xff;
    writeFileSync(file, broken);
    const { code, errors } = await move(["replay", file, another(), "--speed", "max", "--no-linger", "--strict"]);
    assertEquals(code, 1, errors);
    assertStringIncludes(errors, expected);
  };
  await damage(offset + SIZE.record + 2, "frame 106 is damaged");
  await damage(offset + 20, `frame 106 is damaged, at byte ${offset}`);
  await damage(20, "its header is damaged");
  await damage(0, "it is not a recording");
  writeFileSync(file, bytes);
  assertEquals((await move(["replay", join(folder, "missing"), name])).code, 3);
  assertEquals((await move(["replay", file])).code, 2);
});

for (const runtime of STARTED) {
  videoTest(`replay leaves a damaged frame out, and plays the rest (${runtime})`, async ({ another, folder }) => {
    const file = await makeRecording(another(), folder);
    const bytes = bytesOfFile(file);
    const withoutIndex = bytes.subarray(0, OFFSETS[FRAMES]);
    for (const [whole, cutOff] of [[bytes, false], [withoutIndex, true]] as const) {
      // In the frame, in what is before it, in its mark.
      for (const at of [SIZE.record + 2, 20, 1]) {
        const broken = whole.slice();
        broken[OFFSETS[3] + at] ^= 0xff;
        writeFileSync(file, broken);
        const name = another();
        const options = ["--speed", "max", "--json", "--max-size", "16"];
        const [played, read] = await Promise.all([
          move(["replay", file, name, ...options], { runtime }),
          move(["read", name], { runtime }),
        ]);
        assertEquals([played.code, read.code], [0, 0], played.errors + read.errors);
        assertEquals(
          Array.from({ length: read.out.length / 8 }, (_, i) => read.out[8 * i]),
          [0, 1, 2, 4, 5, 6, 7, 8, 9],
        );
        const { frames, damaged, cutOff: isCutOff } = JSON.parse(new TextDecoder().decode(played.out));
        assertEquals([frames, damaged, isCutOff], [9, 1, cutOff], played.errors);
      }
    }
  });

  videoTest(`replay cuts where the clock of a recording steps (${runtime})`, async ({ another, folder }) => {
    for (const step of [3600, -3600]) {
      const [name, copy] = [another(), another()];
      const file = join(folder, `${step}.fdr`);
      await using depot = await FramesDepot.create(name, SHAPE);
      for (let n = 0; n < FRAMES; n++) {
        const timestampNs = 10_000n * 1_000_000_000n + BigInt(n) * STEP_NS +
          (n < 5 ? 0n : BigInt(step) * 1_000_000_000n);
        await depot.enqueue({ frameNumber: n, timestampNs, frame: new Uint8Array(8).fill(n) });
      }
      const recorded = await move(["record", name, file, "--frames", String(FRAMES), "--mode", "lossy"], { runtime });
      assertEquals(recorded.code, 0, recorded.errors);
      const started = performance.now();
      const [played, read] = await Promise.all([
        move(["replay", file, copy], { runtime }),
        move(["read", copy], { runtime }),
      ]);
      assertEquals([played.code, read.out.length], [0, 8 * FRAMES], played.errors + read.errors);
      assertGreaterOrEqual(performance.now() - started, 850); // at its pace, on both sides of the cut
      assertStringIncludes(played.errors, `steps by ${step > 0 ? "+" : ""}${step} s before frame 5`);
      const { out } = await move(["replay", file, "--info", "--json"], { runtime });
      const { cuts, durationMs } = JSON.parse(new TextDecoder().decode(out));
      assertEquals([cuts, durationMs], [[{ frameNumber: 5, seconds: step }], 900]);
    }
  });

  videoTest(
    `record and replay keep colours, the shape of pixels and fields (${runtime})`,
    async ({ another, folder }) => {
      const [name, copy] = [another(), another()];
      const file = join(folder, "colours.fdr");
      const color = { matrix: "bt2020nc", range: "full", primaries: "bt2020", transfer: "smpte2084" } as const;
      {
        const said = { color, sampleAspectRatio: [64, 45], fieldOrder: "bb" } as const;
        const shape = { frameSize: [4, 2] as const, pixelFormat: "yuv420p", ...said };
        await using depot = await FramesDepot.create(name, shape);
        await depot.enqueue({ frame: new Uint8Array(12) });
        const recorded = await move(["record", name, file, "--frames", "1", "--mode", "lossy"], { runtime });
        assertEquals(recorded.code, 0, recorded.errors);
      }
      await using player = new VideoCommand(["replay", file, copy], { runtime });
      {
        await using depot = await FramesDepot.open(copy, { timeoutMs: 60_000 });
        assertEquals(depot.color, color);
        assertEquals([depot.sampleAspectRatio, depot.fieldOrder], [[64, 45], "bb"]);
        for await (const _frame of depot.frames()) break;
      }
      assertEquals((await player.done).code, 0);
    },
  );
}

videoTest("record and replay keep the length of each frame, where lengths vary", async ({ name, another, folder }) => {
  const file = join(folder, "varying.fdr");
  const lengths = [8, 0, 3, 8, 5];
  const played: number[][] = [];
  {
    await using depot = await FramesDepot.create(name, { pixelFormat: "mjpeg", frameBytes: 8, variableLength: true });
    for (const length of lengths) await depot.enqueue({ frame: new Uint8Array(length).fill(length) });
    const { code, errors } = await move(["record", name, file, "--frames", "5", "--mode", "lossy"]);
    assertEquals(code, 0, errors);
  }
  const { out } = await move(["replay", file, "--info"]);
  assertStringIncludes(new TextDecoder().decode(out), "  uint8, mjpeg, up to 8 B a frame");
  const copy = another();
  await using player = new VideoCommand(["replay", file, copy, "--speed", "max"], { runtime: OTHER });
  {
    await using depot = await FramesDepot.open(copy, { timeoutMs: 60_000 });
    assertEquals([depot.variableLength, depot.pixelFormat, depot.frameBytes], [true, "mjpeg", 8]);
    for await (const frame of depot.frames()) {
      played.push([...frame.data]);
      if (played.length === lengths.length) break;
    }
  }
  assertEquals((await player.done).code, 0);
  assertEquals(played, lengths.map((length) => Array(length).fill(length)));
});

test("decodeRecord, decodeHeader and decodeIndex read what was written, and nothing that was changed", () => {
  const written = { ...SHAPE, startedNs: 1_700_000_000_000_000_000n };
  const record = {
    ...{
      sequence: 2 ** 53 - 2,
      frameNumber: Number.MIN_SAFE_INTEGER,
      timestampNs: 2n ** 64n - 1n,
      frameBytes: 2 ** 32 - 65536,
    },
    ...{ metadataBytes: 2 ** 24, lost: 7, checksum: 0xdeadbeef },
  };
  const bytes = encodeRecord(record);
  assertEquals(decodeRecord(bytes), record);
  const header = encodeHeader(written);
  assertEquals(decodeHeader(header), written);
  for (const [part, names] of Object.entries(COLOR_NAMES)) {
    for (const name of names) {
      const coloured = { ...written, color: { [part]: name }, sampleAspectRatio: [3, 4] as const };
      assertEquals(decodeHeader(encodeHeader(coloured)), coloured);
    }
  }
  for (const fieldOrder of ["progressive", "tt", "bb", "tb", "bt"] as const) {
    assertEquals(decodeHeader(encodeHeader({ ...written, fieldOrder })), { ...written, fieldOrder });
  }
  const entries = [{ offset: 2 ** 50, frameNumber: -3, timestampNs: 9n }];
  const index = encodeIndex(entries, 1234);
  const footer = decodeFooter(index.subarray(-SIZE.footer))!;
  assertEquals([footer.offset, footer.count], [1234, 1]);
  assertEquals(decodeIndex(index.subarray(0, -SIZE.footer), footer.checksum), entries);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(decodeRecord(changed), undefined, `bit ${bit}`);
  }
  for (let bit = 0; bit < header.length * 8; bit++) {
    const changed = header.slice();
    changed[bit >> 3] ^= 1 << (bit & 7);
    let refused = false;
    try {
      decodeHeader(changed);
    } catch (error) {
      refused = error instanceof RecordingDamage;
    }
    assert(refused, `bit ${bit}`);
  }
});
