/**
 * Pictures as PNG, with 8 or 16 bits, and as JPEG.
 *
 * @module
 */
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import type { Picture } from "./to_rgb.ts";

/** What a picture can be written as. */
export type PictureType = "png" | "jpeg";

/** The type that a file's name asks for, if it is one of those. */
export function pictureTypeOf(path: string): PictureType | undefined {
  const extension = /\.([^.]+)$/.exec(path)?.[1].toLowerCase();
  return extension === "png" ? "png" : extension === "jpg" || extension === "jpeg" ? "jpeg" : undefined;
}

/** PNG: exact, as many bits as the picture has. */
export function toPng({ width, height, channels, data }: Picture): Uint8Array {
  return encodePng({ width, height, channels, data, depth: data instanceof Uint16Array ? 16 : 8 });
}

/** JPEG: 8 bits, without alpha. @param quality 1 to 100 */
export function toJpeg(picture: Picture, quality: number): Uint8Array {
  const { width, height } = picture;
  return jpeg.encode({ width, height, data: toRgba8(picture) }, quality).data;
}

/** Four bytes a pixel; of 16 bits the upper eight. */
export function toRgba8({ width, height, channels, data }: Picture): Uint8Array {
  const down = data instanceof Uint16Array ? 8 : 0;
  const rgba = new Uint8Array(width * height * 4);
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  for (let from = 0, to = 0; to < rgba.length; from += channels, to += 4) {
    rgba[to] = data[from] >> down;
    rgba[to + 1] = data[from + green] >> down;
    rgba[to + 2] = data[from + blue] >> down;
    rgba[to + 3] = channels === 4 ? data[from + 3] >> down : 255;
  }
  return rgba;
}
