/**
 * Temporary folders.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs with a new folder, which is gone afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A folder that is gone at the end of its scope. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(`${tmpdir()}/frames-depot-test-`);
  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
