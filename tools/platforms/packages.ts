/**
 * Taking packages apart into a folder: nothing is installed into this machine's system, and root is not needed.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../shim/zig.ts";

/** Runs a program in a folder. @returns what it prints @throws {Error} with what it complains of */
function output(cwd: string, command: readonly string[], env: Record<string, string> = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command[0], command.slice(1), {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  if (status === 0) return stdout.trim();
  throw new Error(`${command.join(" ")} failed: ${error?.message ?? stderr.trim()}`);
}

/** A folder of the cache, filled once: one that is there is whole. */
export function folderOf(name: string, fill: (folder: string) => void): string {
  const folder = join(cacheFolder(), "platforms", name);
  if (existsSync(folder)) return folder;
  const made = `${folder}.${process.pid}`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  try {
    fill(made);
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}

/** One file of an npm package, made executable. */
export function npmExecutable(name: string, version: string, path: string): string {
  const folder = folderOf(`${name.replace(/[^a-z0-9-]/g, "_")}-${version}`, (folder) => {
    const file = output(folder, ["npm", "pack", "--silent", `${name}@${version}`]).split("\n").at(-1)!;
    output(folder, ["tar", "xzf", file]);
    rmSync(join(folder, file));
    chmodSync(join(folder, "package", path), 0o755);
  });
  return join(folder, "package", path);
}

/** A list of packages of its own, of another release of Debian than the machine's. */
function otherRelease(folder: string, release: string): Record<string, string> {
  const [mirror] = output(folder, ["apt-get", "indextargets", "--format", "$(REPO_URI)"]).split("\n");
  for (const part of ["apt/state/lists/partial", "apt/cache/archives/partial"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(join(folder, "apt/list"), `deb [signed-by=${keys}] ${mirror} ${release} main\n`);
  const settings = {
    "Dir::State": join(folder, "apt/state"),
    "Dir::State::status": "/var/lib/dpkg/status",
    "Dir::Cache": join(folder, "apt/cache"),
    "Dir::Etc::sourcelist": join(folder, "apt/list"),
    "Dir::Etc::sourceparts": "/dev/null",
  };
  const text = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`).join("");
  writeFileSync(join(folder, "apt/conf"), text);
  const env = { APT_CONFIG: join(folder, "apt/conf") };
  output(folder, ["apt-get", "update", "-qq"], env);
  return env;
}

/** The files of Debian's packages, below a folder. */
export function debianFiles(folder: string, packages: readonly string[], release?: string): void {
  const env = release === undefined ? {} : otherRelease(folder, release);
  output(folder, ["apt-get", "download", "-q", ...packages], env);
  for (const file of readdirSync(folder).filter((file) => file.endsWith(".deb"))) {
    output(folder, ["dpkg-deb", "-x", file, "."]);
    rmSync(join(folder, file));
  }
  rmSync(join(folder, "apt"), { recursive: true, force: true });
}

/** The files of a Python package that is built for musl, below a folder. */
export function wheelFiles(folder: string, wanted: string): void {
  const choice = ["--platform", "musllinux_1_2_x86_64", "--python-version", "3.12", "--implementation", "cp"];
  output(folder, ["python3", "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", ...choice, wanted]);
  const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"))!;
  output(folder, ["python3", "-m", "zipfile", "-e", wheel, "."]);
  rmSync(join(folder, wheel));
}

/** A program that starts another: tests start it as if it were the runtime. */
export function starter(name: string, command: readonly string[]): string {
  const folder = join(cacheFolder(), "platforms", "bin");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const made = `${path}.${process.pid}`;
  writeFileSync(made, `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`, { mode: 0o755 });
  renameSync(made, path);
  return path;
}
