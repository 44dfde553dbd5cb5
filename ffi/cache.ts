/**
 * The library as a file, for systems that cannot load one from memory.
 *
 * @module
 */
import type { Backend } from "./backend.ts";

/** The environment variable that names the folder for the library file. */
export const CACHE_VARIABLE = "FRAMES_DEPOT_CACHE";

type Fs = {
  mkdirSync(path: string, options: { recursive: boolean; mode: number }): void;
  writeFileSync(path: string, data: Uint8Array, options: { mode: number; flag: string }): void;
  readFileSync(path: string): Uint8Array;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: boolean }): void;
};
type Crypto = { createHash(name: string): { update(data: Uint8Array): { digest(encoding: string): string } } };
type Builtins = { getBuiltinModule(name: string): unknown };

const EXTENSIONS: Record<string, string> = { windows: ".dll", darwin: ".dylib" };

/** The folder: the one named, or the system's place for caches. */
function folder(backend: Backend): string {
  const named = backend.env(CACHE_VARIABLE);
  if (named) return named;
  const base = backend.os === "windows"
    ? backend.env("LOCALAPPDATA")
    : backend.env("XDG_CACHE_HOME") || (backend.env("HOME") && `${backend.env("HOME")}/.cache`);
  if (base) return `${base}/frames-depot`;
  throw new Error(
    `no folder to write it to: ${CACHE_VARIABLE}, ${
      backend.os === "windows" ? "LOCALAPPDATA" : "XDG_CACHE_HOME and HOME"
    } are not set or not readable`,
  );
}

/**
 * Puts the library into the cache folder, unless it is there already, and returns its path. The content is compared
 * with the hash after it has been read back, so that what is loaded is what the package holds.
 */
export function cacheLibrary(backend: Backend, name: string, sha256: string, bytes: Uint8Array): string {
  // Not imported: importing this package must not cost loading these modules, and most processes never need them.
  const builtins = (globalThis as unknown as { process: Builtins }).process;
  const fs = builtins.getBuiltinModule("node:fs") as Fs;
  const crypto = builtins.getBuiltinModule("node:crypto") as Crypto;
  const hash = (data: Uint8Array) => crypto.createHash("sha256").update(data).digest("hex");
  if (hash(bytes) !== sha256) throw new Error(`the package is damaged: its hash is not ${sha256}`);
  const directory = folder(backend);
  const path = `${directory}/${name}-${sha256}${EXTENSIONS[backend.os] ?? ".so"}`;
  const isThere = () => {
    try {
      return hash(fs.readFileSync(path)) === sha256;
    } catch {
      return false;
    }
  };
  if (isThere()) return path;
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${Date.now()}-${Math.trunc(Math.random() * 2 ** 32)}`;
  try {
    fs.writeFileSync(temporary, bytes, { mode: 0o700, flag: "wx" });
    fs.renameSync(temporary, path);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
  if (!isThere()) throw new Error(`${path} does not hold what was written to it`);
  return path;
}
