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
    if (!existsSync(folder)) renameSync(made, folder); // else another process was faster
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

/** Debian's names of processors, by those of Python and zig. */
const DEBIAN_MACHINES = { x86_64: "amd64", aarch64: "arm64" } as const;
/** A processor that packages are for. */
export type Machine = keyof typeof DEBIAN_MACHINES;

/** A list of packages of its own, of another release of Debian than the machine's, or for another processor. */
function otherRelease(folder: string, release: string, machine: Machine): Record<string, string> {
  const [mirror] = output(folder, ["apt-get", "indextargets", "--format", "$(REPO_URI)"]).split("\n");
  for (const part of ["apt/state/lists/partial", "apt/cache/archives/partial"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(join(folder, "apt/list"), `deb [signed-by=${keys}] ${mirror} ${release} main\n`);
  const settings = {
    "APT::Architecture": DEBIAN_MACHINES[machine],
    "Dir::State": join(folder, "apt/state"),
    "Dir::State::status": "/dev/null",
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

/** The files of Debian's packages, below a folder. @param release another one than the machine's */
export function debianFiles(
  folder: string,
  packages: readonly string[],
  release?: string,
  machine: Machine = "x86_64",
): void {
  const env = release === undefined ? {} : otherRelease(folder, release, machine);
  output(folder, ["apt-get", "download", "-q", ...packages], env);
  for (const file of readdirSync(folder).filter((file) => file.endsWith(".deb"))) {
    output(folder, ["dpkg-deb", "-x", file, "."]);
    rmSync(join(folder, file));
  }
  rmSync(join(folder, "apt"), { recursive: true, force: true });
}

/** The files of a Python package that is built for musl, below a folder. */
export function wheelFiles(folder: string, wanted: string, machine: Machine): void {
  const choice = ["--platform", `musllinux_1_2_${machine}`, "--python-version", "3.12", "--implementation", "cp"];
  output(folder, ["python3", "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", ...choice, wanted]);
  const wheel = readdirSync(folder).find((file) => file.endsWith(".whl"))!;
  output(folder, ["python3", "-m", "zipfile", "-e", wheel, "."]);
  rmSync(join(folder, wheel));
}

/** How a program is started: in an environment, and with flags behind `run` or `test`, or else before all others. */
export type Start = {
  command: readonly string[];
  env?: Record<string, string>;
  flags?: readonly string[];
  behindVerb?: boolean;
};

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

/** A program that starts another: tests start it as if it were the runtime. */
export function starter(name: string, { command, env = {}, flags = [], behindVerb = false }: Start): string {
  const folder = join(cacheFolder(), "platforms", "bin");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  const made = `${path}.${process.pid}`;
  const lines = [
    "#!/bin/sh",
    ...Object.entries(env).map(([name, value]) => `export ${name}='${value}'`),
    ...behindVerb
      ? [`case $1 in run|test) verb=$1; shift; exec ${quoted(command)} $verb ${quoted(flags)} "$@";; esac`]
      : [],
    `exec ${quoted([...command, ...behindVerb ? [] : flags])} "$@"`,
  ];
  writeFileSync(made, `${lines.join("\n")}\n`, { mode: 0o755 });
  renameSync(made, path);
  return path;
}
