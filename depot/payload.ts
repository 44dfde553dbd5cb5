/**
 * What comes with a frame, checked.
 *
 * @module
 */
import { bufferLengthOf, byteLengthOf, bytesOf, kindOf } from "../ffi/buffers.ts";
import { ELEMENT_BYTES, type Geometry } from "../ring/geometry.ts";
import { checkFrameNumber } from "./options.ts";

/** What may be said of a frame at the moment it is claimed or published. */
export type FrameDetails = {
  /** Any safe integer; left out, the frame's sequence is its number. */
  frameNumber?: number;
  /** Nanoseconds, 0 to 2^64 - 1; left out, the time of publishing since 1970. */
  timestampNs?: bigint | number;
  /** At most the depot's `metadataBytes`. */
  metadata?: Uint8Array;
};

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
    throw new RangeError(`metadata must have at most the depot's metadataBytes, ${limit}: ${bytes.length}`);
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
  if (byteLength !== frameBytes) {
    throw new RangeError(
      `frame must have ${frameBytes} bytes (${
        frameBytes / ELEMENT_BYTES[elementType]
      } × ${elementType}): ${byteLength}`,
    );
  }
  return fits ? bytesOf(value as Uint8Array) : new Uint8Array(value as ArrayBuffer);
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
