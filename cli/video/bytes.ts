/**
 * Arrays of any elements as bytes.
 *
 * @module
 */

/** The bytes of any array. */
export function bytesOf(array: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
