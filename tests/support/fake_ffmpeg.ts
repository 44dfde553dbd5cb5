/**
 * Programs named ffmpeg that are not what they should be, in a folder that goes first on the PATH.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** Where a program is. */
export function whereIs(program: string): string {
  return spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).stdout.trim();
}

/** A PATH on which `ffmpeg` is this shell script. In the script, `$REAL` is the real one. */
export function pathWith(folder: string, script: string): string {
  const bin = join(folder, `bin-${crypto.randomUUID()}`);
  mkdirSync(bin);
  writeFileSync(join(bin, "ffmpeg"), `#!/bin/sh\nREAL='${whereIs("ffmpeg")}'\n${script}\n`);
  chmodSync(join(bin, "ffmpeg"), 0o755);
  return `${bin}:${process.env.PATH}`;
}

/** A PATH without any ffmpeg. */
export function pathWithout(folder: string): string {
  const bin = join(folder, `bin-${crypto.randomUUID()}`);
  mkdirSync(bin);
  symlinkSync(whereIs("mkfifo"), join(bin, "mkfifo"));
  return bin;
}

/** A PATH on which ffmpeg is another program. */
export function pathTo(folder: string, ffmpeg: string): string {
  const bin = join(folder, `bin-${crypto.randomUUID()}`);
  mkdirSync(bin);
  symlinkSync(ffmpeg, join(bin, "ffmpeg"));
  return `${bin}:${process.env.PATH}`;
}
