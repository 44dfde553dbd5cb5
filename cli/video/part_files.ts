/**
 * Names of the files of one stream: a file for each shape of frames.
 *
 * @module
 */
import { existsSync } from "node:fs";

/** `out.mp4`, then `out.1.mp4`, `out.2.mp4`: numbers of files that exist are passed over, unless they are replaced. */
export class PartFiles {
  readonly #path: string;
  readonly #overwrite: boolean;
  #parts = 0;

  constructor(path: string, overwrite: boolean) {
    this.#path = path;
    this.#overwrite = overwrite;
  }

  /** The name of the next file. */
  next(): string {
    if (this.#parts++ === 0) return this.#path;
    for (;; this.#parts++) {
      const path = this.#path.replace(/(\.[^./\\]*)?$/, `.${this.#parts - 1}$1`);
      if (this.#overwrite || !existsSync(path)) return path;
    }
  }
}
