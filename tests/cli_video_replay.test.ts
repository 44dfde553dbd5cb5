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
  RecordingDamage,
  SIZE,
} from "../cli/video/recording_format.ts";
import { Recording } from "../cli/video/recording_reader.ts";
import { RecordingWriter } from "../cli/video/recording_writer.ts";
import { FramesDepot } from "../mod.ts";
import { bytesOfFile, move, OTHER, VideoCommand, videoTest } from "./support/video.ts";

const HEADER = {
  ...{ frameSize: [4, 2, 1] as [number, number, number], elementType: "uint8" as const, pixelFormat: "gray" },
  ...{ frameBytes: 8, metadataBytes: 3, maxSize: 6, startedNs: 1_700_000_000_000_000_000n },
};
const STEP_NS = 100_000_000n;

/** Ten frames, a tenth of a second apart, numbered from 100 in steps of two. */
async function makeRecording(folder: string, name = "in.fdr"): Promise<string> {
  const file = join(folder, name);
  const writer = await RecordingWriter.create(file, HEADER, false);
  for (let n = 0; n < 10; n++) {
    await writer.add({
      ...{ sequence: n, frameNumber: 100 + 2 * n, timestampNs: 5n * STEP_NS + BigInt(n) * STEP_NS, lost: 0 },
      ...{ bytes: new Uint8Array(8).fill(n), metadata: new Uint8Array(n % 4).fill(n) },
    });
  }
  await writer.finish();
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
  const file = await makeRecording(folder);
  for (const [speed, leastMs, depotName] of [["1", 850], ["3", 280], ["max", 0]].map((row) => [...row, another()])) {
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
  const file = await makeRecording(folder);
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

videoTest("replay --loop goes on with growing numbers and timestamps", async ({ name, folder }) => {
  const file = await makeRecording(folder);
  const [numbers, times] = await play(name, [file, name, "--speed", "max", "--loop", "--from", "114"], 7);
  assertEquals(numbers, [114, 116, 118, 119, 121, 123, 124]);
  const gaps = times.slice(1).map((time, i) => time - times[i]);
  assertEquals(gaps, Array(6).fill(STEP_NS));
});

videoTest("replay --info says what is in a recording, also in one that was cut off", async ({ folder }) => {
  const file = await makeRecording(folder);
  const inform = async () =>
    JSON.parse(new TextDecoder().decode((await move(["replay", file, "--info", "--json"])).out));
  const { startedNs: _, ...shape } = HEADER;
  const whole = {
    ...{ file, complete: true, frames: 10, firstNumber: 100, lastNumber: 118, durationMs: 900 },
    ...{ startedMs: 1_700_000_000_000, ...shape },
  };
  assertEquals(await inform(), whole);
  truncateSync(file, SIZE.header + 5 * 56 + 8 * 2 + 60); // in the middle of a record
  const { complete, frames } = await inform();
  assert(!complete && frames >= 4 && frames < 10, `${complete} ${frames}`);
  truncateSync(file, SIZE.header);
  assertEquals(await inform().then(({ frames }) => frames), 0);
});

videoTest("replay stops at a frame that is damaged, and names it", async ({ name, another, folder }) => {
  const file = await makeRecording(folder);
  const bytes = bytesOfFile(file);
  const recording = await Recording.open(file);
  const { offset } = recording.entries[3];
  await recording.close();
  const damage = async (at: number, expected: string) => {
    const broken = bytes.slice();
    broken[at] ^= 0xff;
    writeFileSync(file, broken);
    const { code, errors } = await move(["replay", file, another(), "--speed", "max", "--no-linger"]);
    assertEquals(code, 1, errors);
    assertStringIncludes(errors, expected);
  };
  await damage(offset + SIZE.record + 2, "frame 106 is damaged");
  await damage(offset + 20, "a record is damaged");
  await damage(20, "its header is damaged");
  await damage(0, "no recording");
  writeFileSync(file, bytes);
  assertEquals((await move(["replay", join(folder, "missing"), name])).code, 3);
  assertEquals((await move(["replay", file])).code, 2);
});

videoTest("Recording finds every whole frame wherever a file is cut", async ({ folder }) => {
  const file = await makeRecording(folder);
  const bytes = bytesOfFile(file);
  const { entries } = await opened(file);
  const ends = [...entries.slice(1).map(({ offset }) => offset), decodeFooter(bytes.subarray(-SIZE.footer))!.offset];
  for (let length = SIZE.header; length < bytes.length; length++) {
    writeFileSync(file, bytes.subarray(0, length));
    const cut = await opened(file);
    const last = ends.filter((end) => end <= length + 7).length; // what fills a record up to 8 bytes may be missing
    assert(cut.entries.length === last || cut.entries.length === last - 1, `${length} bytes: ${cut.entries.length}`);
    assertEquals(cut.entries, entries.slice(0, cut.entries.length));
    assertEquals(cut.complete, false);
  }
});

async function opened(file: string): Promise<Recording> {
  const recording = await Recording.open(file);
  await recording.close();
  return recording;
}

test("decodeRecord, decodeHeader and decodeIndex read what was written, and nothing that was changed", () => {
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
  const header = encodeHeader(HEADER);
  assertEquals(decodeHeader(header), HEADER);
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
