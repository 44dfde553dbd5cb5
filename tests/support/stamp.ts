/**
 * Frames whose content says which one they are, so that a torn or mistaken one is seen.
 *
 * @module
 */

/** The number of the frame after which nothing comes. */
export const END = 2 ** 40;

/** The 32-bit word that fills the frame of a producer and a number. */
export function stampOf(producer: number, frameNumber: number): number {
  return (Math.imul(frameNumber + 1, 0x9e3779b1) ^ Math.imul(producer + 1, 0x85ebca6b)) >>> 0;
}

/** Numbers of several producers that never meet: each has its own residue. */
export function numberOf(producer: number, producers: number, index: number): number {
  return index * producers + producer;
}

/** Fills a frame with its stamp. */
export function stamp(frame: Uint8Array, producer: number, frameNumber: number): void {
  new Uint32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2).fill(stampOf(producer, frameNumber));
}

/** What is wrong with a frame: first, last and some words are looked at. Undefined when nothing is. */
export function flaw(frame: Uint8Array, producer: number, frameNumber: number): string | undefined {
  const words = new Uint32Array(frame.buffer, frame.byteOffset, frame.byteLength >> 2);
  const expected = stampOf(producer, frameNumber);
  const step = Math.max(1, words.length >> 3);
  for (let at = 0; at < words.length; at += step) {
    if (words[at] !== expected) return `word ${at} of frame ${frameNumber} is ${words[at]}, not ${expected}`;
  }
  const last = words.length - 1;
  return words[last] === expected ? undefined : `the last word of frame ${frameNumber} is ${words[last]}`;
}
