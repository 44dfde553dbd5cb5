/**
 * `@std/path` for Bun, and for where JSR is out of reach: the runtime's own.
 *
 * @module
 */
export * from "node:path";
