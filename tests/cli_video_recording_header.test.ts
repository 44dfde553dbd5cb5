/**
 * The header of a recording whose checksum is right, and which says what no depot is like: refused, and nothing of it
 * reaches the terminal.
 */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { crc32 } from "node:zlib";
import { test } from "node:test";
import { decodeHeader, encodeHeader, HEADER_LIMITS, RecordingDamage } from "../cli/video/recording_format.ts";
import { PIXEL_FORMATS } from "../mod.ts";
import { LIMITS } from "../ring/geometry.ts";
import { STARTED } from "./support/harness.ts";
import { fileOf, move, videoTest } from "./support/video.ts";

const GRAY = {
  ...{ frameSize: [4, 2, 1] as [number, number, number], elementType: "uint8" as const, pixelFormat: "gray" },
  ...{ frameBytes: 8, variableLength: false, metadataBytes: 100, maxSize: 12, startedNs: 1_700_000_000_000_000_000n },
};
const OWN = { ...GRAY, pixelFormat: "mine" };

/** A header with other bytes in one place, and a checksum that is right. */
function changed(header: typeof GRAY, at: number, value: number | bigint | Uint8Array): Uint8Array {
  const bytes = encodeHeader(header);
  const view = new DataView(bytes.buffer);
  if (typeof value === "number") view.setUint32(at, value, true);
  else if (typeof value === "bigint") view.setBigUint64(at, value, true);
  else bytes.set(value, at);
  view.setUint32(92, crc32(bytes.subarray(0, 92)), true);
  return bytes;
}

const label = (text: string) => new TextEncoder().encode(text.padEnd(16, "\0"));
const IMPOSSIBLE: [header: Uint8Array, why: string][] = [
  [changed(GRAY, 12, 0xfffffff8), '"bytes of this header" is 4294967288; it must be 96'],
  [changed(GRAY, 16, 0), '"width" is 0; it must be from 1 to 4294967295'],
  [changed(OWN, 16, 0), '"width" is 0; it must be from 1 to 4294967295'],
  [changed(OWN, 20, 0), '"height" is 0; it must be from 1 to 4294967295'],
  [changed(GRAY, 24, 3), '"channels" is 3; it must be 1, as 4 × 2 gray has it'],
  [changed(GRAY, 28, 3), '"element type" is 3; it must be from 0 to 2'],
  [changed(GRAY, 28, 1), '"element type" is uint16; it must be uint8, as 4 × 2 gray has it'],
  [changed(GRAY, 32, 7n), '"bytes of a frame" is 7; it must be 8, as 4 × 2 gray has it'],
  [changed(GRAY, 32, 2n ** 60n), '"bytes of a frame" is 1152921504606846976; it must be from 1 to 4294901760'],
  [changed(OWN, 32, 0n), '"bytes of a frame" is 0; it must be from 1 to 4294901760'],
  [
    changed({ ...OWN, elementType: "float32" as "uint8" }, 32, 7n),
    '"bytes of a frame" is 7; it must be a multiple of 4',
  ],
  [changed(GRAY, 40, 2 ** 32 - 1), '"maximum of bytes of metadata" is 4294967295; it must be from 0 to 16777216'],
  [changed(GRAY, 44, 0), '"slots" is 0; it must be from 1 to 1048576'],
  [changed(GRAY, 44, 2 ** 32 - 1), '"slots" is 4294967295; it must be from 1 to 1048576'],
  [changed({ ...OWN, maxSize: 1_048_576 }, 32, 4_294_901_760n), '"slots" is 1048576; it must be from 1 to 32768'],
  [changed(GRAY, 48, label("\x1b[31mEVIL\x07\n")), String.raw`"pixel format" is "\x1b[31mEVIL\x07\x0a"; it must be at`],
  [changed(GRAY, 48, label("\xc2\x9b31m")), String.raw`"pixel format" is "\xc3\x82\xc2\x9b31m"; it must be at most 15`],
  [changed(GRAY, 48, label("a\0b")), String.raw`"pixel format" is "a\x00b"; it must be at most 15 printable ASCII`],
  [changed(GRAY, 48, label("0123456789abcdef")), '"pixel format" is "0123456789abcdef"; it must be at most 15'],
  [changed(GRAY, 72, 2), '"lengths of their own" is 2; it must be from 0 to 1'],
  [changed(GRAY, 72, 1), '"lengths of their own" is 1; it must be 0, as 4 × 2 gray has it'],
];

test("decodeHeader refuses what no depot is like, and names the field, its value and its limit", () => {
  for (const [header, why] of IMPOSSIBLE) {
    assertThrows(() => decodeHeader(header), RecordingDamage, `its header is damaged: the field ${why}`);
  }
});

test("decodeHeader reads whatever a depot can be like", () => {
  const { pixelFormat: most, ...limits } = HEADER_LIMITS;
  assertEquals({ ...LIMITS, ...limits, pixelFormat: most }, LIMITS); // the same numbers
  for (const [pixelFormat, format] of PIXEL_FORMATS) {
    const { elementType, channels } = format;
    const frameSize: [number, number, number] = [64, 48, channels];
    const frameBytes = format.frameBytes(64, 48);
    const header = { ...GRAY, pixelFormat, frameSize, elementType, frameBytes };
    assertEquals(decodeHeader(encodeHeader(header)), header);
  }
  for (
    const header of [
      { ...OWN, pixelFormat: "" },
      { ...OWN, pixelFormat: "~!0123456789abc", metadataBytes: LIMITS.metadataBytes, frameBytes: 7 },
      { ...OWN, pixelFormat: "mjpeg", frameSize: [0, 0, 0] as [number, number, number], variableLength: true },
      { ...OWN, pixelFormat: "h264", frameSize: [640, 480, 0] as [number, number, number], variableLength: true },
      { ...OWN, frameSize: [LIMITS.dimension, LIMITS.dimension, 1] as [number, number, number] },
      { ...OWN, frameBytes: LIMITS.frameBytes, maxSize: 32768 },
    ]
  ) assertEquals(decodeHeader(encodeHeader(header)), header);
});

for (const runtime of STARTED) {
  videoTest(`replay refuses a header that cannot be right (${runtime})`, async ({ name, folder }) => {
    for (const at of [9, 12, 15]) {
      const [header, why] = IMPOSSIBLE[at];
      const file = fileOf(folder, "bad.fdr", header);
      for (const parameters of [[name], ["--info"]]) {
        const { code, out, errors } = await move(["replay", file, ...parameters], { runtime });
        assertEquals([code, out.length], [1, 0], errors);
        assertStringIncludes(errors, `error: ${file}: its header is damaged: the field ${why}`);
        assertEquals(/[^\x20-\x7e\n]/.test(errors.replaceAll("×", "")), false, errors);
      }
    }
  });
}
