/**
 * The check of every argument, before anything is touched.
 *
 * @module
 */
import { bufferLengthOf, byteLengthOf, bytesOf, kindOf } from "../ffi/buffers.ts";
import { ELEMENT_BYTES, type Geometry } from "../ring/geometry.ts";
import type { From } from "../ring/from.ts";
import type { WaitOptions } from "../ring/lane.ts";
import { GROUP_NAME_BYTES } from "../ring/groups.ts";
import { ELEMENT_TYPES } from "../ring/layout.ts";
import { WAITINGS } from "../ring/pace.ts";
import type { FrameDetails, FramesOptions, OnBackpressure, OpenOptions, PeekAtOptions, ReadMode } from "./options.ts";

const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const NAME_LENGTH = 128;
const READ_MODES: readonly ReadMode[] = ["lossless", "lossy", "latest"];
const PLACES: readonly From[] = ["oldest", "latest", "next"];

/** A value as a message shows it. */
export const show = (value: unknown): string => {
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

/** One of some names. @throws {TypeError | RangeError} */
export function checkOneOf<T extends string>(what: string, value: unknown, names: readonly T[]): T {
  if (typeof value !== "string") throw new TypeError(`${what} must be a string: ${show(value)}`);
  if (!names.includes(value as T)) {
    throw new RangeError(`${what} must be one of ${names.map((name) => `"${name}"`).join(", ")}: ${show(value)}`);
  }
  return value as T;
}

/** @throws {TypeError} */
export function checkBoolean(what: string, value: unknown): boolean {
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
  if (Number.isSafeInteger(value)) return value as number;
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

/** How far away a frame's time may be. @throws {TypeError | RangeError} */
export function checkWithin(options: PeekAtOptions): number {
  checkObject("options", options);
  const { within = Infinity } = options;
  if (typeof within !== "number" && typeof within !== "bigint") {
    throw new TypeError(`within must be nanoseconds, a number or a bigint: ${show(within)}`);
  }
  if (!(within >= 0)) throw new RangeError(`within must be 0 nanoseconds or more: ${show(within)}`);
  return Number(within);
}

/** A group's name. @throws {TypeError | RangeError} */
function checkGroup(name: unknown, mode: ReadMode): string {
  if (typeof name !== "string") throw new TypeError(`group must be a string: ${show(name)}`);
  if (mode !== "lossless") {
    throw new TypeError(
      `group ${show(name)} cannot have mode "${mode}": a group shares every frame, so leave mode out`,
    );
  }
  const bytes = new TextEncoder().encode(name).length;
  if (bytes < 1 || bytes > GROUP_NAME_BYTES) {
    throw new RangeError(`group must have 1 to ${GROUP_NAME_BYTES} bytes of UTF-8: ${show(name)} has ${bytes}`);
  }
  if (!name.isWellFormed()) throw new RangeError(`group must be whole characters: ${show(name)} has half of one`);
  return name;
}

/** The group that a loop is a member of, and where it would have it begin. */
type Group = { name: string; from: From | undefined };

/** How a depot is followed. @throws {TypeError | RangeError} */
export function checkFollowing(
  options: FramesOptions,
): { mode: ReadMode; from: From; group: Group | undefined; whenProducersGone: "wait" | "end" } {
  const { mode = "lossless", from = "oldest", whenProducersGone = "wait" } = options;
  if (!READ_MODES.includes(mode)) {
    throw new RangeError(`mode must be one of "lossless", "lossy", "latest": ${show(mode)}`);
  }
  if (typeof from === "number") checkFrameNumber(from, "from");
  else if (!PLACES.includes(from)) {
    throw new RangeError(`from must be "oldest", "latest", "next" or a frame number: ${show(from)}`);
  }
  const group = options.group === undefined ? undefined : { name: checkGroup(options.group, mode), from: options.from };
  return { mode, from, group, whenProducersGone: checkOneOf("whenProducersGone", whenProducersGone, ["wait", "end"]) };
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

/** Which elements a depot must have to be opened, if that is said. @throws {TypeError | RangeError} */
export function checkElements({ elementType }: OpenOptions): Partial<Pick<Geometry, "elementType">> {
  return elementType === undefined ? {} : { elementType: checkOneOf("elementType", elementType, ELEMENT_TYPES) };
}

/** Permission bits. @throws {TypeError | RangeError} */
export function checkMode(mode: unknown = 0o600): number {
  return checkInteger("mode", mode, 0, 0o777);
}

/** @throws {TypeError | RangeError} unless it fits 64 bits without a sign */
export function checkTimestamp(value: unknown): bigint | number {
  return typeof value === "number" && value >= 0 && value < 2 ** 64 ? Math.trunc(value) : checkBigTimestamp(value);
}

function checkBigTimestamp(value: unknown): bigint {
  if (typeof value !== "bigint" && typeof value !== "number") {
    throw new TypeError(`timestampNs must be a bigint or a number: ${typeof value}`);
  }
  if (typeof value === "bigint" && value >= 0n && value < 1n << 64n) return value;
  throw new RangeError(`timestampNs must be from 0 to 2^64 - 1: ${value}`);
}

/** @throws {TypeError | RangeError} unless it is bytes that the depot has room for */
export function checkMetadata(value: unknown, limit: number): Uint8Array {
  if (kindOf(value) !== "Uint8Array") throw new TypeError(`metadata must be a Uint8Array: it is ${nameOf(value)}`);
  const bytes = bytesOf(value as Uint8Array);
  if (bytes.length > limit) {
    const refusal = `metadata must have at most the depot's metadataBytes, ${limit}: ${bytes.length}`;
    throw new RangeError(`${refusal}; \`create\` takes a larger \`metadataBytes\``);
  }
  return bytes;
}

/** Typed arrays that hold frames of each element type. */
const KINDS: Record<Geometry["elementType"], readonly string[]> = {
  uint8: ["Uint8Array", "Uint8ClampedArray"],
  uint16: ["Uint16Array"],
  float32: ["Float32Array"],
};

function nameOf(value: unknown): string {
  if (typeof value !== "object") return typeof value;
  if (value === null) return "null";
  const kind = kindOf(value);
  if (kind !== undefined) return kind;
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string") return "an object";
  return name.endsWith("Array") && !Array.isArray(value) ? `an object that only looks like a ${name}` : name;
}

/**
 * The bytes of a frame that a user brings: an array of the depot's element type, or its bytes. Arrays are taken as the
 * language has them, whatever properties of their own they have.
 *
 * @throws {TypeError} for another type @throws {RangeError} for another length
 */
export function checkFrame(value: unknown, geometry: Geometry): Uint8Array {
  const { elementType, frameBytes } = geometry;
  try {
    if (value instanceof Uint8Array && byteLengthOf(value) === frameBytes) return value;
  } catch { // no array, only made to look like one: said below
  }
  const kind = kindOf(value);
  const fits = kind === "Uint8Array" || kind !== undefined && KINDS[elementType].includes(kind);
  const byteLength = fits ? byteLengthOf(value as Uint8Array) : kind === undefined ? bufferLengthOf(value) : undefined;
  if (byteLength === undefined) {
    const wanted = KINDS[elementType][0];
    const bytes = wanted === "Uint8Array" ? "" : " or its bytes";
    throw new TypeError(`frame must be a ${wanted}${bytes}: it is ${nameOf(value)}`);
  }
  checkByteLength("frame", byteLength, geometry);
  return fits ? bytesOf(value as Uint8Array) : new Uint8Array(value as ArrayBuffer);
}

/** Bytes that a frame may have. @throws {RangeError} naming the argument, the value, the limit */
export function checkByteLength(
  what: string,
  bytes: number,
  { variableLength, frameBytes, elementType }: Geometry,
): number {
  if (bytes === frameBytes) return bytes;
  const elementBytes = ELEMENT_BYTES[elementType];
  if (!variableLength) {
    const refusal = `${what} must have ${frameBytes} bytes (${frameBytes / elementBytes} × ${elementType}): ${bytes}`;
    throw new RangeError(`${refusal}; \`create\` takes \`variableLength: true\` for frames of any length up to that`);
  }
  if (bytes > frameBytes) {
    const refusal = `${what} must have at most frameBytes, ${frameBytes} bytes: ${bytes}`;
    throw new RangeError(`${refusal}; \`create\` takes a larger \`frameBytes\``);
  }
  if (bytes % elementBytes === 0) return bytes;
  throw new RangeError(`${what} must have a multiple of ${elementBytes} bytes, those of a ${elementType}: ${bytes}`);
}

/**
 * The last frame of a source that has ended within it.
 *
 * @throws {RangeError} where frames have one length, or it ends within an element
 */
export function checkLastFrame(bytes: number, { variableLength, frameBytes, elementType }: Geometry): number {
  if (variableLength && bytes % ELEMENT_BYTES[elementType] === 0) return bytes;
  const whole = variableLength ? `${elementType} elements` : frameBytes;
  throw new RangeError(`the source ended ${bytes} bytes into a frame of ${whole}`);
}

/** Nothing that was said of a frame. */
export const NOTHING_SAID: FrameDetails = {};

/** What comes with a frame. @throws {TypeError | RangeError} */
export function checkDetails(
  frameNumber: unknown,
  timestampNs: unknown,
  metadata: unknown,
  metadataBytes: number,
): FrameDetails {
  return {
    frameNumber: frameNumber === undefined ? undefined : checkFrameNumber(frameNumber),
    timestampNs: timestampNs === undefined ? undefined : checkTimestamp(timestampNs),
    metadata: metadata === undefined ? undefined : checkMetadata(metadata, metadataBytes),
  };
}
