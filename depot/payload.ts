/**
 * What comes with a frame, checked.
 *
 * @module
 */
import { ELEMENT_BYTES, type Geometry } from "../ring/geometry.ts";

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
  if (!(value instanceof Uint8Array)) throw new TypeError("metadata must be a Uint8Array");
  if (value.length > limit) {
    throw new RangeError(`metadata must have at most the depot's metadataBytes, ${limit}: ${value.length}`);
  }
  return value;
}

const ARRAYS: Record<Geometry["elementType"], { name: string }[]> = {
  uint8: [Uint8Array, Uint8ClampedArray],
  uint16: [Uint16Array],
  float32: [Float32Array],
};

/**
 * The bytes of a frame that a user brings: an array of the depot's element type, or its bytes.
 *
 * @throws {TypeError} for another type @throws {RangeError} for another length
 */
export function checkFrame(value: unknown, geometry: Geometry): Uint8Array {
  const { elementType, frameBytes } = geometry;
  const fits = value instanceof Uint8Array || value instanceof ArrayBuffer ||
    ARRAYS[elementType].some((array) => value instanceof (array as unknown as typeof Uint8Array));
  if (!fits) {
    const wanted = ARRAYS[elementType][0].name;
    const got = typeof value === "object" && value !== null ? value.constructor?.name ?? "object" : typeof value;
    throw new TypeError(`frame must be a ${wanted}${wanted === "Uint8Array" ? "" : " or its bytes"}: it is ${got}`);
  }
  const { byteLength } = value as ArrayBufferLike & ArrayBufferView;
  if (byteLength !== frameBytes) {
    throw new RangeError(
      `frame must have ${frameBytes} bytes (${
        frameBytes / ELEMENT_BYTES[elementType]
      } × ${elementType}): ${byteLength}`,
    );
  }
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  const view = value as ArrayBufferView<ArrayBuffer>;
  return new Uint8Array(view.buffer, view.byteOffset, byteLength);
}
