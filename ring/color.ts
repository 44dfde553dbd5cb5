/**
 * How the numbers of a frame become a picture: labels that a depot keeps for its readers.
 *
 * @module
 */

/** How luma and chroma follow from red, green and blue, spelled as in ffmpeg's `-colorspace`. */
export type ColorMatrix =
  | "rgb"
  | "bt709"
  | "fcc"
  | "bt470bg"
  | "smpte170m"
  | "smpte240m"
  | "ycgco"
  | "bt2020nc"
  | "bt2020c"
  | "smpte2085"
  | "chroma-derived-nc"
  | "chroma-derived-c"
  | "ictcp";

/** Which of an element's values are used: `"limited"` is what ffmpeg's `-color_range` calls `tv`, `"full"` is `pc`. */
export type ColorRange = "limited" | "full";

/** Which red, green and blue are meant, spelled as in ffmpeg's `-color_primaries`. */
export type ColorPrimaries =
  | "bt709"
  | "bt470m"
  | "bt470bg"
  | "smpte170m"
  | "smpte240m"
  | "film"
  | "bt2020"
  | "smpte428"
  | "smpte431"
  | "smpte432"
  | "ebu3213";

/** How light follows from the values, spelled as in ffmpeg's `-color_trc`. */
export type ColorTransfer =
  | "bt709"
  | "gamma22"
  | "gamma28"
  | "smpte170m"
  | "smpte240m"
  | "linear"
  | "log100"
  | "log316"
  | "iec61966-2-4"
  | "bt1361e"
  | "iec61966-2-1"
  | "bt2020-10"
  | "bt2020-12"
  | "smpte2084"
  | "smpte428"
  | "arib-std-b67";

/**
 * Whether a frame is one picture or two fields, spelled as in ffmpeg's `-field_order`. The first letter is the field
 * that was coded first, top or bottom, the second the one that is shown first: raw frames have `"tt"` or `"bb"`.
 */
export type FieldOrder = "progressive" | "tt" | "bb" | "tb" | "bt";

/** How numbers become colours. What was not said is absent. */
export interface Color {
  /** How luma and chroma follow from red, green and blue. */
  readonly matrix?: ColorMatrix | undefined;
  /** Which of an element's values are used. */
  readonly range?: ColorRange | undefined;
  /** Which red, green and blue are meant. */
  readonly primaries?: ColorPrimaries | undefined;
  /** How light follows from the values. */
  readonly transfer?: ColorTransfer | undefined;
}
