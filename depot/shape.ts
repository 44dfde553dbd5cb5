/**
 * What a depot's frames are like: the options that say it, checked against each other, and what follows from them.
 *
 * @module
 */
import { ELEMENT_BYTES, type Geometry, LIMITS } from "../ring/geometry.ts";
import { ELEMENT_TYPES, LAST_SEQUENCE, WHEN_FULL } from "../ring/layout.ts";
import { checkBoolean, checkInteger, checkOneOf, show } from "./checks.ts";
import { checkAspect, checkColor, checkFieldOrder } from "./colors.ts";
import { checkNames, CREATE_NAMES } from "./option_names.ts";
import type { DepotOptions } from "./options.ts";
import { CONTENTS, PIXEL_FORMATS, type PixelFormat } from "./pixel_formats.ts";
import { meant } from "./spelling.ts";

/** A test-only option: where the sequence starts. Not part of the public face. */
export const FIRST_SEQUENCE: unique symbol = Symbol("first sequence");

/** What one number of a depot may be. */
export interface DepotBound {
  /** What it is where it is not said. */
  readonly default: number;
  /** The greatest that it may be. */
  readonly most: number;
}

/** Bounds of the numbers that make a depot, for programs that check what they are told before they have a frame. */
export const DEPOT_BOUNDS: {
  readonly maxSize: DepotBound;
  readonly maxReaders: DepotBound;
  readonly maxGroups: DepotBound;
  readonly metadataBytes: DepotBound;
  /** Bytes of one frame. */
  readonly frameBytes: Pick<DepotBound, "most">;
  /** `maxSize` × `frameBytes`. */
  readonly allFrameBytes: Pick<DepotBound, "most">;
} = {
  maxSize: { default: 10, most: LIMITS.maxSize },
  maxReaders: { default: 31, most: LIMITS.maxReaders },
  maxGroups: { default: 4, most: LIMITS.maxGroups },
  metadataBytes: { default: 0, most: LIMITS.metadataBytes },
  frameBytes: { most: LIMITS.frameBytes },
  allFrameBytes: { most: LIMITS.totalBytes },
};

/** Names in use elsewhere, without a meaning here, that differ by one letter from names with one. */
const NO_SLIPS = /be$|f16le$|^(?:rgb[48]|bgr[48]|xv30le|gray32le|gbrap32le|yv12|nv15|nv61|h26\d)$/;
/** What others call some of the formats: WebCodecs, Windows, the standards. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["i420", "yuv420p"],
  ["i420a", "yuva420p"],
  ["i422", "yuv422p"],
  ["i444", "yuv444p"],
  ["rgbx", "rgb0"],
  ["bgrx", "bgr0"],
  ["yuy2", "yuyv422"],
  ["yuyv", "yuyv422"],
  ["uyvy", "uyvy422"],
  ["yvyu", "yvyu422"],
  ["h265", "hevc"],
]);

/** Everything that makes a depot's shape. @throws {TypeError | RangeError} naming the argument, the value, the limit */
export function checkGeometry(options: DepotOptions, names: object = CREATE_NAMES): Geometry {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options must be an object with frameSize: ${show(options)}`);
  }
  checkNames("a new depot", options, names);
  const pixelFormat = checkLabel(options.pixelFormat);
  const format = PIXEL_FORMATS.get(pixelFormat);
  const shape = format !== undefined
    ? shapeOfPixels(format, options)
    : CONTENTS.includes(pixelFormat)
    ? shapeOfContent(pixelFormat, options)
    : shapeAsSaid(pixelFormat, options);
  const geometry: Geometry = {
    ...shape,
    pixelFormat,
    variableLength: checkBoolean("variableLength", options.variableLength ?? false),
    color: checkColor(options.color, format?.isFullRange ? { format: format.name, right: "full" } : undefined),
    sampleAspectRatio: checkAspect(options.sampleAspectRatio),
    fieldOrder: checkFieldOrder(options.fieldOrder),
    maxSize: checkNumber("maxSize", options, 1),
    whenFull: checkOneOf("whenFull", options.whenFull ?? "drop", WHEN_FULL),
    metadataBytes: checkNumber("metadataBytes", options, 0),
    maxReaders: checkNumber("maxReaders", options, 1),
    maxGroups: checkNumber("maxGroups", options, 0),
    firstSequence: checkInteger(
      "the first sequence",
      (options as { [FIRST_SEQUENCE]?: number })[FIRST_SEQUENCE] ?? 0,
      0,
      LAST_SEQUENCE,
    ),
  };
  if (geometry.maxSize * geometry.frameBytes > LIMITS.totalBytes) {
    throw new RangeError(
      `maxSize × frameBytes must be at most ${LIMITS.totalBytes}: ${geometry.maxSize} × ${geometry.frameBytes}`,
    );
  }
  return geometry;
}

function checkNumber(
  option: "maxSize" | "metadataBytes" | "maxReaders" | "maxGroups",
  options: DepotOptions,
  least: 0 | 1,
): number {
  const bound = DEPOT_BOUNDS[option];
  return checkInteger(option, options[option] ?? bound.default, least, bound.most);
}

function checkLabel(label: unknown = ""): string {
  if (typeof label !== "string") throw new TypeError(`pixelFormat must be a string: ${show(label)}`);
  if (!/^[\x21-\x7e]*$/.test(label) || label.length > LIMITS.pixelFormat) {
    throw new RangeError(
      `pixelFormat must be at most ${LIMITS.pixelFormat} printable ASCII characters: ${show(label)}`,
    );
  }
  const name = rightName(label);
  if (name === undefined || name === label) return label;
  throw new RangeError(`pixelFormat must be spelled as in ffmpeg's -pix_fmt: ${show(label)}; did you mean "${name}"?`);
}

