/**
 * How frames look where they are shown, as ffmpeg's options and its log say it.
 *
 * @module
 */
import { type Color, COLOR_NAMES, type FieldOrder } from "../../mod.ts";

/** How pixels look where they are shown, as far as the source says it. */
export type Appearance = {
  color?: Color | undefined;
  /** Width and height of a pixel. */
  sampleAspectRatio?: readonly [width: number, height: number] | undefined;
  /** Whether a frame is two fields, and which is the first. */
  fieldOrder?: FieldOrder | undefined;
};

/** Names of the log that differ from those of the options. */
const LOGGED: { [Part in keyof Color]-?: Record<string, string> } = {
  matrix: { gbr: "rgb" },
  range: { tv: "limited", pc: "full" },
  primaries: {},
  transfer: { bt470m: "gamma22", bt470bg: "gamma28" },
};

/**
 * What the log of `showinfo` says of a frame's colours, without what it does not know.
 *
 * @param logged range, matrix, primaries, transfer
 * @param isYuv without luma and chroma, matrix and range have nothing to say
 */
export function colorOfLog([range, matrix, primaries, transfer]: string[], isYuv: boolean): Color {
  const parts = { ...(isYuv ? { matrix, range } : {}), primaries, transfer };
  const named = (Object.entries(parts) as [keyof Color, string][]).map(([part, name]) =>
    [part, LOGGED[part][name] ?? name] as const
  );
  return Object.fromEntries(named.filter(([part, name]) => (COLOR_NAMES[part] as readonly string[]).includes(name)));
}

/** Options of ffmpeg, before the input that has these colours. */
export function colorOptions({ matrix, range, primaries, transfer }: Color = {}): string[] {
  const ranges = { limited: "tv", full: "pc" };
  return [
    ...(range === undefined ? [] : ["-color_range", ranges[range]]),
    ...(matrix === undefined ? [] : ["-colorspace", matrix]),
    ...(primaries === undefined ? [] : ["-color_primaries", primaries]),
    ...(transfer === undefined ? [] : ["-color_trc", transfer]),
  ];
}
