/**
 * Buffers and typed arrays as they are, whatever has been written over their properties: an object may have a `length`
 * or a `detached` of its own.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any -- the getters of the language itself
const getter = (prototype: object, name: string | symbol): (this: any) => any =>
  Object.getOwnPropertyDescriptor(prototype, name)?.get!; // missing in old engines, where importing must do no harm

const typedArray = Object.getPrototypeOf(Uint8Array.prototype);
const arrayBytes = getter(typedArray, "byteLength");
const arrayOffset = getter(typedArray, "byteOffset");
const arrayBuffer = getter(typedArray, "buffer");
const arrayKind = getter(typedArray, Symbol.toStringTag);
const bufferBytes = getter(ArrayBuffer.prototype, "byteLength");
const bufferDetached = getter(ArrayBuffer.prototype, "detached");
const bufferTransfer = ArrayBuffer.prototype.transfer;

/** The name of a typed array's type; undefined for anything else. */
export function kindOf(value: unknown): string | undefined {
  return typeof value === "object" && value !== null ? arrayKind.call(value) : undefined;
}

/** Bytes of a typed array; 0 once its buffer is detached. */
export function byteLengthOf(array: ArrayBufferView<ArrayBufferLike>): number {
  return arrayBytes.call(array);
}

/** Bytes of a buffer; undefined for anything else. */
export function bufferLengthOf(value: unknown): number | undefined {
  try {
    return bufferBytes.call(value);
  } catch {
    return undefined;
  }
}

/**
 * A typed array's bytes (the first `length` of them) under an array of our own, whose properties are the language's.
 */
export function bytesOf(array: ArrayBufferView<ArrayBufferLike>, length?: number): Uint8Array {
  return new Uint8Array(arrayBuffer.call(array), arrayOffset.call(array), length ?? arrayBytes.call(array));
}

/** Whether a buffer has been detached. */
export function isDetached(buffer: ArrayBuffer): boolean {
  return bufferDetached.call(buffer);
}

/**
 * Moves a buffer's memory into a new one, if the engine lets it go: look afterwards whether the old one is detached.
 */
export function transfer(buffer: ArrayBuffer, byteLength?: number): ArrayBuffer {
  return byteLength === undefined ? bufferTransfer.call(buffer) : bufferTransfer.call(buffer, byteLength);
}
