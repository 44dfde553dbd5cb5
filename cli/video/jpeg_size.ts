/**
 * The size that a JPEG says it has, without decoding it.
 *
 * @module
 */

const MARKER = 0xff;
/** Markers without a segment: TEM, and RST0 to SOI. */
const isAlone = (code: number) => code === 0x01 || code >= 0xd0 && code <= 0xd8;
/** Frame headers are SOF0 to SOF15; among their codes are those of DHT, JPG and DAC. */
const isFrameHeader = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);
/** Image data and the end of the image: what comes after is no header. */
const isOver = (code: number) => code === 0xd9 || code === 0xda;

/**
 * Reads the frame header (ITU-T T.81, B.2.2).
 *
 * @returns undefined where there is none, or where the height comes after the lines (0)
 */
export function jpegSize(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== MARKER) return undefined;
    const code = bytes[at + 1];
    if (code === MARKER) at++; // markers may be padded
    else if (isAlone(code)) at += 2;
    else if (isOver(code)) return undefined;
    else if (isFrameHeader(code)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return width > 0 && height > 0 ? { width, height } : undefined;
    } else at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
