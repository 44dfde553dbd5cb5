/**
 * What the names of pixel formats mean: beside ffmpeg where it is installed, and what is refused with what would be
 * right. Planes are in `planes.test.ts`.
 */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DepotError, type DepotOptions, FramesDepot, PIXEL_FORMATS } from "../mod.ts";
import { depotTest } from "./support/harness.ts";
import { ffmpeg, videoTest } from "./support/video.ts";

/** ffmpeg's formats, and whether it can make frames of them. */
function formatsOfFfmpeg(): { name: string; isMade: boolean }[] {
  const { stdout } = spawnSync("ffmpeg", ["-v", "error", "-pix_fmts"], { encoding: "utf8" });
  return Array.from(
    stdout.matchAll(/^[I.]([O.])[H.][P.][B.] (\w+)/gm),
    ([, made, name]) => ({ name, isMade: made === "O" }),
  );
}

videoTest(
  "PIXEL_FORMATS gives each frame the bytes that ffmpeg gives it, in odd and even sizes",
  async ({ folder }) => {
    const made = formatsOfFfmpeg().filter(({ name, isMade }) => isMade && PIXEL_FORMATS.has(name));
    assertEquals(made.length > 80, true, `ffmpeg makes only ${made.length} of them`);
    for (const [width, height] of [[7, 5], [8, 6]]) {
      const outputs = made.flatMap(({ name }) => [
        ...[
          "-vf",
          `scale=${width}:${height},format=${name}`,
          "-frames:v",
          "1",
          "-f",
          "rawvideo",
          "-y",
          join(folder, name),
        ],
      ]);
      ffmpeg(["-f", "lavfi", "-i", "testsrc2=size=64x48", ...outputs]);
      const theirs = made.map(({ name }) => [name, statSync(join(folder, name)).size]);
      assertEquals(made.map(({ name }) => [name, PIXEL_FORMATS.get(name)!.frameBytes(width, height)]), theirs);
    }
    await Promise.resolve();
  },
);

videoTest("create takes the other names of ffmpeg as labels with a size of their own", async ({ another }) => {
  for (const { name } of formatsOfFfmpeg()) {
    if (PIXEL_FORMATS.has(name) || name.length > 15) continue;
    await using depot = await FramesDepot.create(another(), { frameSize: [3, 2, 2], frameBytes: 5, pixelFormat: name });
    assertEquals([depot.pixelFormat, depot.frameBytes], [name, 5]);
  }
});

depotTest("create lets channels, element type and bytes follow from format and size", async (_, another) => {
  const expected = [
    ["yuv420p", [7, 5], [7, 5, 1], "uint8", 35 + 2 * 12],
    ["nv12", [8, 6], [8, 6, 1], "uint8", 72],
    ["rgb24", [7, 5], [7, 5, 3], "uint8", 105],
    ["yuv444p", [7, 5], [7, 5, 3], "uint8", 105],
    ["yuyv422", [7, 5], [7, 5, 2], "uint8", 80],
    ["rgb48le", [7, 5, 3], [7, 5, 3], "uint16", 210],
    ["p010le", [8, 6], [8, 6, 1], "uint16", 144],
    ["gbrpf32le", [7, 5], [7, 5, 3], "float32", 420],
    ["ya8", [7, 5], [7, 5, 2], "uint8", 70],
  ] as const;
  for (const [pixelFormat, frameSize, size, elementType, frameBytes] of expected) {
    await using depot = await FramesDepot.create(another(), { frameSize, pixelFormat });
    assertEquals([depot.frameSize as number[], depot.elementType, depot.frameBytes], [
      [...size],
      elementType,
      frameBytes,
    ]);
    await using same = await FramesDepot.createOrOpen(depot.name, {
      frameSize: size,
      elementType,
      pixelFormat,
      frameBytes,
    });
    assertEquals(same.id, depot.id);
  }
});

// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;

/** What contradicts itself, and what its message says. */
const CONTRADICTIONS: [Wrong, string][] = [
  [{ frameSize: [640, 480, 3], pixelFormat: "yuv420p" }, "frameSize's channels must be 1, as yuv420p has it: 3"],
  [{ frameSize: [640, 480, 4], pixelFormat: "rgb24" }, "frameSize's channels must be 3, as rgb24 has it: 4"],
  [
    { frameSize: [640, 480], pixelFormat: "yuv420p", frameBytes: 921_600 },
    "frameBytes of 640 × 480 must be 460800, as yuv420p has it: 921600",
  ],
  [
    { frameSize: [640, 480], pixelFormat: "rgb48le", elementType: "uint8" },
    'elementType must be "uint16", as rgb48le has it: "uint8"',
  ],
  [{ frameSize: [640, 480], pixelFormat: "gray", elementType: "float32" }, 'elementType must be "uint8"'],
  [{ frameSize: [640, 480], pixelFormat: "gray", variableLength: true }, "variableLength must be false"],
  [
    { frameBytes: 100, pixelFormat: "mjpeg", elementType: "uint16", variableLength: true },
    'elementType must be "uint8", as mjpeg has it',
  ],
  [{ frameSize: [4, 2], pixelFormat: "yuvj420p", color: { range: "limited" } }, `color's range must be "full"`],
];

