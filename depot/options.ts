/**
 * What users choose, and the check of every argument before anything is touched.
 *
 * @module
 */
import { ELEMENT_BYTES, type Geometry, LIMITS } from "../ring/geometry.ts";
import { ELEMENT_TYPES, LAST_SEQUENCE, ORDERED_SLOTS, WHEN_FULL } from "../ring/layout.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { WAITINGS } from "../ring/pace.ts";

/** How many bytes an element of a frame has and how it is read: it decides the typed array of `frame.data`. */
export type ElementType = "uint8" | "uint16" | "float32";

/** What happens to a frame for which there is no room. */
export type WhenFull = "drop" | "wait" | "overwrite";

/** What `frame.data` is, by element type. */
export type FrameData = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>;

/** What {@linkcode DepotOptions.onBackpressure} is told. */
export type BackpressureEvent = {
  /** The number of the frame that found no room; undefined where the depot would have numbered it. */
  frameNumber: number | undefined;
  /** Frames that wait for the slowest lossless reader. */
  length: number;
  /** Slots. */
  maxSize: number;
  /** Frames refused so far, by all producers. */
  droppedFrames: number;
  /** Who holds the queue up: its process id and how many frames it is behind. Undefined when nobody reads. */
  slowest: { pid: number; lag: number } | undefined;
};

/**
 * Called when a frame finds no room; runs outside every lock. A depot that drops awaits the promise it returns, for no
 * longer than the call's `timeoutMs` and `signal` allow. A depot that waits calls it once a stall and waits for room
 * beside it. What it throws, its call throws; once the frame is stored or the wait is over, it is printed instead.
 */
export type OnBackpressure = (event: BackpressureEvent) => void | Promise<void>;

/** How a depot is made. Only `frameSize` has no default. */
export type DepotOptions = {
  /** `[width, height, channels]`: pixels, pixels, elements per pixel. Each from 1. */
  frameSize: readonly [width: number, height: number, channels: number];
  /** Default `"uint8"`. */
  elementType?: ElementType;
  /** A label of at most 15 printable ASCII characters, spelled as ffmpeg's `-pix_fmt` spells it. */
  pixelFormat?: string;
  /** Bytes of a frame where they are not width × height × channels × element size, as for nv12 or jpeg. */
  frameBytes?: number;
  /** Frames in the queue, 1 to 1,048,576. Default 10. */
  maxSize?: number;
  /** Default `"drop"`. */
  whenFull?: WhenFull;
  /**
   * Whether frames that every lossless reader has passed stay until the ring comes round to them: for `peekFrame`, for
   * lossy readers, for who comes later. Default true. False: the memory that was read last is written next, while the
   * processor has it in its caches: 1.2 to 1.9 times as many 1080p frames a second. At most 16 slots then.
   */
  history?: boolean;
  /** Called when a frame that this depot object brings finds no room. */
  onBackpressure?: OnBackpressure;
  /** Bytes for the user beside each frame, at most 16 MiB. Default 0. */
  metadataBytes?: number;
  /** Readers at once, in all processes, 1 to 1023. Default 31. */
  maxReaders?: number;
  /** Permission bits of the segment. Default `0o600`: this user only. */
  mode?: number;
};

/** How an existing depot is opened. Its geometry comes from the segment. */
export type OpenOptions = Omit<WaitOptions, "waiting"> & {
  /** As in {@linkcode DepotOptions}: it belongs to the depot object, not to the segment. */
  onBackpressure?: OnBackpressure;
  /** Opens a depot also when the processes that held it are all dead. Default false: then it counts as not there. */
  stale?: boolean;
  /** User ids whose depots are trusted besides one's own and root's. */
  trustedOwners?: readonly number[];
};

/** A test-only option: where the sequence starts. Not part of the public face. */
export const FIRST_SEQUENCE: unique symbol = Symbol("first sequence");

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const NAME_LENGTH = 128;

const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "object" : String(value);
};

/** A whole number within bounds. @throws {TypeError | RangeError} naming the argument, the value and the limit */
export function checkInteger(what: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number") throw new TypeError(`${what} must be a number: ${show(value)}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} must be a whole number from ${least} to ${most}: ${show(value)}`);
  }
  return value;
}

function checkOneOf<T extends string>(what: string, value: unknown, names: readonly T[]): T {
  if (typeof value !== "string") throw new TypeError(`${what} must be a string: ${show(value)}`);
  if (!names.includes(value as T)) {
    throw new RangeError(`${what} must be one of ${names.map((name) => `"${name}"`).join(", ")}: ${show(value)}`);
  }
  return value as T;
}

function checkBoolean(what: string, value: unknown): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${what} must be true or false: ${show(value)}`);
  return value;
}

/** A depot's name. @throws {TypeError | RangeError} */
export function checkName(name: unknown): string {
  if (typeof name !== "string") throw new TypeError(`a depot's name must be a string: ${show(name)}`);
  if (name.length < 1 || name.length > NAME_LENGTH) {
    throw new RangeError(`a depot's name must have 1 to ${NAME_LENGTH} characters: ${show(name)} has ${name.length}`);
  }
  if (!NAME.test(name)) {
    throw new RangeError(
      `a depot's name may have A-Z a-z 0-9 _ - and, but not first, a full stop: ${show(name)}`,
    );
  }
  return name;
}

