/**
 * Packages from the npm registry for what does not install them by itself, in folders that git ignores.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** Whether a folder has just what is wanted. Its mark is written last: without it the folder is unfinished. */
function isThere(wanted: URL, mark: URL): boolean {
  try {
    return readFileSync(mark, "utf8") === readFileSync(wanted, "utf8");
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
  const folder = new URL(`.cache/${name}/`, ROOT);
  const mark = new URL("installed.json", folder);
  if (isThere(wanted, mark)) return fileURLToPath(folder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(wanted, new URL("package.json", folder));
  const { status, stderr } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], {
    cwd: fileURLToPath(folder),
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm could not install the packages of ${path}: ${stderr}`);
  writeFileSync(mark, readFileSync(wanted));
  return fileURLToPath(folder);
}

/** The packages of the command line, for Node. */
export function installPackages(): void {
  installed("cli/package.json", "cli");
}
