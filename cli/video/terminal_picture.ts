/**
 * A picture in the terminal: as an image where the terminal can show one, otherwise two pixels a character.
 *
 * @module
 */
import ansiEscapes from "ansi-escapes";
import { image2sixel } from "sixel";
import type { TerminalGraphicsSupport } from "supports-terminal-graphics";
import { toPng, toRgba8 } from "./picture_file.ts";
import type { Picture } from "./to_rgb.ts";

/** How many characters a terminal has. */
export type Space = { columns: number; rows: number };

/** Pixels of an image in a terminal at most: enough to see what it is, little enough for a slow line. */
const IMAGE_PIXELS = { width: 640, height: 480 };
/** Longest payload of one escape sequence of the kitty protocol. */
const KITTY_CHUNK = 4096;
const SIXEL_COLOURS = 256;

/** The text that shows a picture. */
export function pictureText(picture: Picture, support: TerminalGraphicsSupport, space: Space): string {
  const image = fitted(picture, IMAGE_PIXELS);
  if (support.kitty) return `${kitty(toPng(image))}\n`;
  if (support.iterm2) return `${ansiEscapes.image(toPng(image))}\n`;
  if (support.sixel) return `${image2sixel(image.data as Uint8Array, image.width, image.height, SIXEL_COLOURS)}\n`;
  return halfBlocks(fitted(picture, { width: space.columns, height: (space.rows - 2) * 2 }));
}

/** The picture as RGBA, made smaller until it fits: each pixel is the mean of those that it stands for. */
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

/** The kitty graphics protocol: a PNG (f=100) in chunks, shown where the cursor is (a=T). */
function kitty(png: Uint8Array): string {
  const payload = btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join(""));
  const chunks = payload.match(new RegExp(`.{1,${KITTY_CHUNK}}`, "g"))!;
  return chunks.map((chunk, i) => {
    const keys = `${i === 0 ? "a=T,f=100," : ""}m=${i < chunks.length - 1 ? 1 : 0}`;
    return `\x1b_G${keys};${chunk}\x1b\\`;
  }).join("");
}

/** Two pixels a character, the upper one in the foreground, in 24-bit colours. */
function halfBlocks({ width, height, data }: Picture): string {
  const colour = (x: number, y: number) => data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3).join(";");
  let text = "";
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x++) {
      text += `\x1b[38;2;${colour(x, y)}m${y + 1 < height ? `\x1b[48;2;${colour(x, y + 1)}m` : ""}▀`;
    }
    text += "\x1b[0m\n";
  }
  return text;
}
