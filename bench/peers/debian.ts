/**
 * What comes as packages of the system: used where it is, installed where that is permitted.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import process from "node:process";

const QUIET = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=60"];

function apt(...parameters: string[]): boolean {
  return spawnSync(QUIET[0], [...QUIET.slice(1), ...parameters], { stdio: "ignore" }).status === 0;
}

/**
 * Finds something, or installs packages and looks again.
 *
 * @throws {Error} what `find` throws, with the reason why nothing could be installed
 */
export function orFromDebian<T>(find: () => T, packages: readonly string[]): T {
  try {
    return find();
  } catch (error) {
    const wanted = packages.join(" ");
    const because = (why: string) => new Error(`${(error as Error).message}; ${wanted}: ${why}`);
    if (spawnSync("apt-get", ["--version"]).error !== undefined) throw because("there is no apt-get here");
    if (process.getuid?.() !== 0) throw because("only root may install packages");
    apt("update"); // lists may be old or missing; if this fails the next may still succeed
    if (!apt("install", "--no-install-recommends", ...packages)) throw because("apt-get could not install it");
    return find();
  }
}
