/**
 * The versions that everything here is tried with, in one place.
 *
 * @module
 */

/** Also named in the README's two commands. */
export const DENO_VERSION = "2.9.6";
/** From the npm registry, run by `npx`. */
export const BUN_VERSION = "1.4.5";
/** From the npm registry. Older ones that the package runs in: `FREE_NODE` in ffi/node.ts. */
export const NODE_VERSION = "26.10.0";
