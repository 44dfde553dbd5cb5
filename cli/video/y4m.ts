/**
 * YUV4MPEG2, the uncompressed video that carries its own header: one line of text, then frames, each after a line of
 * its own. As ffmpeg and mjpegtools write it.
 *
 * @module
 */
import type { FieldOrder } from "../../mod.ts";
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
/** No line is longer. */
export const Y4M_LINE_LIMIT = 65536;

/** Bits of an element for which there is a name. */
const DEPTHS = [9, 10, 12, 14, 16];
const SAMPLINGS = ["420", "422", "444"];

/** Colour spaces by the header's name. Those of 4:2:0 differ in where the chroma is sited, not in memory. */
const FORMATS: Record<string, string> = {
  "420": "yuv420p",
  "420jpeg": "yuv420p",
  "420mpeg2": "yuv420p",
  "420paldv": "yuv420p",
  "422": "yuv422p",
  "444": "yuv444p",
  "444alpha": "yuva444p",
  "411": "yuv411p",
  mono: "gray",
  ...Object.fromEntries([9, 10, 12, 16].map((bits) => [`mono${bits}`, `gray${bits}le`])),
  ...Object.fromEntries(
    SAMPLINGS.flatMap((sampling) => DEPTHS.map((bits) => [`${sampling}p${bits}`, `yuv${sampling}p${bits}le`])),
  ),
};

/** How a header names a pixel format. ffmpeg writes the same names, and the comment that says the range. */
const COLOUR_SPACES: Record<string, string> = {
  yuv420p: "420jpeg",
  yuvj420p: "420jpeg XCOLORRANGE=FULL",
  yuv422p: "422",
  yuvj422p: "422 XCOLORRANGE=FULL",
  yuv444p: "444",
  yuvj444p: "444 XCOLORRANGE=FULL",
  yuva444p: "444alpha",
  yuv411p: "411",
  gray: "mono",
  ...Object.fromEntries([9, 10, 12, 16].map((bits) => [`gray${bits}le`, `mono${bits}`])),
  ...Object.fromEntries(SAMPLINGS.flatMap((sampling) =>
    DEPTHS.map((bits) => {
      const name = `${sampling}p${bits}`;
      return [`yuv${sampling}p${bits}le`, `${name} XYSCSS=${name.toUpperCase()}`];
    })
  )),
};

/** How a header says that frames are two fields: the first one in time. */
const INTERLACING: Record<string, FieldOrder> = { p: "progressive", t: "tt", b: "bb" };

/** The pixel formats that have a place in Y4M. */
export const Y4M_PIXEL_FORMATS: readonly string[] = Object.keys(COLOUR_SPACES);

/**
 * Reads the header.
 *
 * @param line without its line feed
 * @throws {RangeError} for what is no header, or says what is not known here
 */
export function parseY4mHeader(line: string): Y4mHeader {
  const [magic, ...fields] = line.trimEnd().split(/ +/);
  if (magic !== Y4M_MAGIC) {
    throw new RangeError(`a Y4M header begins with ${Y4M_MAGIC}, not with ${JSON.stringify(line.slice(0, 40))}`);
  }
  const field = (name: string) => fields.find((text) => text.startsWith(name))?.slice(name.length);
  const [width, height] = ["W", "H"].map((name) => sizeOf(name, field(name)));
  const space = field("C") ?? field("XYSCSS=")?.toLowerCase() ?? "420jpeg";
  const full = fields.includes("XCOLORRANGE=FULL");
  const format = FORMATS[space];
  if (format === undefined) {
    throw new RangeError(`the Y4M header's colour space is C${space}; known are ${Object.keys(FORMATS).join(", ")}`);
  }
  const rate = ratioOf("F", field("F"));
  const sampleAspectRatio = ratioOf("A", field("A"));
  const fieldOrder = INTERLACING[field("I") ?? ""];
  return {
    width,
    height,
    format: full && /^yuv4(20|22|44)p$/.test(format) ? format.replace("yuv", "yuvj") : format,
    ...(rate === undefined ? {} : { rate }),
    appearance: {
      color: full ? { range: "full" } : fields.includes("XCOLORRANGE=LIMITED") ? { range: "limited" } : undefined,
      sampleAspectRatio,
      fieldOrder,
    },
  };
}

/** Pixels. */
function sizeOf(name: string, text: string | undefined): number {
  if (text !== undefined && /^[1-9]\d{0,5}$/.test(text)) return Number(text);
  const found = text === undefined ? "missing" : JSON.stringify(text.slice(0, 40));
  throw new RangeError(`the Y4M header's ${name} is ${found}; it must be pixels, from 1 to 999999`);
}

/** A fraction; undefined where it is 0:0, which says nothing. */
function ratioOf(name: string, text = "0:0"): readonly [number, number] | undefined {
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(text);
  const [above, below] = [Number(match?.[1]), Number(match?.[2])];
  if (above === 0 && below === 0) return undefined;
  if (above > 0 && below > 0 && above < 2 ** 31 && below < 2 ** 31) return [above, below];
  throw new RangeError(`the Y4M header's ${name} is ${JSON.stringify(text.slice(0, 40))}; it must be as 30000:1001`);
}

/** Writes the header, with its line feed. @throws {RangeError} for a pixel format that has no place in Y4M */
export function y4mHeader({ width, height, format, rate, appearance = {} }: Y4mHeader): string {
  const space = COLOUR_SPACES[format];
  if (space === undefined) {
    throw new RangeError(`Y4M has no place for ${format}, only for ${Y4M_PIXEL_FORMATS.join(", ")}`);
  }
  const [frames, seconds] = rate ?? [0, 0];
  const { color, sampleAspectRatio: [aspectWidth, aspectHeight] = [0, 0], fieldOrder = "progressive" } = appearance;
  const range = color?.range === undefined || space.includes("XCOLORRANGE")
    ? ""
    : ` XCOLORRANGE=${color.range.toUpperCase()}`;
  const video = `W${width} H${height} F${frames}:${seconds} I${fieldOrder[0]} A${aspectWidth}:${aspectHeight}`;
  return `${Y4M_MAGIC} ${video} C${space}${range}\n`;
}
