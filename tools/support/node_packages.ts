/**
 * Packages from the npm registry for what does not install them by itself, in folders that git ignores.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = new URL("../../", import.meta.url);
const MARK = "installed.json";

/** Whether a folder has just what is wanted. Its mark is written last: without it the folder is unfinished. */
function isThere(wanted: URL, folder: URL): boolean {
  try {
    return readFileSync(new URL(MARK, folder), "utf8") === readFileSync(wanted, "utf8");
  } catch {
    return false;
  }
}

/**
 * Installs what a package.json names, unless it is there.
 *
 * @param path of the package.json, from the project's root
 * @param name of the folder in .cache/
 * @returns the folder that has node_modules
 * @throws {Error} when npm fails
 */
export function installed(path: string, name: string): string {
  const wanted = new URL(path, ROOT);
  const cache = new URL(".cache/", ROOT);
  const folder = new URL(`${name}/`, cache);
  if (isThere(wanted, folder)) return fileURLToPath(folder);
  mkdirSync(cache, { recursive: true });
  const made = pathToFileURL(`${mkdtempSync(fileURLToPath(new URL(`${name}-`, cache)))}/`);
  try {
    cpSync(wanted, new URL("package.json", made));
    const { status, stderr } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], {
      cwd: fileURLToPath(made),
      encoding: "utf8",
      shell: process.platform === "win32",
    });
    if (status !== 0) throw new Error(`npm could not install the packages of ${path}: ${stderr}`);
    writeFileSync(new URL(MARK, made), readFileSync(wanted));
    if (!isThere(wanted, folder)) { // else another process was faster
      rmSync(folder, { recursive: true, force: true });
      renameSync(made, folder);
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return fileURLToPath(folder);
}

/** The packages of the command line and of the examples, for Node. */
export function installPackages(): void {
  installed("cli/package.json", "cli");
  installed("tools/support/examples.json", "examples");
}
