/**
 * Recordings in which a record is damaged or cannot be right, with an index and without: what is played, what is said,
 * and where `replay --strict` ends.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { crc32 } from "node:zlib";
import { encodeHeader, encodeIndex, encodeRecord, recordBytes, SIZE } from "../cli/video/recording_format.ts";
import { STARTED } from "./support/harness.ts";
import { fileOf, move, moveBoth, videoTest } from "./support/video.ts";

const HEADER = {
  ...{ frameSize: [4, 2, 1] as [number, number, number], elementType: "uint8" as const, pixelFormat: "gray" },
  ...{ frameBytes: 8, variableLength: false, metadataBytes: 100, maxSize: 12, startedNs: 1_700_000_000_000_000_000n },
};
const FRAMES = 8;
const RECORD_BYTES = recordBytes(8, 0);
const offsetOf = (n: number) => SIZE.header + n * RECORD_BYTES;

/** Eight frames, numbered from 10; the metadata of some is longer than the header says. */
function recording(
  { header = HEADER, metadata = {}, numbers = {}, indexed = true }: {
    header?: typeof HEADER;
    metadata?: Record<number, number>;
    numbers?: Record<number, bigint>;
    indexed?: boolean;
  } = {},
): Uint8Array {
  const parts = [encodeHeader(header)];
  const entries = [];
  let offset = SIZE.header;
  for (let n = 0; n < FRAMES; n++) {
    const payload = new Uint8Array(8 + (metadata[n] ?? 0)).fill(n);
    const [frameNumber, timestampNs] = [10 + n, BigInt(n) * 1_000_000n];
    const record = { sequence: n, frameNumber, timestampNs, frameBytes: 8, metadataBytes: metadata[n] ?? 0, lost: 0 };
    const bytes = new Uint8Array(recordBytes(8, metadata[n] ?? 0));
    bytes.set(encodeRecord({ ...record, checksum: crc32(payload) }));
    const view = new DataView(bytes.buffer);
    if (numbers[n] !== undefined) view.setBigInt64(16, numbers[n], true);
    view.setUint32(4, crc32(bytes.subarray(8, SIZE.record)), true);
    bytes.set(payload, SIZE.record);
    parts.push(bytes);
    entries.push({ offset, frameNumber: Number(numbers[n] ?? frameNumber), timestampNs });
    offset += bytes.length;
  }
  if (indexed) parts.push(encodeIndex(entries, offset));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  for (let at = 0; parts.length > 0; at += parts.shift()!.length) whole.set(parts[0], at);
  return whole;
}

/** A recording in which a byte is another one. */
function broken(at: number, indexed: boolean): Uint8Array {
  const bytes = recording({ indexed });
  bytes[at] ^= 0xff;
  return bytes;
}

/** What a file without an index says before anything else. */
const cutOff = (file: string) => `${file} was cut off: it is played up to its last whole frame\n`;

