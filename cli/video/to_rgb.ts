/**
 * Any pixel format as a picture that can be looked at: gray, RGB or RGBA, with 8 or 16 bits.
 *
 * @module
 */
import type { FrameData } from "../../mod.ts";
import { chromaSize, type PackedRgb, type PixelFormat, type Yuv } from "./pixel_formats.ts";

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

/** Which luma is made of which colours: the matrix that the YUV was made with. */
export type Matrix = "bt601" | "bt709";

/** Kr and Kb of ITU-R BT.601-7, 2.5.1, and of ITU-R BT.709-6, 3.2. */
const LUMA: Record<Matrix, readonly [red: number, blue: number]> = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722] };

/**
 * Makes a picture of a frame.
 *
 * @param matrix for YUV, whose frames do not say it; ffmpeg, too, takes BT.601 where nothing is said
 */
export function toPicture(
  frame: FrameData,
  format: PixelFormat,
  width: number,
  height: number,
  matrix: Matrix = "bt601",
): Picture {
  switch (format.model.kind) {
    case "gray":
      return { width, height, channels: 1, data: frame instanceof Float32Array ? grayOfFloats(frame) : frame.slice() };
    case "rgb":
      return reordered(frame as Uint8Array | Uint16Array, format.model, format.channels, width, height);
    case "yuv":
      return { width, height, channels: 3, data: fromYuv(frame, format.model, width, height, matrix) };
  }
}

/** 0 to 1 becomes 0 to 65,535; what lies outside, and what is no number, is cut off. */
function grayOfFloats(frame: Float32Array): Uint16Array {
  return Uint16Array.from(frame, (value) => Math.round(Math.min(1, Math.max(0, value || 0)) * 65535));
}

function reordered(
  frame: Uint8Array | Uint16Array,
  { red, green, blue, alpha }: PackedRgb,
  step: number,
  width: number,
  height: number,
): Picture {
  const channels = alpha === undefined ? 3 : 4;
  const data = frame instanceof Uint8Array
    ? new Uint8Array(width * height * channels)
    : new Uint16Array(width * height * channels);
  for (let from = 0, to = 0; to < data.length; from += step, to += channels) {
    data[to] = frame[from + red];
    data[to + 1] = frame[from + green];
    data[to + 2] = frame[from + blue];
    if (alpha !== undefined) data[to + 3] = frame[from + alpha];
  }
  return { width, height, channels, data };
}

/** Where the samples of a frame stand. */
type Sampling = {
  y: number;
  u: number;
  v: number;
  /** From one sample of a line to the next. */
  stepY: number;
  stepC: number;
  /** From one line to the next. */
  lineY: number;
  lineC: number;
};

function sampling(model: Yuv, width: number, height: number): Sampling {
  const [chromaWidth, chromaHeight] = chromaSize(model, width, height);
  const luma = width * height;
  switch (model.layout) {
    case "planar":
      return {
        ...{ y: 0, u: luma, v: luma + chromaWidth * chromaHeight },
        ...{ stepY: 1, stepC: 1, lineY: width, lineC: chromaWidth },
      };
    case "semiplanar": {
      const [u, v] = model.swapped ? [luma + 1, luma] : [luma, luma + 1];
      return { y: 0, u, v, stepY: 1, stepC: 2, lineY: width, lineC: chromaWidth * 2 };
    }
    case "packed": {
      const [y, u, v] = model.offsets!;
      return { y, u, v, stepY: 2, stepC: 4, lineY: chromaWidth * 4, lineC: chromaWidth * 4 };
    }
  }
}

/** Each pixel takes the chroma sample that covers it: nothing is interpolated, as in swscale's default. */
function fromYuv(frame: FrameData, model: Yuv, width: number, height: number, matrix: Matrix): Uint8Array {
  const { y, u, v, stepY, stepC, lineY, lineC } = sampling(model, width, height);
  const [kr, kb] = LUMA[matrix];
  const unit = 2 ** (model.bits - 8 + model.up);
  // BT.601-7, 2.5.3: luma has 219 steps from 16, chroma 224 around 128; the full range has 255 of both, from 0.
  const [black, lumaScale, chromaScale] = model.full ? [0, 1, 1] : [16 * unit, 255 / 219, 255 / 224];
  const scaleY = lumaScale / unit;
  const scaleC = chromaScale / unit;
  const redV = 2 * (1 - kr) * scaleC;
  const blueU = 2 * (1 - kb) * scaleC;
  const greenU = -blueU * kb / (1 - kr - kb);
  const greenV = -redV * kr / (1 - kr - kb);
  const middle = 128 * unit;
  const out = new Uint8ClampedArray(width * height * 3); // rounds and clamps
  for (let row = 0, to = 0; row < height; row++) {
    const chromaLine = (row >> model.shiftY) * lineC;
    for (let column = 0; column < width; column++, to += 3) {
      const luma = (frame[y + row * lineY + column * stepY] - black) * scaleY;
      const chroma = chromaLine + (column >> model.shiftX) * stepC;
      const cu = frame[u + chroma] - middle;
      const cv = frame[v + chroma] - middle;
      out[to] = luma + redV * cv;
      out[to + 1] = luma + greenU * cu + greenV * cv;
      out[to + 2] = luma + blueU * cu;
    }
  }
  return new Uint8Array(out.buffer);
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
