/**
 * Paths of files beside a module, in Deno and in Bun.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** A file URL as a path. */
export function fromFileUrl(url: URL): string {
  return fileURLToPath(url);
}
