/**
 * sharp, an encoder in native code, where it is installed: beside this program, or in the present folder.
 *
 * @module
 */
import fs from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What is used of a picture of sharp's. */
export type SharpPicture = {
  resize(width: number, height: number, options: { fit: "fill"; kernel: "linear" }): SharpPicture;
  removeAlpha(): SharpPicture;
  jpeg(
    options: { quality: number; chromaSubsampling: "4:4:4" | "4:2:0"; optimiseCoding?: boolean },
  ): SharpPicture;
  toBuffer(): Promise<Uint8Array>;
};

/** What is used of sharp. */
export type Sharp = (
  data: Uint8Array,
  options?: { raw: { width: number; height: number; channels: 1 | 3 | 4 } },
) => SharpPicture;

let found: Sharp | null | undefined;

/** The native encoder; undefined where there is none. */
export function findSharp(): Sharp | undefined {
  found ??= look() ?? null;
  return found ?? undefined;
}

function look(): Sharp | undefined {
  for (const from of [import.meta.url, join(process.cwd(), "x.js")]) {
    if (!isBeside(from)) continue; // Bun would look for it in the network, and may wait there forever
    try {
      return createRequire(from)("sharp") as Sharp;
    } catch { // it is not there, or not for this system
    }
  }
  return undefined;
}

/** Whether a folder above a file, or its own, has the package. */
function isBeside(file: string): boolean {
  const folder = dirname(file.startsWith("file:") ? fileURLToPath(file) : file);
  if (fs.existsSync(join(folder, "node_modules", "sharp"))) return true;
  return dirname(folder) !== folder && isBeside(folder);
}
