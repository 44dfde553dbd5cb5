/**
 * The packages of the command line for Node, which installs none by itself, in a folder that git ignores.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const wanted = new URL("../../cli/package.json", import.meta.url);
const folder = new URL("../../.cache/cli/", import.meta.url);
/** Written last: a folder without it is unfinished. */
const done = new URL("installed.json", folder);

function isThere(): boolean {
  try {
    return readFileSync(done, "utf8") === readFileSync(wanted, "utf8");
  } catch {
    return false;
  }
}

/** Installs what cli/package.json names, unless it is there. */
export function installPackages(): void {
  if (isThere()) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(wanted, new URL("package.json", folder));
  const { status, stderr } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], {
    cwd: fileURLToPath(folder),
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`npm could not install the packages of cli/package.json: ${stderr}`);
  writeFileSync(done, readFileSync(wanted));
}
