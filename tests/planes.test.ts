/**
 * Planes of frames and slots: where they are, that they are the shared memory itself, and what becomes of them. Their
 * sizes beside ffmpeg's are in `pixel_formats.test.ts`.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { FramesDepot, type PlaneLayout } from "../mod.ts";
import { depotTest } from "./support/harness.ts";
import { ffmpeg, fileOf, rawFrame, videoTest } from "./support/video.ts";

const ramp = (length: number) => Uint8Array.from({ length }, (_, i) => i);
const placeOf = ({ name, offset, width, height, stride }: PlaneLayout) => [name, offset, width, height, stride];

/** A format, and its planes at 7 × 5: name, offset, width, height, stride. */
const PLANES: [string, unknown[][]][] = [
  ["yuv420p", [["y", 0, 7, 5, 7], ["u", 35, 4, 3, 4], ["v", 47, 4, 3, 4]]],
  ["yuva422p", [["y", 0, 7, 5, 7], ["u", 35, 4, 5, 4], ["v", 55, 4, 5, 4], ["a", 75, 7, 5, 7]]],
  ["yuv410p", [["y", 0, 7, 5, 7], ["u", 35, 2, 2, 2], ["v", 39, 2, 2, 2]]],
  ["yuv440p12le", [["y", 0, 7, 5, 14], ["u", 70, 7, 3, 14], ["v", 112, 7, 3, 14]]],
  ["nv21", [["y", 0, 7, 5, 7], ["vu", 35, 4, 3, 8]]],
  ["nv24", [["y", 0, 7, 5, 7], ["uv", 35, 7, 5, 14]]],
  ["p010le", [["y", 0, 7, 5, 14], ["uv", 70, 4, 3, 16]]],
  ["yuyv422", [["yuyv", 0, 7, 5, 16]]],
  ["gbrpf32le", [["g", 0, 7, 5, 28], ["b", 140, 7, 5, 28], ["r", 280, 7, 5, 28]]],
  ["0bgr", [["0bgr", 0, 7, 5, 28]]],
  ["ya16le", [["ya", 0, 7, 5, 28]]],
];

for (const [pixelFormat, places] of PLANES) {
  depotTest(`frame.planes of ${pixelFormat} are views of the frame, one behind the other`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [7, 5], pixelFormat });
    await depot.enqueue({ frameNumber: 1, frame: ramp(depot.frameBytes) });
    using frame = depot.peekFrame(1)!;
    const { planes } = frame;
    assertEquals(planes.map(placeOf), places);
    for (const { data, offset, stride, height } of planes) {
      assertEquals([data.buffer === frame.data.buffer, data.constructor], [true, frame.data.constructor]);
      assertEquals([data.byteOffset, data.byteLength], [frame.data.byteOffset + offset, stride * height]);
      assertEquals(new Uint8Array(data.buffer, data.byteOffset, 1)[0], offset & 255);
    }
    assert(frame.planes === planes);
    const [first] = planes;
    frame.release();
    assertEquals(first.data.length, 0);
    assertThrows(() => frame.planes, TypeError, "frame 1 has been released");
  });
}

depotTest("slot.planes are written in place, and are gone afterwards", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2], pixelFormat: "yuv420p" });
  const slot = depot.tryClaim()!;
  const { planes } = slot;
  for (const [value, plane] of planes.entries()) plane.data.fill(value + 1);
  slot.publish();
  assertEquals([planes.map(({ data }) => data.length), slot.planes], [[0, 0, 0], []]);
  using frame = depot.getFrame(0)!;
  assertEquals([...frame.data], [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3]);
});

depotTest("frame.planes of a depot without a format is one plane, which ends with its reader", async (name) => {
  await using depot = await FramesDepot.create(name, { frameSize: [4, 2, 3] });
  await depot.enqueue({ frame: ramp(24) });
  const reader = depot.frames();
  const { planes } = reader.tryNext()!;
  assertEquals([planes.map(placeOf), planes[0].data.length], [[["", 0, 4, 2, 12]], 24]);
  reader.release();
  assertEquals(planes[0].data.length, 0);
});

depotTest("frame.planes is empty where a frame is no rows of pixels", async (_, another) => {
  const none = [
    { frameSize: [4, 2, 3], pixelFormat: "padded", frameBytes: 64 },
    { frameSize: [4, 2, 3], pixelFormat: "mjpeg", variableLength: false },
    { pixelFormat: "json", frameBytes: 9, variableLength: false },
  ] as const;
  for (const options of none) {
    await using depot = await FramesDepot.create(another(), options);
    await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(depot.frameBytes) });
    using frame = depot.peekFrame(1)!;
    assertEquals(frame.planes, []);
  }
  await using depot = await FramesDepot.create(another(), { frameSize: [4, 2, 3], variableLength: true });
  await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(24) });
  await depot.enqueue({ frameNumber: 2, frame: new Uint8Array(12) });
  using whole = depot.peekFrame(1)!;
  using part = depot.peekFrame(2)!;
  assertEquals([whole.planes.length, part.planes.length], [1, 0]);
});

videoTest("frame.planes has each component where ffmpeg's extractplanes finds it", async ({ another, folder }) => {
  const formats = { yuv420p: "yuv", yuv422p10le: "yuv", yuva444p: "yuva", gbrp: "gbr", gbrap16le: "gbra" };
  for (const [pixelFormat, components] of Object.entries(formats)) {
    const raw = rawFrame(pixelFormat, 7, 5);
    await using depot = await FramesDepot.create(another(), { frameSize: [7, 5], pixelFormat });
    await depot.enqueue({ frameNumber: 1, frame: raw });
    using frame = depot.peekFrame(1)!;
    const source = ["-f", "rawvideo", "-pix_fmt", pixelFormat, "-s", "7x5", "-i", fileOf(folder, pixelFormat, raw)];
    for (const [i, component] of [...components].entries()) {
      const theirs = ffmpeg([...source, "-vf", `extractplanes=${component}`, "-f", "rawvideo", "-"]);
      const { data } = frame.planes[i];
      assertEquals(
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
        theirs,
        `${pixelFormat} ${component}`,
      );
    }
  }
});
