/**
 * What the names of pixel formats mean in memory. They are ffmpeg's (`-pix_fmt`), and frames are packed as its
 * `-f rawvideo` has them: plane after plane, without padding at the ends of rows.
 *
 * @module
 */
import { ELEMENT_BYTES } from "../ring/geometry.ts";
import type { ElementType } from "./options.ts";

/** A plane of a pixel format. */
export interface PlaneFormat {
  /**
   * The component of each element in the order of memory, again and again: `"y"`, `"uv"`, `"rgb"`, `"yuyv"`. Elements
   * without a meaning are `"0"`.
   */
  readonly components: string;
  /** How many columns of the frame share one sample of this plane, as a power of two. */
  readonly shiftX: number;
  /** How many rows of the frame share one row of this plane, as a power of two. */
  readonly shiftY: number;
  /** How many pixels `components` stand for: 2 where pairs of pixels share chroma in one plane, else 1. */
  readonly pixels: number;
}

/** Where a plane of a frame is: also what WebCodecs calls a `PlaneLayout`. */
export interface PlaneLayout {
  /** Its components in the order of memory: `"y"`, `"uv"`, `"rgb"`. Empty in a depot without a `pixelFormat`. */
  readonly name: string;
  /** Bytes from the beginning of the frame. */
  readonly offset: number;
  /** Pixels in a row; in a plane of chroma its samples. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
}

/** What one of ffmpeg's pixel formats means in memory. */
export class PixelFormat {
  /** The name, as in ffmpeg's `-pix_fmt`. */
  readonly name: string;
  /** What an element is. */
  readonly elementType: ElementType;
  /** Significant bits of an element. */
  readonly bits: number;
  /** How many zeros are below the significant bits of an element. */
  readonly shift: number;
  /** The planes in the order of memory. */
  readonly planes: readonly PlaneFormat[];

  /**
   * Taken from {@linkcode PIXEL_FORMATS}.
   *
   * @ignore
   */
  constructor(name: string, elementType: ElementType, bits: number, shift: number, planes: readonly PlaneFormat[]) {
    this.name = name;
    this.elementType = elementType;
    this.bits = bits;
    this.shift = shift;
    this.planes = planes;
  }

  /** The third number of a depot's `frameSize`: elements per pixel, or 1 where planes differ in size. */
  get channels(): number {
    if (this.planes.some(({ shiftX, shiftY }) => shiftX + shiftY > 0)) return 1;
    return this.planes.reduce((sum, { components, pixels }) => sum + components.length / pixels, 0);
  }

  /** Whether it has luma and chroma, whose colours depend on a matrix and a range. */
  get isYuv(): boolean {
    return this.planes.some(({ components }) => components.includes("u"));
  }

  /** Whether the name says that luma and chroma use the full range of values, as JPEG does. */
  get isFullRange(): boolean {
    return this.name.startsWith("yuvj");
  }

  /** Where the planes of a frame are. @param width pixels @param height pixels; sizes of chroma are rounded up */
  planesOf(width: number, height: number): PlaneLayout[] {
    let offset = 0;
    return this.planes.map(({ components, shiftX, shiftY, pixels }) => {
      const columns = Math.ceil(width / 2 ** shiftX);
      const rows = Math.ceil(height / 2 ** shiftY);
      const stride = Math.ceil(columns / pixels) * components.length * ELEMENT_BYTES[this.elementType];
      const plane = { name: components, offset, width: columns, height: rows, stride };
      offset += stride * rows;
      return plane;
    });
  }

