/**
 * Pictures as PNG, with 8 or 16 bits, and as JPEG.
 *
 * @module
 */
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { findSharp } from "./sharp.ts";
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

/** JPEG: 8 bits, without alpha. With sharp, where that is installed, it takes a twentieth of the time. */
export async function toJpeg(picture: Picture, quality: number): Promise<Uint8Array> {
  const { width, height } = picture;
  const rgba = toRgba8(picture);
  const sharp = findSharp();
  if (sharp === undefined) return jpeg.encode({ width, height, data: rgba }, quality).data;
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  const options = { quality: Math.round(quality), chromaSubsampling: "4:4:4" as const }; // as the other encoder
  return new Uint8Array(await sharp(rgb, { raw: { width, height, channels: 3 } }).jpeg(options).toBuffer());
}
