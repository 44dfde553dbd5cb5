/**
 * A pipe from which the runtime reads for as long as nothing is written into it.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";

/** Bytes that a pipe takes at once. */
const MOST_BYTES = 4096;
const LATE = 0xdd;

/** More than one read, each of which takes a thread of the runtime, is not needed. */
export class LatePipe {
  readonly #descriptor: number;
  #reading: Promise<void> | undefined;
  #bytes = 0;

  constructor(path: string) {
    const { status } = spawnSync("mkfifo", [path]);
    if (status !== 0) throw new Error(`mkfifo ${path} failed`);
    this.#descriptor = fs.openSync(path, fs.constants.O_RDWR);
  }

  /** Begins a read into a view. @returns false while another is under way */
  begin(view: Uint8Array): boolean {
    if (this.#reading !== undefined) return false;
    this.#bytes = Math.min(view.length, MOST_BYTES);
    this.#reading = new Promise((resolve) => {
      fs.read(this.#descriptor, view, 0, view.length, null, () => {
        this.#reading = undefined;
        resolve();
      });
    });
    return true;
  }

  /** Writes what is read for: bytes that no frame has. */
  async write(): Promise<void> {
    if (this.#reading === undefined) return;
    fs.writeSync(this.#descriptor, new Uint8Array(this.#bytes).fill(LATE));
    await this.#reading;
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
