/**
 * Y4M as programs write it: line ends of Windows, old names of colour spaces, long headers, more bits; and headers that
 * say what cannot be.
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { test } from "node:test";
import { parseY4mHeader, y4mHeader } from "../cli/video/y4m.ts";
import { STARTED } from "./support/harness.ts";
import { decoded, ffmpeg, fileOf, move, moveBoth, OTHER, rawFrame, sameBytes, videoTest } from "./support/video.ts";

const text = (words: string) => new TextEncoder().encode(words);
const joined = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

for (const runtime of STARTED) {
  videoTest(`write reads Y4M with the line ends of Windows and a long header (${runtime})`, async ({ name }) => {
    const frames = [rawFrame("yuv422p", 18, 10), rawFrame("yuv422p", 18, 10, 5)];
    const header = `YUV4MPEG2 W18 H10  F25:1 Ip A1:1 XYSCSS=422 XNOTE=${"x".repeat(5000)}\r\n`;
    const input = joined(text(header), ...frames.flatMap((frame) => [text("FRAME Ip\r\n"), frame]));
    const [written, read] = await moveBoth([["write", name], { input, runtime }], [["read", name]]);
    assertEquals([written.code, read.code], [0, 0], written.errors + read.errors);
    assert(sameBytes(read.out, joined(...frames)));
  });

  videoTest(`write says what is wrong with Y4M, with exit code 1 (${runtime})`, async ({ name }) => {
    for (
      const [header, reason] of [
        ["W0 H10 F25:1", 'W is "0"'],
        ["W18 F25:1", "H is missing"],
        ["W18 H10 F25:x", 'F is "25:x"'],
        ["W18 H10 F25:0", 'F is "25:0"'],
        ["W18 H10 F25:1 C420p11", "C420p11"],
        ["W999999 H999999 F25:1", ""], // more than a depot has room for
      ]
    ) {
      const input = text(`YUV4MPEG2 ${header}\nFRAME\n`);
      const { code, errors } = await move(["write", name, "--no-linger"], { input, runtime });
      assertEquals(code, 1, errors);
      assertStringIncludes(errors, reason);
    }
  });
}

videoTest("write and read keep Y4M of 9 to 16 bits, as ffmpeg writes it", async ({ another, folder }) => {
  for (const format of ["yuv420p9le", "yuv422p12le", "yuv444p14le", "yuv420p16le", "gray12le", "yuva444p"]) {
    const name = another();
    const picture = ["-f", "lavfi", "-i", "testsrc2=size=18x10:rate=25", "-frames:v", "2", "-pix_fmt", format];
    const input = ffmpeg([...picture, "-strict", "-1", "-f", "yuv4mpegpipe", "-"]);
    const expected = ffmpeg([...picture, "-f", "rawvideo", "-"]);
    const other = another();
    const [[written, read], [again, y4m]] = await Promise.all([
      moveBoth([["write", name], { input }], [["read", name], { runtime: OTHER }]),
      moveBoth([["write", other], { input, runtime: OTHER }], [["read", other, "--y4m"]]),
    ]);
    const codes = [written, read, again, y4m].map(({ code }) => code);
    assertEquals(codes, [0, 0, 0, 0], written.errors + read.errors + again.errors + y4m.errors);
    assert(sameBytes(read.out, expected), format);
    assert(sameBytes(decoded(fileOf(folder, `${format}.y4m`, y4m.out), ["-pix_fmt", format]), expected), format);
  }
});

test("y4mHeader and parseY4mHeader keep the order of fields", () => {
  for (const fieldOrder of ["progressive", "tt", "bb"] as const) {
    const header = y4mHeader({ width: 2, height: 2, format: "gray", appearance: { fieldOrder } });
    assertEquals(parseY4mHeader(header.trimEnd()).appearance?.fieldOrder, fieldOrder);
  }
  assertEquals(parseY4mHeader("YUV4MPEG2 W2 H2 I?").appearance?.fieldOrder, undefined);
});

test("parseY4mHeader prefers C to XYSCSS, and reads what says nothing as that", () => {
  assertEquals(parseY4mHeader("YUV4MPEG2 W2 H2 C444 XYSCSS=420JPEG").format, "yuv444p");
  assertEquals(parseY4mHeader("YUV4MPEG2 W2 H2 XYSCSS=420P10").format, "yuv420p10le");
  assertEquals(parseY4mHeader("YUV4MPEG2 W2 H2 F0:0 A0:0").rate, undefined);
  assertThrows(() => parseY4mHeader("YUV4MPEG W2 H2"), RangeError);
});