  /** Bytes of a frame. @param width pixels @param height pixels */
  frameBytes(width: number, height: number): number {
    return this.planesOf(width, height).reduce((sum, { stride, height }) => sum + stride * height, 0);
  }
}

const plane = (components: string, shiftX = 0, shiftY = 0, pixels = 1): PlaneFormat => ({
  components,
  shiftX,
  shiftY,
  pixels,
});

const format = (name: string, planes: PlaneFormat[], bits = 8, shift = 0): PixelFormat =>
  new PixelFormat(name, bits === 32 ? "float32" : bits > 8 ? "uint16" : "uint8", bits, shift, planes);

/** One format for each number of bits. @param bits 8 is the name alone; 32 are floats */
const depths = (name: string, bits: readonly number[], planes: PlaneFormat[]): PixelFormat[] =>
  bits.map((bits) => format(bits === 8 ? name : bits === 32 ? `${name}f32le` : `${name}${bits}le`, planes, bits));

/** Luma, then both planes of chroma, then transparency if there is any. */
const yuv = (prefix: string, sampling: number, bits: readonly number[], alpha = false): PixelFormat[] => {
  const [shiftX, shiftY] = SAMPLINGS[sampling];
  const chroma = [plane("u", shiftX, shiftY), plane("v", shiftX, shiftY)];
  return depths(`${prefix}${sampling}p`, bits, [plane("y"), ...chroma, ...(alpha ? [plane("a")] : [])]);
};

/** How far chroma is reduced: horizontally and vertically, as powers of two. */
const SAMPLINGS: Record<number, readonly [shiftX: number, shiftY: number]> = {
  444: [0, 0],
  440: [0, 1],
  422: [1, 0],
  420: [1, 1],
  411: [2, 0],
  410: [2, 2],
};

/** Luma, then pairs of chroma. @param shift zeros below the significant bits */
const semiplanar = (name: string, sampling: number, pair = "uv", bits = 8, shift = 0): PixelFormat =>
  format(name, [plane("y"), plane(pair, ...SAMPLINGS[sampling])], bits, shift);

const packed = (name: string, components: string, bits = 8, shift = 0): PixelFormat =>
  format(name, [plane(components)], bits, shift);

/** Pairs of pixels with chroma in common. */
const pairs = (name: string, components: string, bits = 8, shift = 0): PixelFormat =>
  format(name, [plane(components, 0, 0, 2)], bits, shift);

const GBR = [plane("g"), plane("b"), plane("r")];

const FORMATS: readonly PixelFormat[] = [
  ...depths("gray", [8, 9, 10, 12, 14, 16, 32], [plane("y")]),
  packed("ya8", "ya"),
  packed("ya16le", "ya", 16),
  packed("rgb24", "rgb"),
  packed("bgr24", "bgr"),
  ...["rgba", "bgra", "argb", "abgr", "rgb0", "bgr0", "0rgb", "0bgr"].map((order) => packed(order, order)),
  packed("rgb48le", "rgb", 16),
  packed("bgr48le", "bgr", 16),
  packed("rgba64le", "rgba", 16),
  packed("bgra64le", "bgra", 16),
  packed("rgbf32le", "rgb", 32),
  packed("rgbaf32le", "rgba", 32),
  ...depths("gbrp", [8, 9, 10, 12, 14, 16, 32], GBR),
  ...depths("gbrap", [8, 10, 12, 14, 16, 32], [...GBR, plane("a")]),
  ...[420, 422, 444].flatMap((sampling) => yuv("yuv", sampling, [8, 9, 10, 12, 14, 16])),
  ...yuv("yuv", 440, [8, 10, 12]),
  ...yuv("yuv", 411, [8]),
  ...yuv("yuv", 410, [8]),
  ...[420, 422, 444, 440, 411].flatMap((sampling) => yuv("yuvj", sampling, [8])),
  ...yuv("yuva", 420, [8, 9, 10, 16], true),
  ...[422, 444].flatMap((sampling) => yuv("yuva", sampling, [8, 9, 10, 12, 16], true)),
  semiplanar("nv12", 420),
  semiplanar("nv21", 420, "vu"),
  semiplanar("nv16", 422),
  semiplanar("nv24", 444),
  semiplanar("nv42", 444, "vu"),
  semiplanar("nv20le", 422, "uv", 10),
  ...([["p0", 420], ["p2", 422], ["p4", 444]] as const).flatMap(([prefix, sampling]) =>
    [10, 12, 16].map((bits) => semiplanar(`${prefix}${bits}le`, sampling, "uv", bits, 16 - bits))
  ),
  pairs("yuyv422", "yuyv"),
  pairs("uyvy422", "uyvy"),
  pairs("yvyu422", "yvyu"),
  ...[10, 12, 16].map((bits) => pairs(`y2${bits}le`, "yuyv", bits, 16 - bits)),
  ...["ayuv", "vuya", "uyva"].map((order) => packed(order, order)),
  packed("vuyx", "vuy0"),
  packed("vyu444", "vyu"),
  packed("ayuv64le", "ayuv", 16),
  packed("xv36le", "uyv0", 12, 4),
  packed("xv48le", "uyv0", 16),
];

/**
 * Every pixel format whose memory is known here, by ffmpeg's name.
 *
 * @example What a name means
 * ```ts
 * import { PIXEL_FORMATS } from "@frames-depot/frames-depot";
 * import { assertEquals } from "@std/assert";
 *
 * const nv12 = PIXEL_FORMATS.get("nv12");
 * assertEquals(nv12?.planesOf(640, 480), [
 *   { name: "y", offset: 0, width: 640, height: 480, stride: 640 },
 *   { name: "uv", offset: 307_200, width: 320, height: 240, stride: 640 },
 * ]);
 * assertEquals([nv12?.channels, nv12?.elementType, nv12?.frameBytes(640, 480)], [1, "uint8", 460_800]);
 * ```
 */
export const PIXEL_FORMATS: ReadonlyMap<string, PixelFormat> = new Map(FORMATS.map((format) => [format.name, format]));

/** Labels of content whose frames vary: their bytes are no pixels. */
export const CONTENTS: readonly string[] = [
  ...["mjpeg", "jpeg", "png", "webp", "h264", "hevc", "av1", "vp8", "vp9", "json"],
];
