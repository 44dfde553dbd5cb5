/**
 * Pictures made smaller, to fit a terminal.
 *
 * @module
 */
import { type Picture, toRgba8 } from "./to_rgb.ts";

/** The picture as RGBA, made smaller until it fits: each pixel is the mean of those that it replaces. */
export function fitted(picture: Picture, most: { width: number; height: number }): Picture {
  const scale = Math.min(1, most.width / picture.width, most.height / picture.height);
  const width = Math.max(1, Math.floor(picture.width * scale));
  const height = Math.max(1, Math.floor(picture.height * scale));
  const from = toRgba8(picture);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.floor(y * picture.height / height), Math.floor((y + 1) * picture.height / height)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.floor(x * picture.width / width), Math.floor((x + 1) * picture.width / width)];
      const sums = [0, 0, 0, 0];
      for (let row = top; row < bottom; row++) {
        for (let at = (row * picture.width + left) * 4; at < (row * picture.width + right) * 4; at++) {
          sums[at & 3] += from[at];
        }
      }
      const pixels = (bottom - top) * (right - left);
      for (let channel = 0; channel < 4; channel++) data[(y * width + x) * 4 + channel] = sums[channel] / pixels;
    }
  }
  return { width, height, channels: 4, data };
}
