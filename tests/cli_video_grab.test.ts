/**
 * `grab`: its pictures beside those that ffmpeg makes of the same bytes, for every pixel format.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { test } from "node:test";
import { decodedFormats } from "../cli/video/pixel_formats.ts";
import { type Colors, type Picture, toPicture } from "../cli/video/to_rgb.ts";
import { type Color, FramesDepot, PIXEL_FORMATS, type PixelFormat } from "../mod.ts";
import { decoded, ffmpeg, fileOf, move, OTHER, rawFrame, sameBytes, videoTest } from "./support/video.ts";

const pixelFormat = (name: string): PixelFormat => PIXEL_FORMATS.get(name)!;

/**
 * How far a colour may be from ffmpeg's, of 255, where ffmpeg is told to round rightly and not to smooth the chroma.
 * By default its rounding costs 3, and for some formats, nv12 among them, it smooths.
 */
const YUV_TOLERANCE = 1;
/** How far a value of 16 bits may be from ffmpeg's where that rounds on the way. */
const ROUNDING = 34;
const EXACTLY = ["-sws_flags", "neighbor+accurate_rnd+full_chroma_int"];

/** The largest difference between two pictures. */
function distance(one: Picture["data"], other: Picture["data"]): number {
  assertEquals(one.length, other.length);
  let most = 0;
  for (let i = 0; i < one.length; i++) most = Math.max(most, Math.abs(one[i] - other[i]));
  return most;
}

/** Frames as ffmpeg converts them by itself. */
function converted(folder: string, format: string, size: string, raw: Uint8Array, to: string): Uint8Array {
  const source = ["-f", "rawvideo", "-pix_fmt", format, "-s", size, "-i", fileOf(folder, "raw", raw)];
  // Unless told so, ffmpeg takes the range of floats for another than that of integers.
  const range = format === "grayf32le" ? ["-vf", "scale=in_range=full:out_range=full"] : [];
  const flags = pixelFormat(format).isYuv ? EXACTLY : [];
  return ffmpeg([...source, ...flags, ...range, "-pix_fmt", to, "-f", "rawvideo", "-"]);
}

function elements(
  format: string,
  raw: Uint8Array,
): Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  const { elementType } = pixelFormat(format);
  const { buffer } = raw.slice();
  return elementType === "uint8"
    ? new Uint8Array(buffer)
    : elementType === "uint16"
    ? new Uint16Array(buffer)
    : new Float32Array(buffer);
}

/** Formats that ffmpeg makes frames of, but for depths between others. */
const CHOSEN = decodedFormats(undefined).filter((name) => !/^nv16$|^nv20le$|^y210le$|(?:9|12|14)le$/.test(name)).map(
  pixelFormat,
);

/** What ffmpeg makes of the frame that `toPicture` has made a picture of, in the same layout. */
function theirsOf(folder: string, format: PixelFormat, picture: Picture, raw: Uint8Array): Picture["data"] {
  const names = { 1: ["gray", "gray16le"], 3: ["rgb24", "rgb48le"], 4: ["rgba", "rgba64le"] } as const;
  const isWide = picture.data instanceof Uint16Array;
  const size = `${picture.width}x${picture.height}`;
  const bytes = converted(folder, format.name, size, raw, names[picture.channels][isWide ? 1 : 0]);
  return isWide ? new Uint16Array(bytes.slice().buffer) : bytes;
}

/** The largest difference between ffmpeg's picture of a format and ours. */
function distanceOf(folder: string, format: PixelFormat, width: number, height: number): number {
  const raw = rawFrame(format.name, width, height);
  const picture = toPicture(elements(format.name, raw), format, width, height);
  return distance(picture.data, theirsOf(folder, format, picture, raw));
}

videoTest("toPicture is exact for gray and the RGB family, with 8 and 16 bits", async ({ folder }) => {
  for (const format of CHOSEN.filter(({ isYuv }) => !isYuv)) {
    // ffmpeg rounds where it goes from floats, from 10 bits, and from bgra64le by way of fewer bits.
    const isExact = (format.bits === 8 || format.bits === 16) && format.name !== "bgra64le";
    const most = distanceOf(folder, format, 18, 10);
    assert(most <= (isExact ? 0 : ROUNDING), `${format.name}: ${most}`);
  }
  await Promise.resolve();
});

videoTest(`toPicture of YUV is at most ${YUV_TOLERANCE} of 255 from ffmpeg's`, async ({ folder }) => {
  for (const format of CHOSEN.filter(({ isYuv }) => isYuv)) {
    const most = distanceOf(folder, format, 64, 48);
    assert(most <= YUV_TOLERANCE, `${format.name}: ${most}`);
  }
  await Promise.resolve();
});

