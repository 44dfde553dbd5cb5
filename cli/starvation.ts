/**
 * A full depot without a lossless reader: producers wait or drop, lossy readers get nothing, and nothing is broken. A
 * command that waits there says so, because an endless wait looks like a fault.
 *
 * @module
 */
import type { FramesDepot } from "../mod.ts";

/** Whether frames can neither come nor go until a lossless reader does. */
export function isStarved(depot: FramesDepot): boolean {
  return depot.queueIsFull && depot.stats().slowest === undefined;
}

/** What a lossy or latest reader prints while it gets nothing. */
export function starvedReader(name: string): string {
  return `depot "${name}" is full and has no lossless reader, so no new frame comes:\n` +
    `\`frames-depot read ${name} > /dev/null\` consumes those that wait; a depot that overwrites needs no reader\n`;
}

/** What a producer prints while it waits. */
export function starvedProducer(name: string): string {
  return `depot "${name}" is full: waiting for a reader, such as \`frames-depot read ${name}\`\n`;
}
