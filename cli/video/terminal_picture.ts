/**
 * A picture in the terminal: as an image where the terminal can show one, otherwise two pixels a character.
 *
 * @module
 */
import ansiEscapes from "ansi-escapes";
import { image2sixel } from "sixel";
import type { TerminalGraphicsSupport } from "supports-terminal-graphics";
import { fitted } from "./fitting.ts";
import { toPng } from "./picture_file.ts";
import type { Picture } from "./to_rgb.ts";

/** How many characters a terminal has. */
export type Space = { columns: number; rows: number };

/** The largest image that is sent to a terminal, in pixels: enough to recognize, small enough for a slow line. */
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
