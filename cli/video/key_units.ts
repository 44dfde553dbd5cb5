/**
 * Where a decoder of H.264 may begin.
 *
 * @module
 */

/** Kinds of units, from their first byte. */
const [PICTURE, KEY_PICTURE, SEQUENCE_PARAMETERS] = [1, 5, 7];

/** Whether an access unit with start codes needs none before it: parameters, and then a picture that refers to none. */
export function beginsAnew(unit: Uint8Array): boolean {
  let hasParameters = false;
  for (let at = 0; at + 3 < unit.length; at++) {
    if (unit[at] !== 0 || unit[at + 1] !== 0 || unit[at + 2] !== 1) continue;
    const kind = unit[at + 3] & 31;
    if (kind === SEQUENCE_PARAMETERS) hasParameters = true;
    if (kind >= PICTURE && kind <= KEY_PICTURE) return kind === KEY_PICTURE && hasParameters;
  }
  return false;
}
