/**
 * Any pixel format as a picture that can be looked at: gray, RGB or RGBA, with 8 or 16 bits.
 *
 * @module
 */
import type { FrameData, PixelFormat } from "../../mod.ts";

/** A picture, tightly packed. */
export type Picture = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** Gray, RGB or RGBA. */
  channels: 1 | 3 | 4;
  /** 8 or 16 bits an element: what the array says. */
  data: Uint8Array | Uint16Array;
};

/** Which luma is made of which colours, by the names of ffmpeg's `-colorspace`: the matrix that YUV was made with. */
export type Matrix = keyof typeof LUMA;

/** Kr and Kb of ITU-R BT.709-6 (3.2), BT.601-7 (2.5.1) under both of its names, BT.2020-2, SMPTE 240M, and the FCC. */
const LUMA = {
  bt709: [0.2126, 0.0722],
  smpte170m: [0.299, 0.114],
  bt470bg: [0.299, 0.114],
  bt2020nc: [0.2627, 0.0593],
  smpte240m: [0.212, 0.087],
  fcc: [0.3, 0.11],
} as const;

/** Whether YUV of this matrix can be shown. */
export function isMatrix(name: string): name is Matrix {
  return name in LUMA;
}

/** What a frame does not say by itself. Where nothing is said, it is as in ffmpeg: BT.601, and limited. */
export type Colors = { matrix?: Matrix | undefined; range?: "limited" | "full" | undefined };

/** Which pixels a picture has: with 2, every second one of every second row, for one that is made smaller anyway. */
export type Sampling = { every?: number | undefined };

/** Makes a picture of a frame. */
export function toPicture(
  frame: FrameData,
  format: PixelFormat,
  width: number,
  height: number,
  { matrix = "smpte170m", range = format.isFullRange ? "full" : "limited", every = 1 }: Colors & Sampling = {},
): Picture {
  const size = { width: Math.ceil(width / every), height: Math.ceil(height / every), every };
  const samples = (component: string) => samplesOf(frame, format, component, width, height);
  const alpha = samples("a");
  const red = samples("r");
  if (red !== undefined) return combined([red, samples("g")!, samples("b")!], alpha, format, size);
  const luma = samples("y")!;
  if (format.isYuv) {
    const parts = { y: luma, u: samples("u")!, v: samples("v")!, alpha };
    const { width, height } = size;
    return { width, height, ...fromYuv(parts, format, size, matrix, range === "full") };
  }
  return combined(alpha === undefined ? [luma] : [luma, luma, luma], alpha, format, size);
}

/** Pixels of a picture, and from one of them to the next in the frame. */
type Grid = { width: number; height: number; every: number };

/** Where one component of a frame stands, in elements. */
type Samples = {
  frame: FrameData;
  offset: number;
  /** From one sample of a row to the next. */
  step: number;
  /** From one row to the next. */
  line: number;
  /** How many columns and rows of the frame share one sample, as powers of two. */
  shiftX: number;
  shiftY: number;
};

function samplesOf(
  frame: FrameData,
  format: PixelFormat,
  component: string,
  width: number,
  height: number,
): Samples | undefined {
  const index = format.planes.findIndex(({ components }) => components.includes(component));
  if (index < 0) return undefined;
  const { components, pixels, shiftX, shiftY } = format.planes[index];
  const { offset, stride } = format.planesOf(width, height)[index];
  const count = components.split(component).length - 1;
  return {
    frame,
    offset: offset / frame.BYTES_PER_ELEMENT + components.indexOf(component),
    step: components.length / count,
    line: stride / frame.BYTES_PER_ELEMENT,
    shiftX: shiftX + Math.log2(pixels / count),
    shiftY,
  };
}

/** What an element stands for, from 0 to 1 in steps of 8 or 16 bits: 0 to 255, or 0 to 65,535. */
function scale({ bits, shift, elementType }: PixelFormat): (value: number) => number {
  // What lies outside, and what is no number, is cut off.
  if (elementType === "float32") return (value) => Math.round(Math.min(1, Math.max(0, value || 0)) * 65535);
  if (bits === 8 || bits === 16) return (value) => value;
  const most = 2 ** bits - 1;
  return (value) => Math.round(Math.min(value >> shift, most) * 65535 / most);
}

/** Components side by side. */
function combined(
  colours: readonly Samples[],
  alpha: Samples | undefined,
  format: PixelFormat,
  { width, height, every }: Grid,
): Picture {
  const components = alpha === undefined ? colours : [...colours, alpha];
  const channels = components.length as Picture["channels"];
  const length = width * height * channels;
  const data = format.elementType === "uint8" ? new Uint8Array(length) : new Uint16Array(length);
  const value = scale(format);
  for (const [channel, { frame, offset, step, line }] of components.entries()) {
    for (let row = 0, to = channel; row < height; row++) {
      const begin = offset + row * every * line;
      for (let column = 0, from = begin; column < width; column++, from += step * every, to += channels) {
        data[to] = value(frame[from]);
      }
    }
  }
  return { width, height, channels, data };
}

/** Each pixel takes the chroma sample that covers it: nothing is interpolated, as in swscale's default. */
function fromYuv(
  { y, u, v, alpha }: { y: Samples; u: Samples; v: Samples; alpha: Samples | undefined },
  format: PixelFormat,
  { width, height, every }: Grid,
  matrix: Matrix,
  isFull: boolean,
): Pick<Picture, "channels" | "data"> {
  const { frame } = y;
  const [kr, kb] = LUMA[matrix];
  const unit = 2 ** (format.bits - 8 + format.shift);
  // BT.601-7, 2.5.3: luma has 219 steps from 16, chroma 224 around 128; the full range has 255 of both, from 0.
  const [black, lumaScale, chromaScale] = isFull ? [0, 1, 1] : [16 * unit, 255 / 219, 255 / 224];
  const scaleY = lumaScale / unit;
  const scaleC = chromaScale / unit;
  const redV = 2 * (1 - kr) * scaleC;
  const blueU = 2 * (1 - kb) * scaleC;
  const greenU = -blueU * kb / (1 - kr - kb);
  const greenV = -redV * kr / (1 - kr - kb);
  const middle = 128 * unit;
  const channels = alpha === undefined ? 3 : 4;
  const opaque = (2 ** format.bits - 1) * 2 ** format.shift;
  const out = new Uint8ClampedArray(width * height * channels); // rounds and clamps
  const [endRow, endColumn] = [height * every, width * every];
  for (let row = 0, to = 0; row < endRow; row += every) {
    const chromaU = u.offset + (row >> u.shiftY) * u.line;
    const chromaV = v.offset + (row >> v.shiftY) * v.line;
    for (let column = 0; column < endColumn; column += every, to += channels) {
      const luma = (frame[y.offset + row * y.line + column * y.step] - black) * scaleY;
      const cu = frame[chromaU + (column >> u.shiftX) * u.step] - middle;
      const cv = frame[chromaV + (column >> v.shiftX) * v.step] - middle;
      out[to] = luma + redV * cv;
      out[to + 1] = luma + greenU * cu + greenV * cv;
      out[to + 2] = luma + blueU * cu;
      if (alpha !== undefined) {
        out[to + 3] = frame[alpha.offset + row * alpha.line + column * alpha.step] * 255 / opaque;
      }
    }
  }
  return { channels, data: new Uint8Array(out.buffer) };
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
