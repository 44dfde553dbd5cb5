/**
 * Several versions of ffmpeg: the one of the PATH, and those that packages bring, installed into `.cache/ffmpeg/`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../shim/zig.ts";

/** One that is here. */
export type FoundFfmpeg = {
  /** Where it comes from. */
  from: string;
  version: string;
  path: string;
  /** The options that keep each frame with its own time. */
  passthrough: readonly string[];
};
/** One version, or why it cannot be had. */
export type Ffmpeg = FoundFfmpeg | { from: string; missing: string };

/** Of Python and of npm, pinned: a new one, and one from before 5.1. */
const [PYTHON, NPM] = ["imageio-ffmpeg==0.8.1", "@ffmpeg-installer/linux-x64@4.1.0"];

/** What a program writes. @throws {Error} when it is not there, or fails */
export function output(command: string, parameters: string[]): string {
  const { status, error, stdout, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
  if (error !== undefined) throw new Error(`${command} is not installed`);
  if (status !== 0) throw new Error(`${command} failed: ${(stderr || stdout).trim().split("\n").at(-1)}`);
  return stdout.trim();
}

/** Installs into a folder of the cache, once. @returns it */
export function installed(name: string, install: (folder: string) => void): string {
  const cache = join(cacheFolder(), "ffmpeg");
  const folder = join(cache, name.replaceAll(/[^\w.]+/g, "-"));
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(join(cache, "installing-"));
  try {
    install(made);
    if (!existsSync(folder)) renameSync(made, folder); // else another process was faster
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}

function ofPython(): string {
  const folder = installed(PYTHON, (made) => {
    output("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target", made, PYTHON]);
  });
  const binaries = join(folder, "imageio_ffmpeg/binaries");
  const name = readdirSync(binaries).find((file) => file.startsWith("ffmpeg-"));
  if (name === undefined) throw new Error(`${PYTHON} has no ffmpeg for this system`);
  chmodSync(join(binaries, name), 0o755);
  return join(binaries, name);
}

function ofNpm(): string {
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error(`${NPM} is for Linux on x64`);
  const folder = installed(NPM, (made) => output("npm", ["install", "--silent", "--prefix", made, NPM]));
  return join(folder, "node_modules/@ffmpeg-installer/linux-x64/ffmpeg");
}

const SOURCES: readonly [from: string, find: () => string][] = [
  ["the PATH", () => output("sh", ["-c", "command -v ffmpeg"])],
  [`PyPI's ${PYTHON}`, ofPython],
  [`npm's ${NPM}`, ofNpm],
];

/** All that can be had, and why the others cannot. */
export function ffmpegs(): Ffmpeg[] {
  return SOURCES.map(([from, find]) => {
    try {
      const path = find();
      const said = output(path, ["-version"]);
      const version = /^ffmpeg version (\S+)/.exec(said)?.[1] ?? "unknown";
      const [, major, minor] = /libavcodec +(\d+)\. *(\d+)/.exec(said)!.map(Number);
      const mode = major * 1000 + minor >= 59_037 ? "-fps_mode" : "-vsync"; // 5.1
      return { from, version, path, passthrough: [mode, "passthrough", "-enc_time_base", "1/720000"] };
    } catch (error) {
      return { from, missing: (error as Error).message };
    }
  });
}

/** A PATH on which `ffmpeg` is this one. @param folder a folder of the caller's, that is removed afterwards */
export function pathTo(folder: string, { path }: FoundFfmpeg): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  symlinkSync(path, join(bin, "ffmpeg"));
  return `${bin}:${process.env.PATH}`;
}
