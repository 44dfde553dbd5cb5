/**
 * Where a JPEG picture ends, by its markers.
 *
 * @module
 */
const [END, SCAN, FIRST_RESTART, LAST_RESTART] = [0xd9, 0xda, 0xd0, 0xd7];

/** Bytes of the first picture; undefined where its end is not there yet. @throws {RangeError} for other bytes */
export function jpegLength(bytes: Uint8Array): number | undefined {
  for (let at = 2; at + 2 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw new RangeError("this is no JPEG");
    const marker = bytes[at + 1];
    if (marker === END) return at + 2;
    if (at + 4 > bytes.length) return undefined;
    at += 2 + (bytes[at + 2] << 8 | bytes[at + 3]);
    if (marker !== SCAN) continue;
    // Within a scan 0xff is followed by 0, or by a marker that begins it anew.
    for (;; at += 2) {
      at = bytes.indexOf(0xff, at);
      if (at < 0 || at + 1 >= bytes.length) return undefined;
      const next = bytes[at + 1];
      if (next !== 0 && (next < FIRST_RESTART || next > LAST_RESTART)) break;
    }
  }
  return undefined;
}
