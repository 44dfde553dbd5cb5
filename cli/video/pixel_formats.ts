/**
 * What ffmpeg's `-pix_fmt` names mean in memory: how many elements a frame has, in which planes, and what they are.
 * Frames are packed tightly, without padding at the ends of lines, as `-f rawvideo` has them.
 *
 * @module
 */
import type { ElementType } from "../../mod.ts";

/** Where the colours of a pixel stand: offsets into its elements. `alpha` is absent where there is none. */
export type PackedRgb = { kind: "rgb"; red: number; green: number; blue: number; alpha?: number };

/** Luma and chroma. Chroma planes are `2 ** shift` times smaller, rounded up. */
export type Yuv = {
  kind: "yuv";
  /** `planar`: Y, U, V. `semiplanar`: Y, then pairs. `packed`: pairs of pixels in four elements. */
  layout: "planar" | "semiplanar" | "packed";
  shiftX: number;
  shiftY: number;
  /** Significant bits of an element, and how far they are shifted up in it. */
  bits: number;
  up: number;
  /** In `semiplanar`, whether V comes first; in `packed`, the offsets of Y, U and V in the four elements. */
  swapped?: boolean;
  offsets?: readonly [y: number, u: number, v: number];
  /** Luma 0 to 255 instead of 16 to 235: the `yuvj` formats. */
  full: boolean;
};

/** One of ffmpeg's pixel formats. */
export type PixelFormat = {
  name: string;
  elementType: ElementType;
  /** The third of a depot's `frameSize`: elements a pixel, 1 where planes differ in size. */
  channels: number;
  model: PackedRgb | Yuv | { kind: "gray" };
};

const rgb = (name: string, order: string, elementType: ElementType = "uint8"): PixelFormat => ({
  name,
  elementType,
  channels: order.length,
  model: {
    kind: "rgb",
    red: order.indexOf("r"),
    green: order.indexOf("g"),
    blue: order.indexOf("b"),
    ...(order.includes("a") ? { alpha: order.indexOf("a") } : {}),
  },
});

const gray = (name: string, elementType: ElementType): PixelFormat => ({
  name,
  elementType,
  channels: 1,
  model: { kind: "gray" },
});

const yuv = (name: string, shiftX: number, shiftY: number, more: Partial<Yuv> = {}): PixelFormat => {
  const model: Yuv = { kind: "yuv", layout: "planar", shiftX, shiftY, bits: 8, up: 0, full: false, ...more };
  const channels = model.layout === "packed" ? 2 : shiftX + shiftY === 0 ? 3 : 1;
  return { name, elementType: model.bits > 8 ? "uint16" : "uint8", channels, model };
};

const FORMATS: readonly PixelFormat[] = [
  gray("gray", "uint8"),
  gray("gray16le", "uint16"),
  gray("grayf32le", "float32"),
  rgb("rgb24", "rgb"),
  rgb("bgr24", "bgr"),
  rgb("rgba", "rgba"),
  rgb("bgra", "bgra"),
  rgb("argb", "argb"),
  rgb("abgr", "abgr"),
  rgb("rgb0", "rgb0"),
  rgb("bgr0", "bgr0"),
  rgb("0rgb", "0rgb"),
  rgb("0bgr", "0bgr"),
  rgb("rgb48le", "rgb", "uint16"),
  rgb("bgr48le", "bgr", "uint16"),
  rgb("rgba64le", "rgba", "uint16"),
  rgb("bgra64le", "bgra", "uint16"),
  yuv("yuv420p", 1, 1),
  yuv("yuv422p", 1, 0),
  yuv("yuv444p", 0, 0),
  yuv("yuv411p", 2, 0),
  yuv("yuvj420p", 1, 1, { full: true }),
  yuv("yuvj422p", 1, 0, { full: true }),
  yuv("yuvj444p", 0, 0, { full: true }),
  yuv("yuv420p10le", 1, 1, { bits: 10 }),
  yuv("yuv422p10le", 1, 0, { bits: 10 }),
  yuv("yuv444p10le", 0, 0, { bits: 10 }),
  yuv("nv12", 1, 1, { layout: "semiplanar" }),
  yuv("nv21", 1, 1, { layout: "semiplanar", swapped: true }),
  yuv("p010le", 1, 1, { layout: "semiplanar", bits: 10, up: 6 }),
  yuv("yuyv422", 1, 0, { layout: "packed", offsets: [0, 1, 3] }),
  yuv("yvyu422", 1, 0, { layout: "packed", offsets: [0, 3, 1] }),
  yuv("uyvy422", 1, 0, { layout: "packed", offsets: [1, 0, 2] }),
];

const BY_NAME = new Map(FORMATS.map((format) => [format.name, format]));
const ELEMENT_BYTES: Record<ElementType, number> = { uint8: 1, uint16: 2, float32: 4 };

/** Every name, as ffmpeg's `format` filter and people choose from them. */
export const PIXEL_FORMAT_NAMES: readonly string[] = [...BY_NAME.keys()];

/** The format of a name, if it is one of those known here. */
export function pixelFormat(name: string): PixelFormat | undefined {
  return BY_NAME.get(name);
}

/** What a depot's frames most likely are: its label's meaning or, without a label, what its shape suggests. */
export function pixelFormatOf(
  depot: { pixelFormat: string; elementType: ElementType; frameSize: readonly [number, number, number] },
): PixelFormat | undefined {
  if (depot.pixelFormat !== "") return pixelFormat(depot.pixelFormat);
  const [, , channels] = depot.frameSize;
  const names: Record<ElementType, Record<number, string>> = {
    uint8: { 1: "gray", 3: "rgb24", 4: "rgba" },
    uint16: { 1: "gray16le", 3: "rgb48le", 4: "rgba64le" },
    float32: { 1: "grayf32le" },
  };
  return pixelFormat(names[depot.elementType][channels] ?? "");
}

/** Width and height of the chroma of a picture, in samples: rounded up, as ffmpeg does. */
export function chromaSize(model: Yuv, width: number, height: number): [width: number, height: number] {
  return [Math.ceil(width / 2 ** model.shiftX), Math.ceil(height / 2 ** model.shiftY)];
}

/** Elements of a frame. */
function frameElements({ channels, model }: PixelFormat, width: number, height: number): number {
  if (model.kind !== "yuv") return width * height * channels;
  const [chromaWidth, chromaHeight] = chromaSize(model, width, height);
  return model.layout === "packed" ? chromaWidth * 4 * height : width * height + 2 * chromaWidth * chromaHeight;
}

/** Bytes of a frame. */
export function frameBytes(format: PixelFormat, width: number, height: number): number {
  return frameElements(format, width, height) * ELEMENT_BYTES[format.elementType];
}
