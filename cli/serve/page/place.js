// @ts-check
/**
 * Which depot is shown in full, in the fragment of the address: so that back, forward and bookmarks work.
 *
 * @module
 */

/** @param {string | undefined} [name] of a depot; undefined for all of them */
export function addressOf(name) {
  return name === undefined ? "#/" : `#/${encodeURIComponent(name)}`;
}

/** @returns {string | undefined} the depot that is shown in full */
export function shownName() {
  const path = location.hash.replace(/^#\/?/, "");
  try {
    return decodeURIComponent(path) || undefined;
  } catch {
    return undefined; // not an address that this page has made
  }
}

/** Goes to all depots. */
export function leave() {
  location.hash = addressOf();
}