test("toPicture knows black, white and the primaries of each matrix, limited and full", () => {
  const red = { smpte170m: [81, 90, 240], bt709: [63, 102, 240], bt2020nc: [74, 97, 240] } as const;
  for (const matrix of ["smpte170m", "bt709", "bt2020nc"] as const) {
    const pixel = (...yuv: readonly number[]) => {
      return [...toPicture(Uint8Array.from(yuv), pixelFormat("yuv444p"), 1, 1, { matrix }).data];
    };
    assertEquals([pixel(16, 128, 128), pixel(235, 128, 128)], [[0, 0, 0], [255, 255, 255]]);
    assertEquals(pixel(0, 128, 128), [0, 0, 0]);
    const [r, g, b] = pixel(...red[matrix]);
    assert(r >= 253 && g <= 2 && b <= 2, `${matrix}: ${r} ${g} ${b}`);
  }
  const gray = (format: string, colors: Colors) => {
    return toPicture(Uint8Array.of(16, 128, 128), pixelFormat(format), 1, 1, colors).data[0];
  };
  assertEquals([gray("yuv444p", { range: "full" }), gray("yuvj444p", {}), gray("yuv444p", {})], [16, 16, 0]);
});

videoTest("grab takes matrix and range from the depot, unless --matrix says another", async ({ another, folder }) => {
  const frame = Uint8Array.of(...new Array(4).fill(81), ...[90, 240]);
  const grabbed = async (color: Color, ...options: string[]) => {
    await using depot = await FramesDepot.create(another(), { frameSize: [2, 2], pixelFormat: "yuv420p", color });
    await depot.enqueue({ frame });
    const { code, out, errors } = await move(["grab", depot.name, "-", ...options]);
    assertEquals(code, 0, errors);
    return [...decoded(fileOf(folder, "out.png", out), ["-pix_fmt", "rgb24"]).subarray(0, 3)];
  };
  const red = await grabbed({});
  assert(red[0] >= 253 && red[1] <= 2 && red[2] <= 2);
  assertEquals(await grabbed({ matrix: "bt470bg", range: "limited" }), red);
  assertEquals(await grabbed({ matrix: "bt709" }, "--matrix", "bt601"), red);
  assertEquals(await grabbed({}, "--matrix", "bt709"), await grabbed({ matrix: "bt709" }));
  assert((await grabbed({ matrix: "bt709" }))[1] > 20);
  assert((await grabbed({ range: "full" }))[1] > 10);
  await using odd = await FramesDepot.create(another(), {
    ...{ frameSize: [2, 2], pixelFormat: "yuv420p", color: { matrix: "ycgco" } } as const,
  });
  await odd.enqueue({ frame });
  const refused = await move(["grab", odd.name, "-"]);
  assertEquals(refused.code, 4);
  assertStringIncludes(refused.errors, "its matrix is ycgco; --matrix takes it for another");
});

videoTest(
  "grab writes a PNG whose pixels are the frame's, of odd sizes and 16 bits too",
  async ({ another, folder }) => {
    for (const [format, target] of [["rgb24", "rgb24"], ["bgra", "rgba"], ["gray", "gray"], ["rgb48le", "rgb48le"]]) {
      const [raw, name] = [rawFrame(format, 7, 5), another()];
      const { channels, elementType } = pixelFormat(format);
      await using depot = await FramesDepot.create(name, {
        frameSize: [7, 5, channels],
        elementType,
        pixelFormat: format,
      });
      await depot.enqueue({ frame: raw });
      const file = join(folder, `${format}.png`);
      const { code, errors } = await move(["grab", name, file], { runtime: OTHER });
      assertEquals(code, 0, errors);
      assert(sameBytes(decoded(file, ["-pix_fmt", target]), converted(folder, format, "7x5", raw, target)), format);
      assertEquals(depot.length, 1);
    }
  },
);

videoTest("grab converts nv12 and yuv420p as ffmpeg does", async ({ another, folder }) => {
  for (const format of ["nv12", "yuv420p"]) {
    const [raw, name] = [rawFrame(format, 64, 48), another()];
    await using depot = await FramesDepot.create(name, {
      frameSize: [64, 48, 1],
      frameBytes: raw.length,
      pixelFormat: format,
    });
    await depot.enqueue({ frame: raw });
    const { code, out, errors } = await move(["grab", name, "-"]);
    assertEquals(code, 0, errors);
    const pixels = decoded(fileOf(folder, "out.png", out), ["-pix_fmt", "rgb24"]);
    assert(distance(pixels, converted(folder, format, "64x48", raw, "rgb24")) <= YUV_TOLERANCE);
  }
});
