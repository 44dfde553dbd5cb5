/**
 * `@std/path` for Bun, and for where JSR is out of reach: the runtime's own.
 *
 * @module
 */
export { basename, dirname, extname, join, relative, resolve } from "node:path";
