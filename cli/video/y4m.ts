/**
 * YUV4MPEG2, the uncompressed video that carries its own header: one line of text, then frames, each after a line of
 * its own. As ffmpeg and mjpegtools write it.
 *
 * @module
 */
import type { Appearance } from "./colors.ts";

/** What the header says. */
export type Y4mHeader = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** ffmpeg's name of the pixel format. */
  format: string;
  /** Frames a second as a fraction; undefined where the header says 0:0. */
  rate?: readonly [frames: number, seconds: number];
  appearance?: Appearance | undefined;
};

/** The first bytes of a stream. */
export const Y4M_MAGIC = "YUV4MPEG2";
/** No header is longer. */
export const Y4M_LINE_LIMIT = 1024;

/** Colour spaces by the header's name. Those of 4:2:0 differ in where the chroma is sited, not in memory. */
const FORMATS: Record<string, string> = {
  "420": "yuv420p",
  "420jpeg": "yuv420p",
  "420mpeg2": "yuv420p",
  "420paldv": "yuv420p",
  "422": "yuv422p",
  "444": "yuv444p",
  "411": "yuv411p",
  mono: "gray",
  mono16: "gray16le",
  "420p10": "yuv420p10le",
  "422p10": "yuv422p10le",
  "444p10": "yuv444p10le",
};

/** How a header names a pixel format. ffmpeg writes the same names, and the comment that says the range. */
const COLOUR_SPACES: Record<string, string> = {
  yuv420p: "420jpeg",
  yuvj420p: "420jpeg XCOLORRANGE=FULL",
  yuv422p: "422",
  yuvj422p: "422 XCOLORRANGE=FULL",
  yuv444p: "444",
  yuvj444p: "444 XCOLORRANGE=FULL",
  yuv411p: "411",
  gray: "mono",
  gray16le: "mono16",
  yuv420p10le: "420p10 XYSCSS=420P10",
  yuv422p10le: "422p10 XYSCSS=422P10",
  yuv444p10le: "444p10 XYSCSS=444P10",
};

/** The pixel formats that have a place in Y4M. */
export const Y4M_PIXEL_FORMATS: readonly string[] = Object.keys(COLOUR_SPACES);

/**
 * Reads the header.
 *
 * @param line without its line feed
 * @throws {RangeError} for what is no header, or says what is not known here
 */
export function parseY4mHeader(line: string): Y4mHeader {
  const [magic, ...fields] = line.split(" ");
  if (magic !== Y4M_MAGIC) {
    throw new RangeError(`a Y4M header begins with ${Y4M_MAGIC}, not with ${JSON.stringify(line.slice(0, 40))}`);
  }
  const field = (letter: string) => fields.find((text) => text.startsWith(letter))?.slice(1);
  const [width, height] = [Number(field("W")), Number(field("H"))];
  if (!(width >= 1 && height >= 1)) throw new RangeError(`the Y4M header has no size: ${JSON.stringify(line)}`);
  const space = field("C") ?? "420jpeg";
  const full = fields.includes("XCOLORRANGE=FULL");
  const format = FORMATS[space];
  if (format === undefined) {
    throw new RangeError(`the Y4M header's colour space is C${space}; known are ${Object.keys(FORMATS).join(", ")}`);
  }
  const [frames, seconds] = (field("F") ?? "0:0").split(":").map(Number);
  const [aspectWidth, aspectHeight] = (field("A") ?? "0:0").split(":").map(Number);
  const hasAspect = aspectWidth > 0 && aspectHeight > 0;
  return {
    width,
    height,
    format: full && /^yuv4\d\dp$/.test(format) && space !== "411" ? format.replace("yuv", "yuvj") : format,
    ...(frames > 0 && seconds > 0 ? { rate: [frames, seconds] as const } : {}),
    appearance: {
      color: full ? { range: "full" } : fields.includes("XCOLORRANGE=LIMITED") ? { range: "limited" } : undefined,
      sampleAspectRatio: hasAspect ? [aspectWidth, aspectHeight] : undefined,
    },
  };
}

/** Writes the header, with its line feed. @throws {RangeError} for a pixel format that has no place in Y4M */
export function y4mHeader({ width, height, format, rate, appearance = {} }: Y4mHeader): string {
  const space = COLOUR_SPACES[format];
  if (space === undefined) {
    throw new RangeError(`Y4M has no place for ${format}, only for ${Y4M_PIXEL_FORMATS.join(", ")}`);
  }
  const [frames, seconds] = rate ?? [0, 0];
  const { color, sampleAspectRatio: [aspectWidth, aspectHeight] = [0, 0] } = appearance;
  const range = color?.range === undefined || space.includes("XCOLORRANGE")
    ? ""
    : ` XCOLORRANGE=${color.range.toUpperCase()}`;
  const video = `W${width} H${height} F${frames}:${seconds} Ip A${aspectWidth}:${aspectHeight}`;
  return `${Y4M_MAGIC} ${video} C${space}${range}\n`;
}