for (const runtime of STARTED) {
  /** Plays a file. @returns the frames that a reader gets, and what is said */
  const play = async (file: string, name: string, options: string[] = []) => {
    const [played, read] = await moveBoth(
      [["replay", file, name, "--speed", "max", "--json", "--wait-readers", "1", ...options], { runtime }],
      [["read", name], { runtime }],
    );
    assertEquals(read.code, 0, read.errors);
    const frames = Array.from({ length: read.out.length / 8 }, (_, i) => read.out[8 * i]);
    const errors = played.errors.replace(/^waiting for .*\n/m, ""); // which it says where the reader comes late
    return { frames, code: played.code, errors, said: JSON.parse(new TextDecoder().decode(played.out)) };
  };

  videoTest(
    `replay --strict plays what is before the damage, and names its place, also without an index (${runtime})`,
    async ({ another, folder }) => {
      for (const indexed of [true, false]) {
        // In the frame, in what is before it, in its mark.
        for (const within of [SIZE.record + 2, 20, 1]) {
          const file = fileOf(folder, "in.fdr", broken(offsetOf(5) + within, indexed));
          const { code, frames, errors } = await play(file, another(), ["--strict"]);
          const what = indexed || within > SIZE.record ? "frame 15" : "the record after frame 14";
          assertEquals([code, frames], [1, [0, 1, 2, 3, 4]]);
          const error = `error: ${file}: ${what} is damaged, at byte ${offsetOf(5)}\n`;
          assertEquals(errors, `${indexed ? "" : cutOff(file)}${error}`);
        }
      }
    },
  );

  videoTest(
    `replay says at each damage what it leaves out, also without an index (${runtime})`,
    async ({ another, folder }) => {
      for (const indexed of [true, false]) {
        const file = fileOf(folder, "in.fdr", broken(offsetOf(0) + 1, indexed));
        const { code, frames, errors, said } = await play(file, another());
        assertEquals([code, frames, said.damaged], [0, [1, 2, 3, 4, 5, 6, 7], 1]);
        const what = indexed ? "frame 10" : "the first record";
        const warning = `warning: ${file}: ${what} is damaged, at byte 96: it is left out\n`;
        assertEquals(errors, `${indexed ? "" : cutOff(file)}${warning}`);
      }
    },
  );

  videoTest(
    `replay of a part does not end at damage outside of it (${runtime})`,
    async ({ another, folder }) => {
      const file = fileOf(folder, "in.fdr", broken(offsetOf(5) + 1, false));
      for (
        const [options, expected] of [
          [["--from", "16"], [6, 7]],
          [["--to", "14"], [0, 1, 2, 3, 4]],
          [["--at", "0.006"], [6, 7]],
        ] as const
      ) {
        const { code, frames, errors } = await play(file, another(), ["--strict", ...options]);
        assertEquals([code, frames], [0, expected], errors);
      }
    },
  );

  videoTest(
    `a record with a number or metadata that no frame has costs itself, not the rest (${runtime})`,
    async ({ another, folder }) => {
      for (const indexed of [true, false]) {
        for (const impossible of [{ numbers: { 3: 2n ** 62n } }, { metadata: { 3: 5000 } }]) {
          const file = fileOf(folder, "in.fdr", recording({ ...impossible, indexed }));
          const { code, frames, errors, said } = await play(file, another());
          assertEquals([code, frames, said.damaged], [0, [0, 1, 2, 4, 5, 6, 7], 1], errors);
          const what = impossible.metadata === undefined ? "the record after frame 12" : "frame 13";
          assertStringIncludes(errors, `${what} is damaged, at byte ${offsetOf(3)}: it is left out`);
          const info = await move(["replay", file, "--info"], { runtime });
          assertEquals(info.code, 0, info.errors);
          assertMatch(new TextDecoder().decode(info.out), /numbered 10 to 17, /);
          const strict = await play(file, another(), ["--strict"]);
          assertEquals([strict.code, strict.frames], [1, [0, 1, 2]]);
          assertStringIncludes(strict.errors, `error: ${file}: ${what} is damaged, at byte ${offsetOf(3)}`);
        }
      }
      // The last one: it is damaged, not cut off.
      const last = fileOf(folder, "last.fdr", recording({ metadata: { 7: 5000 }, indexed: false }));
      const { code, frames, said } = await play(last, another());
      assertEquals([code, frames, said.damaged], [0, [0, 1, 2, 3, 4, 5, 6], 1]);
    },
  );

  videoTest(`replay --loop ends where every frame is damaged (${runtime})`, async ({ name, folder }) => {
    const bytes = recording();
    for (let n = 0; n < FRAMES; n++) bytes[offsetOf(n) + SIZE.record] ^= 0xff;
    const file = fileOf(folder, "in.fdr", bytes);
    const { code, errors } = await move(["replay", file, name, "--loop", "--speed", "max", "--no-linger"], { runtime });
    assertEquals(code, 0, errors);
    assertStringIncludes(errors, `${file}: damaged in 8 places\n`);
  });

  videoTest(
    `replay says what is wrong of a recording that no depot can have (${runtime})`,
    async ({ name, folder }) => {
      const file = fileOf(folder, "in.fdr", recording({ header: { ...HEADER, pixelFormat: "GRAY" } }));
      const { code, errors } = await move(["replay", file, name], { runtime });
      assertEquals(code, 1, errors); // 2 would be a fault of the command line
      assertStringIncludes(errors, `error: cannot play ${file}: pixelFormat must be spelled as in ffmpeg's -pix_fmt`);
    },
  );
}
