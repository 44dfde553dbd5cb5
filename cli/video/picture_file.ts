/**
 * Pictures as PNG, with 8 or 16 bits, and as JPEG.
 *
 * @module
 */
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { type Picture, toRgba8 } from "./to_rgb.ts";

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