/** The name that a label is, or nearly is; undefined for a label of the user's own. */
function rightName(label: string): string | undefined {
  const names = [...PIXEL_FORMATS.keys(), ...CONTENTS];
  const plain = label.toLowerCase();
  if (names.includes(plain)) return plain;
  // ffmpeg takes a name without an ending for the machine's byte order.
  if (PIXEL_FORMATS.has(`${plain}le`)) return `${plain}le`;
  if (OTHER_NAMES.has(plain)) return OTHER_NAMES.get(plain);
  return NO_SLIPS.test(plain) || label.length < 4 ? undefined : meant(label, names);
}

type Shape = Pick<Geometry, "width" | "height" | "channels" | "elementType" | "frameBytes">;

/** All follows from the format and the size in pixels. */
function shapeOfPixels(format: PixelFormat, options: DepotOptions): Shape {
  const { name, channels, elementType } = format;
  const [width, height, said = channels] = checkSize(options.frameSize, [2, 3]);
  const contradicts = (what: string, given: unknown, right: unknown) =>
    new RangeError(`${what} must be ${show(right)}, as ${name} has it: ${show(given)}`);
  if (said !== channels) throw contradicts("frameSize's channels", said, channels);
  if ((options.elementType ?? elementType) !== elementType) {
    throw contradicts("elementType", options.elementType, elementType);
  }
  if (options.variableLength) throw contradicts("variableLength", true, false);
  const frameBytes = checkInteger(
    `the bytes of ${width} × ${height} ${name}`,
    format.frameBytes(width, height),
    1,
    LIMITS.frameBytes,
  );
  if ((options.frameBytes ?? frameBytes) !== frameBytes) {
    throw contradicts(`frameBytes of ${width} × ${height}`, options.frameBytes, frameBytes);
  }
  return { width, height, channels, elementType, frameBytes };
}

/** Only the length counts. What is not said of the size is 0. */
function shapeOfContent(label: string, options: DepotOptions): Shape {
  if (options.variableLength === undefined) {
    throw new TypeError(
      `variableLength must be given for ${label}, whose frames differ in length: undefined; ` +
        "`variableLength: true` takes frames of up to frameBytes, false only frames of exactly frameBytes",
    );
  }
  const { frameSize, frameBytes, elementType = "uint8" } = options;
  const [width, height, channels = 0] = frameSize === undefined ? [0, 0] : checkSize(frameSize, [2, 3]);
  if (elementType !== "uint8") {
    throw new RangeError(`elementType must be "uint8", as ${label} has it: ${show(elementType)}`);
  }
  const most = frameBytes ?? width * height * channels;
  if (most === 0) throw new TypeError(`frameBytes must be the most bytes that a frame of ${label} has: undefined`);
  return { width, height, channels, elementType, frameBytes: checkInteger("frameBytes", most, 1, LIMITS.frameBytes) };
}

/** Without a format, or with a label of the user's own, everything is as it is said. */
function shapeAsSaid(label: string, options: DepotOptions): Shape {
  const [width, height, channels] = checkSize(options.frameSize, [3], label);
  const elementType = checkOneOf("elementType", options.elementType ?? "uint8", ELEMENT_TYPES);
  const computed = width * height * channels! * ELEMENT_BYTES[elementType];
  const what = options.frameBytes === undefined ? "frameSize's width × height × channels × element size" : "frameBytes";
  const frameBytes = checkInteger(what, options.frameBytes ?? computed, 1, LIMITS.frameBytes);
  if (frameBytes % ELEMENT_BYTES[elementType] !== 0) {
    throw new RangeError(
      `frameBytes must be a multiple of ${ELEMENT_BYTES[elementType]}, the bytes of a ${elementType}: ${frameBytes}`,
    );
  }
  return { width, height, channels: channels!, elementType, frameBytes };
}

/**
 * @param lengths how many numbers there may be: without channels, where the format has them, 2
 * @param label of the user's own, which tells no channels
 */
function checkSize(
  value: unknown,
  lengths: readonly (2 | 3)[],
  label = "",
): [width: number, height: number, channels: number | undefined] {
  if (!Array.isArray(value) || !(lengths as readonly number[]).includes(value.length)) {
    const short = lengths.includes(2) ? " or [width, height]" : "";
    const why = label === "" ? "" : `; pixelFormat ${show(label)} is none of PIXEL_FORMATS, which have channels`;
    throw new TypeError(`frameSize must be [width, height, channels]${short}: ${show(value)}${why}`);
  }
  const [width, height, channels] = ["width", "height", "channels"].slice(0, value.length).map((what, i) =>
    checkInteger(`frameSize's ${what}`, value[i], 1, LIMITS.dimension)
  );
  return [width, height, channels];
}
