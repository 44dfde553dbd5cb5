/**
 * Which name was meant by one that does not exist.
 *
 * @module
 */

/** The name that a word is, but for its case, for hyphens and underscores, or for one slip of a finger. */
export function meant(word: string, names: readonly string[]): string | undefined {
  const plain = plainly(word);
  return names.find((name) => plainly(name) === plain) ?? names.find((name) => isOneSlip(plain, plainly(name)));
}

const plainly = (word: string): string => word.toLowerCase().replace(/[-_]/g, "");

/** Whether two words differ in one letter that is missing, added or another, or in two that changed places. */
function isOneSlip(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  let [end, otherEnd] = [one.length, other.length];
  while (end > start && otherEnd > start && one[end - 1] === other[otherEnd - 1]) {
    [end, otherEnd] = [end - 1, otherEnd - 1];
  }
  const [left, right] = [one.slice(start, end), other.slice(start, otherEnd)];
  return Math.max(left.length, right.length) <= 1 || left.length === 2 && left === [...right].reverse().join("");
}
