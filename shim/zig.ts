/**
 * Finding zig, whose C compiler builds for every target from one machine. The version is pinned here and nowhere else:
 * another one makes other bytes.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The pinned version, of zig and of the Python package that carries it. */
export const ZIG_VERSION = "0.17.1";

const cache = fileURLToPath(new URL("../.cache", import.meta.url));
const pythons = process.platform === "win32" ? ["python", "py"] : ["python3", "python"];

/** Runs a program; `undefined` where it cannot be started or fails. */
function output(command: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command[0], command.slice(1), { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/** A folder of the project that git ignores. */
export function cacheFolder(): string {
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, ".gitignore"), "*\n");
  return cache;
}

/** Installs zig into the cache folder. @returns how it is started */
function install(): string[] {
  const folder = join(cache, `zig-${ZIG_VERSION}`);
  const zig = join(folder, "ziglang", process.platform === "win32" ? "zig.exe" : "zig");
  if (existsSync(zig)) return [zig];
  const made = mkdtempSync(join(cacheFolder(), "installing-"));
  const target = join(made, "packages");
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--target", target, `ziglang==${ZIG_VERSION}`];
  const failures: string[] = [];
  try {
    for (const python of pythons.filter((name) => output([name, "--version"]) !== undefined)) {
      // Without pip of its own, a Python may still be able to make an environment that has one.
      const environment = join(made, `environment-${python}`);
      const inside = join(environment, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
      if (output([python, "-m", "pip", "--version"]) === undefined) spawnSync(python, ["-m", "venv", environment]);
      const { status, stderr } = spawnSync(existsSync(inside) ? inside : python, pip, { encoding: "utf8" });
      if (status === 0) {
        renameSync(target, folder);
        return [zig];
      }
      failures.push(`${python}: ${stderr?.trim()}`);
    }
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  throw new Error(
    `zig ${ZIG_VERSION} is not here and could not be installed. Set ZIG to it, or put it on PATH, or make ` +
      `"python3 -m pip install ziglang==${ZIG_VERSION}" work.\n${failures.join("\n") || "There is no Python."}`,
  );
}

/** The command that starts the pinned zig: `$ZIG`, else `zig`, else Python's `ziglang`, else one installed for us. */
export function findZig(): string[] {
  const named = process.env.ZIG;
  if (named) {
    const version = output([named, "version"]);
    if (version !== ZIG_VERSION) throw new Error(`ZIG=${named} is version ${version ?? "unknown"}, not ${ZIG_VERSION}`);
    return [named];
  }
  const candidates = [["zig"], ...pythons.map((python) => [python, "-m", "ziglang"])];
  return candidates.find((command) => output([...command, "version"]) === ZIG_VERSION) ?? install();
}
