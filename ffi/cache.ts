/**
 * The library as a file, for systems that cannot load one from memory.
 *
 * @module
 */
import type { Backend } from "./backend.ts";

/** The environment variable that names the folder for the library file. */
export const CACHE_VARIABLE = "FRAMES_DEPOT_CACHE";

type Status = { uid: number; mode: number; isSymbolicLink(): boolean; isDirectory(): boolean; isFile(): boolean };
type Fs = {
  mkdirSync(path: string, options: { recursive: boolean; mode: number }): void;
  writeFileSync(path: string, data: Uint8Array, options: { mode: number; flag: string }): void;
  readFileSync(path: string): Uint8Array;
  readdirSync(path: string): string[];
  realpathSync(path: string): string;
  lstatSync(path: string): Status;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: boolean }): void;
};
type Crypto = { createHash(name: string): { update(data: Uint8Array): { digest(encoding: string): string } } };
type Path = { join(...parts: string[]): string };
type Builtins = { getBuiltinModule(name: string): unknown };

const EXTENSIONS: Record<string, string> = { windows: ".dll", darwin: ".dylib" };

/** The name of a file that is being written: when that began, and something random. */
const UNFINISHED = /^\w+-[0-9a-f]{64}\.(?:dll|dylib|so)\.(\d+)-\d+$/;

/** Write permission of others, and the bit that keeps them from removing what is not theirs. */
const OTHERS_WRITE = 0o022, STICKY = 0o1000;

/**
 * The folders to try: the one named, or else the system's place for caches, and a private one beside temporary files.
 *
 * @param user the id of this process's user; undefined where there are none
 */
export function cacheFolders(backend: Backend, user: number | undefined): string[] {
  const isAbsolute = (path: string) => backend.os === "windows" ? /^[A-Za-z]:[\\/]/.test(path) : path.startsWith("/");
  const named = backend.env(CACHE_VARIABLE);
  // Nothing is loaded out of whatever folder the process happens to be in.
  if (named && !isAbsolute(named)) throw new Error(`${CACHE_VARIABLE}=${named} is not an absolute path`);
  if (named) return [named];
  const home = backend.env("HOME");
  const bases = backend.os === "windows"
    ? [backend.env("LOCALAPPDATA")]
    : [backend.env("XDG_CACHE_HOME"), home && `${home}/.cache`];
  const separator = backend.os === "windows" ? "\\" : "/";
  const folders = bases.filter((base) => base && isAbsolute(base)).map((base) => `${base}${separator}frames-depot`);
  if (user !== undefined) folders.push(`/tmp/frames-depot-${user}`);
  if (folders.length > 0) return folders;
  throw new Error(
    `no folder to write it to: ${CACHE_VARIABLE}, ${
      backend.os === "windows" ? "LOCALAPPDATA" : "XDG_CACHE_HOME and HOME"
    } are not set or not readable`,
  );
}

/** A path and all folders above it. */
function upwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join("/")}`).concat("/");
}

/** Why another user could put something else at a path; undefined where none could. */
function weakness(fs: Fs, path: string, user: number, isFolderItself: boolean): string | undefined {
  let status: Status;
  try {
    status = fs.lstatSync(path);
  } catch (error) {
    // Deno may be allowed to read the folder alone.
    if (!isFolderItself && (error as Error).name === "NotCapable") return undefined;
    throw error;
  }
  const { uid, mode } = status;
  if (uid !== user && uid !== 0) return `${path} belongs to user ${uid}, and this process is user ${user}`;
  if (status.isSymbolicLink() || (mode & OTHERS_WRITE) === 0) return undefined;
  if (!isFolderItself && (mode & STICKY) !== 0) return undefined;
  return `other users may write to ${path}: its mode is 0${(mode & 0o7777).toString(8)}`;
}

/** @throws {Error} where another user could change what is in a folder */
function checkFolder(fs: Fs, folder: string, user: number): void {
  const real = fs.realpathSync(folder);
  for (const path of new Set([...upwards(real), ...upwards(folder)])) {
    const why = weakness(fs, path, user, path === real);
    if (why !== undefined) throw new Error(`${why}; ${CACHE_VARIABLE} names another folder`);
  }
}

/** Removes what processes have left that were killed while they wrote. A write takes no minute. */
function sweep(fs: Fs, path: Path, folder: string): void {
  for (const name of fs.readdirSync(folder)) {
    const [, begun] = UNFINISHED.exec(name) ?? [];
    if (begun !== undefined && Number(begun) < Date.now() - 60_000) fs.rmSync(path.join(folder, name), { force: true });
  }
}

/**
 * Puts the library into a folder, unless it is there already, and returns its path. The content is compared with the
 * hash after it has been read back, so that what is loaded is what the package holds; and no other user may be able to
 * change it afterwards.
 *
 * @param user the id of this process's user; undefined where there are none
 */
export function cacheLibrary(
  os: string,
  folder: string,
  user: number | undefined,
  name: string,
  sha256: string,
  bytes: Uint8Array,
): string {
  // Not imported: importing this package must not cost loading these modules, and most processes never need them.
  const builtins = (globalThis as unknown as { process: Builtins }).process;
  const fs = builtins.getBuiltinModule("node:fs") as Fs;
  const crypto = builtins.getBuiltinModule("node:crypto") as Crypto;
  const paths = builtins.getBuiltinModule("node:path") as Path;
  const hash = (data: Uint8Array) => crypto.createHash("sha256").update(data).digest("hex");
  if (hash(bytes) !== sha256) throw new Error(`the package is damaged: its hash is not ${sha256}`);
  const path = paths.join(folder, `${name}-${sha256}${EXTENSIONS[os] ?? ".so"}`);
  const isThere = () => {
    try {
      const safe = user === undefined || fs.lstatSync(path).isFile() && weakness(fs, path, user, true) === undefined;
      return safe && hash(fs.readFileSync(path)) === sha256;
    } catch {
      return false;
    }
  };
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user !== undefined) checkFolder(fs, folder, user);
  if (isThere()) return path;
  sweep(fs, paths, folder);
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
