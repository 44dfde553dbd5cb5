/**
 * What the two threads of the floor's round trips agree on.
 *
 * @module
 */

/** Words that both threads see. */
export const WORD = { ball: 0, answer: 1 } as const;
/** The ball that ends the game. */
export const LAST = -1;

/** What the worker is given. */
export type FloorTask = { words: SharedArrayBuffer; how: "spins" | "sleeps" };
