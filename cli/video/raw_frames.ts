/**
 * How raw frames travel to ffmpeg in a container: each format by the four characters that ffmpeg has for it, or by
 * those of a planar format with the same samples.
 *
 * @module
 */
import { PIXEL_FORMATS, type PixelFormat } from "../../mod.ts";

/** Formats whose four characters are a text. */
const TEXTS: Record<string, string> = {
  gray: "Y800",
  rgb24: "RGB\x18",
  bgr24: "BGR\x18",
  rgba: "RGBA",
  bgra: "BGRA",
  argb: "ARGB",
  abgr: "ABGR",
  rgb0: "RGB\0",
  bgr0: "BGR\0",
  "0rgb": "\0RGB",
  "0bgr": "\0BGR",
  rgb48le: "RGB0",
  bgr48le: "BGR0",
  rgba64le: "RBA@",
  bgra64le: "BRA@",
  yuv420p: "I420",
  yuv422p: "Y42B",
  yuv444p: "444P",
  yuv440p: "440P",
  yuv411p: "Y41B",
  yuv410p: "YUV9",
  nv12: "NV12",
  nv21: "NV21",
  yuyv422: "YUY2",
  uyvy422: "UYVY",
  yvyu422: "YVYU",
};
/** The others are made of the number of components, the sampling of chroma, and the bits of an element. */
const SAMPLINGS: Record<string, number> = { "420": 11, "422": 10, "444": 0 };
/** The names of samplings by how often chroma is halved, across and down. */
const SHIFTS: Record<string, keyof typeof SAMPLINGS> = { "1,1": "420", "1,0": "422", "0,0": "444" };

function fourCcOf({ name, bits, elementType }: PixelFormat): Uint8Array | undefined {
  const text = TEXTS[name];
  if (text !== undefined) return Uint8Array.from(text, (character) => character.charCodeAt(0));
  if (elementType === "float32") return undefined;
  const made = (letter: string, components: number, sampling: number) =>
    Uint8Array.of(letter.charCodeAt(0), 48 + components, sampling, bits);
  if (/^gray\d+le$/.test(name)) return made("Y", 1, 0);
  if (name === "ya8") return made("Y", 2, 0);
  const rgb = /^gbr(a?)p(\d+le)?$/.exec(name);
  if (rgb !== null) return made("G", rgb[1] === "" ? 3 : 4, 0);
  const yuv = /^yuv(a?)(42[02]|444)p(\d+le)?$/.exec(name);
  if (yuv !== null) return made("Y", yuv[1] === "" ? 3 : 4, SAMPLINGS[yuv[2]]);
  return undefined;
}

/** Frames of one format as they travel. */
export type Packing = {
  format: PixelFormat;
  fourCc: Uint8Array;
  /** Makes a frame what travels; undefined where it is that already. */
  convert?: (frame: Uint8Array) => Uint8Array;
};

/** How frames of a format travel; undefined where ffmpeg's containers have no place for their samples. */
export function packingOf(format: PixelFormat, width: number, height: number): Packing | undefined {
  const fourCc = fourCcOf(format);
  if (fourCc !== undefined) return { format, fourCc };
  const planar = converterOf(format, width, height);
  const other = planar === undefined ? undefined : fourCcOf(planar.format);
  return other === undefined ? undefined : { ...planar!, fourCc: other };
}

/** The planar format with the same samples, and how frames get into it; undefined where there is none. */
export function converterOf(format: PixelFormat, width: number, height: number): Omit<Packing, "fourCc"> | undefined {
  const planar = planarOf(format);
  if (planar === undefined || format.isFullRange) return planar === undefined ? undefined : { format: planar };
  return { format: planar, convert: converter(format, planar, width, height) };
}

/** The planar format of YUV with the same samples; undefined where there is none. */
function planarOf(format: PixelFormat): PixelFormat | undefined {
  const { isYuv, bits, elementType, planes, name } = format;
  if (!isYuv || elementType === "float32") return undefined;
  if (format.isFullRange) return PIXEL_FORMATS.get(name.replace("yuvj", "yuv"));
  const chroma = planes.find(({ components }) => components.includes("u"))!;
  const alpha = planes.some(({ components }) => components.includes("a"));
  const sampling = SHIFTS[`${chroma.shiftX || (chroma.pixels === 2 ? 1 : 0)},${chroma.shiftY}`];
  if (sampling === undefined) return undefined;
  const planar = PIXEL_FORMATS.get(`yuv${alpha ? "a" : ""}${sampling}p${bits > 8 ? `${bits}le` : ""}`);
  return planar?.name === name ? undefined : planar;
}

type Samples = { offset: number; step: number; line: number };

function samplesOf(format: PixelFormat, component: string, width: number, height: number): Samples {
  const index = format.planes.findIndex(({ components }) => components.includes(component));
  const { components } = format.planes[index];
  const { offset, stride } = format.planesOf(width, height)[index];
  const bytes = format.elementType === "uint8" ? 1 : 2;
  const count = components.split(component).length - 1;
  return {
    offset: offset / bytes + components.indexOf(component),
    step: components.length / count,
    line: stride / bytes,
  };
}

/** Takes the samples apart. @returns a function that always returns the same memory */
function converter(from: PixelFormat, to: PixelFormat, width: number, height: number) {
  const made = new Uint8Array(to.frameBytes(width, height));
  const elements = (bytes: Uint8Array) =>
    from.elementType === "uint8"
      ? bytes
      : new Uint16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 2));
  const target = elements(made);
  const planes = to.planesOf(width, height).map((plane, index) => ({
    ...plane,
    from: samplesOf(from, to.planes[index].components, width, height),
    to: samplesOf(to, to.planes[index].components, width, height),
  }));
  return (frame: Uint8Array): Uint8Array => {
    const source = elements(frame);
    for (const { width, height, from: { offset, step, line }, to } of planes) {
      for (let row = 0; row < height; row++) {
        let at = offset + row * line;
        const begin = to.offset + row * to.line;
        for (let i = begin; i < begin + width; i++, at += step) target[i] = source[at] >> from.shift;
      }
    }
    return made;
  };
}
