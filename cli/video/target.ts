/**
 * Files that a command reads or is to write, looked at before it waits for anything.
 *
 * @module
 */
import fs from "node:fs";
import { dirname } from "node:path";
import { EXIT, Failure, systemReason } from "../failure.ts";

const TAKES_FILES = fs.constants.W_OK | fs.constants.X_OK;

/** Whether ffmpeg takes a name for something else than a file. (On Windows one letter and a colon is a drive.) */
export function isUrl(name: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(name);
}

/**
 * Looks at the place of an output. A URL has none.
 *
 * @throws {Failure} where it is there and `overwrite` is false, and where its folder takes no file
 */
export function checkTarget(path: string, overwrite: boolean): void {
  if (isUrl(path) || path === "-") return;
  const found = lookAt(path);
  if (found?.isFile() && !overwrite) {
    throw new Failure(`cannot write ${path}: it exists; --overwrite replaces it`, EXIT.refused);
  }
  if (found?.isDirectory()) {
    throw new Failure(`cannot write ${path}: it is a folder; name a file in it`, EXIT.system);
  }
  if (found === undefined) checkFolder(path);
}

/** Looks at the folder of a new file. @throws {Failure} where it takes none */
export function checkFolder(path: string): void {
  const folder = dirname(path);
  const found = lookAt(folder);
  if (!found?.isDirectory()) {
    const why = found === undefined ? `there is no folder ${folder}` : `${folder} is no folder`;
    throw new Failure(`cannot write ${path}: ${why}; make it first, or name another one`, EXIT.system);
  }
  try {
    fs.accessSync(folder, TAKES_FILES);
  } catch (error) {
    throw new Failure(`cannot write ${path}: its folder takes no file, ${systemReason(error)}`, EXIT.system);
  }
}

/** Whether a folder takes new files. */
export function takesFiles(folder: string): boolean {
  try {
    fs.accessSync(folder, TAKES_FILES);
    return true;
  } catch {
    return false;
  }
}

/** What is there; undefined where nothing is, or what is said to be a folder on the way is none. */
function lookAt(path: string): fs.Stats | undefined {
  try {
    return fs.statSync(path);
  } catch {
    return undefined;
  }
}

/** @throws {Failure} where there is no such file */
export function checkSource(path: string): void {
  if (fs.existsSync(path)) return;
  throw new Failure(`cannot open ${path}: no such file or directory`, EXIT.notFound);
}
