/**
 * A place to stand still: tests stop or kill a process between two steps of the protocol. Nothing outside tests sets
 * it, and `mod.ts` does not export it.
 *
 * @module
 */

/** Called right after the named step of docs/internals/protocol.md. */
export const trace: { at: ((step: string) => void) | undefined } = { at: undefined };
