/**
 * Frames for Y4M, which has a place for planar YUV and gray only: what webcams and pictures have is converted.
 *
 * @module
 */
import { PIXEL_FORMATS, type PixelFormat } from "../../mod.ts";
import { type Matrix, toPicture } from "./to_rgb.ts";
import { converterOf } from "./raw_frames.ts";
import { Y4M_PIXEL_FORMATS } from "./y4m.ts";

/** What frames become. */
export type Y4mFrames = { format: PixelFormat; convert?: (frame: Uint8Array) => Uint8Array };

/** How frames of a format get into Y4M; undefined where they would lose bits or transparency. */
export function y4mFramesOf(format: PixelFormat, width: number, height: number): Y4mFrames | undefined {
  if (Y4M_PIXEL_FORMATS.includes(format.name)) return { format };
  const planar = converterOf(format, width, height);
  if (planar !== undefined) return Y4M_PIXEL_FORMATS.includes(planar.format.name) ? planar : undefined;
  const isRgb = format.planes.some(({ components }) => components.includes("r"));
  const isOpaque = !format.planes.some(({ components }) => components.includes("a"));
  if (!isRgb || !isOpaque || format.elementType !== "uint8") return undefined;
  const yuv = PIXEL_FORMATS.get("yuv444p")!;
  return {
    format: yuv,
    convert: (frame) => fromRgb(toPicture(frame as Uint8Array<ArrayBuffer>, format, width, height).data),
  };
}

/** The matrix and range of what {@linkcode y4mFramesOf} makes of RGB, as ffmpeg makes it: BT.601, limited. */
export const OF_RGB = { matrix: "smpte170m" satisfies Matrix, range: "limited" } as const;

function fromRgb(rgb: ArrayLike<number>): Uint8Array {
  const pixels = rgb.length / 3;
  const yuv = new Uint8ClampedArray(rgb.length); // rounds and clamps
  // ITU-R BT.601-7, 2.5.1 and 2.5.3.
  const [kr, kg, kb] = [0.299, 0.587, 0.114];
  for (let i = 0, at = 0; i < pixels; i++, at += 3) {
    const [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]];
    const luma = kr * r + kg * g + kb * b;
    yuv[i] = 16 + luma * 219 / 255;
    yuv[pixels + i] = 128 + (b - luma) / (2 * (1 - kb)) * 224 / 255;
    yuv[2 * pixels + i] = 128 + (r - luma) / (2 * (1 - kr)) * 224 / 255;
  }
  return new Uint8Array(yuv.buffer);
}