for (const [options, says] of CONTRADICTIONS) {
  depotTest(`create refuses ${JSON.stringify(options)}`, async (name) => {
    const error = await assertRejects(() => FramesDepot.create(name, options), RangeError);
    assertStringIncludes(error.message, says);
    await assertRejects(() => FramesDepot.createOrOpen(name, options), RangeError);
  });
}

depotTest("create refuses a label that is nearly a known name, and tells the name", async (name) => {
  const slips = {
    RGB24: "rgb24",
    Yuv420p: "yuv420p",
    rgb42: "rgb24",
    yuv420: "yuv420p",
    yuv42op: "yuv420p",
    grey: "gray",
    mjpg: "mjpeg",
    MJPEG: "mjpeg",
    gray16: "gray16le",
    p010: "p010le",
    I420: "yuv420p",
    RGBX: "rgb0",
    h265: "hevc",
    yuyv: "yuyv422",
  };
  for (const [pixelFormat, right] of Object.entries(slips)) {
    const options = { frameSize: [4, 2, 3], frameBytes: 24, pixelFormat } as const;
    const error = await assertRejects(() => FramesDepot.create(name, options), RangeError, pixelFormat);
    assertStringIncludes(error.message, `"${pixelFormat}"; did you mean "${right}"?`);
  }
});

depotTest("create takes labels of one's own, and needs all three numbers with them", async (name, another) => {
  for (const pixelFormat of ["thermal", "depth", "mono", "YV12", "h263", "rgb8", "constructor", "a"]) {
    await using depot = await FramesDepot.create(another(), { frameSize: [4, 2, 3], pixelFormat });
    assertEquals([depot.pixelFormat, depot.frameBytes], [pixelFormat, 24]);
    const error = await assertRejects(() => FramesDepot.create(name, { frameSize: [4, 2], pixelFormat }), TypeError);
    assertEquals(
      error.message,
      `frameSize must be [width, height, channels]: [4, 2]; pixelFormat "${pixelFormat}" is none of PIXEL_FORMATS, ` +
        "which have channels",
    );
  }
  const error = await assertRejects(() => FramesDepot.create(name, { frameSize: [4, 2] }), TypeError);
  assertEquals(error.message, "frameSize must be [width, height, channels]: [4, 2]");
});

depotTest(
  "create of content of varying length needs no size, but the most bytes that a frame has",
  async (name, another) => {
    for (const pixelFormat of ["mjpeg", "h264", "hevc", "json"]) {
      await using depot = await FramesDepot.create(another(), { pixelFormat, frameBytes: 100, variableLength: true });
      assertEquals([depot.frameSize as number[], depot.frameBytes, depot.elementType], [[0, 0, 0], 100, "uint8"]);
      await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(7).fill(1) });
      await using other = await FramesDepot.open(depot.name);
      using frame = other.peekFrame(1)!;
      assertEquals([frame.byteLength, frame.width, frame.planes.length], [7, 0, 0]);
      const fixed = { pixelFormat, frameBytes: 100, variableLength: false };
      await using sized = await FramesDepot.create(another(), { ...fixed, frameSize: [4, 2] });
      assertEquals([sized.frameSize as number[], sized.variableLength], [[4, 2, 0], false]);
      const varying = { pixelFormat, variableLength: true };
      for (const options of [varying, { ...varying, frameSize: [4, 2] as const }] satisfies DepotOptions[]) {
        await assertRejects(() => FramesDepot.create(name, options), TypeError, "frameBytes");
      }
    }
  },
);

depotTest("create of content whose length varies wants to know whether frames may differ in length", async (name) => {
  for (const create of [FramesDepot.create, FramesDepot.createOrOpen]) {
    const error = await assertRejects(() => create(name, { pixelFormat: "mjpeg", frameBytes: 5000 }), TypeError);
    assertEquals(
      error.message,
      "variableLength must be given for mjpeg, whose frames differ in length: undefined; `variableLength: true` takes " +
        "frames of up to frameBytes, false only frames of exactly frameBytes",
    );
  }
});

depotTest("open with an element type takes a depot of these elements only", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2], pixelFormat: "rgb48le" });
  await using same = await FramesDepot.open(name, { elementType: "uint16" });
  assertEquals([same.elementType, same.id], ["uint16", depot.id]);
  const error = await assertRejects(() => FramesDepot.open(name, { elementType: "uint8" }), DepotError);
  assertEquals(error.code, "INCOMPATIBLE");
  assertStringIncludes(error.message, `cannot open depot "${name}": its elementType is "uint16", not "uint8"; without`);
  assertEquals(depot.stats().peers.length, 2);
  await assertRejects(() => FramesDepot.open(name, { elementType: "int8" as Wrong }), RangeError, "elementType");
});