/** A frame number. @throws {TypeError | RangeError} */
export function checkFrameNumber(value: unknown, what = "frameNumber"): number {
  return checkInteger(what, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}

/** A callback that may be absent. @throws {TypeError} */
export function checkCallback(value: unknown): OnBackpressure | undefined {
  if (value !== undefined && typeof value !== "function") {
    throw new TypeError(`onBackpressure must be a function: ${show(value)}`);
  }
  return value as OnBackpressure | undefined;
}

/** An object of options or details. @throws {TypeError} */
export function checkObject(what: string, value: unknown): void {
  if (typeof value !== "object" || value === null) throw new TypeError(`${what} must be an object: ${show(value)}`);
}

/** What may bound a wait. @throws {TypeError | RangeError} */
export function checkWait(options: WaitOptions): WaitOptions {
  checkObject("options", options);
  const { timeoutMs, signal, waiting = "adaptive" } = options;
  if (timeoutMs !== undefined) {
    if (typeof timeoutMs !== "number") throw new TypeError(`timeoutMs must be a number: ${show(timeoutMs)}`);
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be 0 or more: ${show(timeoutMs)}`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`signal must be an AbortSignal: ${show(signal)}`);
  }
  return { timeoutMs, signal, waiting: checkOneOf("waiting", waiting, WAITINGS) };
}

/** Which segments may be opened. @throws {TypeError | RangeError} */
export function checkOpening(options: OpenOptions): { stale: boolean; trustedOwners: readonly number[] } {
  checkObject("options", options);
  const { stale = false, trustedOwners = [] } = options;
  if (!Array.isArray(trustedOwners)) throw new TypeError(`trustedOwners must be user ids: ${show(trustedOwners)}`);
  return {
    stale: checkBoolean("stale", stale),
    trustedOwners: trustedOwners.map((id) => checkInteger("an id of trustedOwners", id, 0, 2 ** 32 - 1)),
  };
}

/** Permission bits. @throws {TypeError | RangeError} */
export function checkMode(mode: unknown = 0o600): number {
  return checkInteger("mode", mode, 0, 0o777);
}

/** Everything that makes a depot's shape. @throws {TypeError | RangeError} naming the argument, the value, the limit */
export function checkGeometry(options: DepotOptions): Geometry {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options must be an object with frameSize: ${show(options)}`);
  }
  const { frameSize } = options;
  if (!Array.isArray(frameSize) || frameSize.length !== 3) {
    throw new TypeError(`frameSize must be [width, height, channels]: ${show(frameSize)}`);
  }
  const [width, height, channels] = ["width", "height", "channels"].map((what, i) =>
    checkInteger(`frameSize's ${what}`, frameSize[i], 1, LIMITS.dimension)
  );
  const elementType = checkOneOf("elementType", options.elementType ?? "uint8", ELEMENT_TYPES);
  const pixelFormat = options.pixelFormat ?? "";
  if (typeof pixelFormat !== "string") throw new TypeError(`pixelFormat must be a string: ${show(pixelFormat)}`);
  if (!/^[\x21-\x7e]*$/.test(pixelFormat) || pixelFormat.length > LIMITS.pixelFormat) {
    throw new RangeError(
      `pixelFormat must be at most ${LIMITS.pixelFormat} printable ASCII characters: ${show(pixelFormat)}`,
    );
  }
  const computed = width * height * channels * ELEMENT_BYTES[elementType];
  const what = options.frameBytes === undefined ? "frameSize's width × height × channels × element size" : "frameBytes";
  const frameBytes = checkInteger(what, options.frameBytes ?? computed, 1, LIMITS.frameBytes);
  if (frameBytes % ELEMENT_BYTES[elementType] !== 0) {
    throw new RangeError(
      `frameBytes must be a multiple of ${ELEMENT_BYTES[elementType]}, the bytes of a ${elementType}: ${frameBytes}`,
    );
  }
  const geometry: Geometry = {
    width,
    height,
    channels,
    elementType,
    pixelFormat,
    frameBytes,
    maxSize: checkInteger("maxSize", options.maxSize ?? 10, 1, LIMITS.maxSize),
    whenFull: checkOneOf("whenFull", options.whenFull ?? "drop", WHEN_FULL),
    history: checkBoolean("history", options.history ?? true),
    metadataBytes: checkInteger("metadataBytes", options.metadataBytes ?? 0, 0, LIMITS.metadataBytes),
    maxReaders: checkInteger("maxReaders", options.maxReaders ?? 31, 1, LIMITS.maxReaders),
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
  if (!geometry.history && geometry.maxSize > ORDERED_SLOTS) {
    throw new RangeError(`maxSize must be at most ${ORDERED_SLOTS} without history: ${geometry.maxSize}`);
  }
  return geometry;
}
