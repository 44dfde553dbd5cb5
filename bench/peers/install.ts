/**
 * What peers need, installed into `.cache/peers/` or found on the system. Each answers where it is, or throws an error
 * whose message is the reason that the report shows.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { C_FLAGS, compile, SYSTEMS } from "../../shim/build.ts";
import { cacheFolder } from "../../shim/zig.ts";
import { orFromDebian } from "./debian.ts";
import { gist } from "./gist.ts";
import { here } from "./programs.ts";

/** The versions that are compared, but for iceoryx2's in Rust, which its Cargo.toml has. */
const PACKAGES = ["arrayqueues==1.4.1", "gh-frames-depot==1.0.0", "iceoryx2==0.10.0", "numpy==2.4.6"];

/** Where everything goes: git ignores it. */
function folder(): string {
  const path = join(cacheFolder(), "peers");
  mkdirSync(path, { recursive: true });
  return path;
}

/** What a program writes. @throws {Error} when it is not there or fails; `what` is its purpose */
export function output(what: string, [program, ...parameters]: string[]): string {
  const { status, error, stdout, stderr } = spawnSync(program, parameters, { encoding: "utf8" });
  if (error !== undefined) throw new Error(`${what}: ${program} is not installed`);
  if (status !== 0) throw new Error(`${what}: ${program} failed: ${gist(stderr || stdout)}`);
  return stdout.trim();
}

/**
 * A Python environment with one package and NumPy, or with the standard library and NumPy alone: so that one which
 * cannot be had takes no other with it. @returns its Python
 */
export function python(name?: string): string {
  const wanted = PACKAGES.filter((pinned) => pinned.startsWith("numpy==") || pinned.startsWith(`${name}==`));
  const environment = join(folder(), `python-${name ?? "numpy"}`);
  const executable = join(environment, "bin/python");
  const stamp = join(environment, "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted.join(" ")) return executable;
  output("an environment for Python", ["python3", "-m", "venv", "--clear", environment]);
  const pip = [executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...wanted];
  output(`installing ${wanted.join(" ")}`, pip);
  writeFileSync(stamp, wanted.join(" "));
  return executable;
}

/** iceoryx2 in Rust, built. */
export function rust(): string {
  const target = join(folder(), "iceoryx2");
  const manifest = here("iceoryx2/Cargo.toml");
  const build = ["cargo", "build", "--release", "--manifest-path", manifest, "--target-dir", target];
  output("building iceoryx2", build);
  return join(target, "release/frames-depot-bench-iceoryx2");
}

const GSTREAMER = [
  "gstreamer1.0-tools",
  "gstreamer1.0-plugins-base",
  "gstreamer1.0-plugins-bad",
  "libgstreamer-plugins-base1.0-dev",
  "pkg-config",
];

/** GStreamer's sender and receiver, compiled, where the elements that they use are there. */
export function gstreamer(): string {
  const flags = orFromDebian(() => {
    for (const element of ["shmsink", "appsrc"]) output(`looking for ${element}`, ["gst-inspect-1.0", element]);
    return output("finding GStreamer's headers", ["pkg-config", "--cflags", "--libs", "gstreamer-app-1.0"]);
  }, GSTREAMER);
  const program = join(folder(), "gstreamer");
  compile([...compiler(), "-O2", "-o", program, here("gstreamer.c"), ...flags.split(/\s+/)]);
  return program;
}

/** A program in C over the shim's own functions: what ours costs without a runtime. */
export function floor(name: "handoff" | "frames_depot"): string {
  const program = join(folder(), name);
  const { sources, libraries } = SYSTEMS.linux;
  compile([...compiler(), ...C_FLAGS, "-o", program, here(`${name}.c`), ...sources, ...libraries]);
  return program;
}

const compiler = () => (process.env.CC || "cc").split(" ");

/** Redis. */
export function redis(): string {
  const program = "redis-server";
  orFromDebian(() => output("looking for Redis", [program, "--version"]), [program]);
  return program;
}
