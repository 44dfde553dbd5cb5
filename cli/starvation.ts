/**
 * A full depot that nobody consumes: producers wait or drop, lossy readers get nothing, and nothing is broken. Whoever
 * waits there is told, because a wait without an end looks like a fault.
 *
 * @module
 */
import type { FramesDepot } from "../mod.ts";

/** Whether frames can neither come nor go until a lossless reader does. */
export function isStarved(depot: FramesDepot): boolean {
  return depot.queueIsFull && depot.stats().slowest === undefined;
}

/** What is said to a reader that holds nobody back, and gets nothing. */
export function starvedReader(name: string): string {
  return `depot "${name}" is full and has no lossless reader, so no new frame comes:\n` +
    `\`frames-depot read ${name} > /dev/null\` takes those that wait; a depot that overwrites needs none\n`;
}

/** What is said to a producer that waits. */
export function starvedProducer(name: string): string {
  return `depot "${name}" is full: waiting for a reader, such as \`frames-depot read ${name}\`\n`;
}
