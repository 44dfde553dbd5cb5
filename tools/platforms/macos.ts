/**
 * macOS on Linux: the shipped libraries as they are, loaded from the cache folder as on macOS, over a layer that
 * answers for the system (`macos/`). The runtimes are Linux's and are told that they are on macOS.
 *
 * @module
 */
import { chmodSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { C_FLAGS, compile } from "../../shim/build.ts";
import { cacheFolder, findZig } from "../../shim/zig.ts";
import type { Runtime } from "../support/runtimes.ts";
import type { Machine, Start } from "./packages.ts";

const SOURCES = fileURLToPath(new URL("./macos/", import.meta.url));

/** Builds the layer for a processor. @returns its path */
export function buildLayer(machine: Machine): string {
  const folder = join(cacheFolder(), "platforms", "macos");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `layer_${machine}.so`), made = `${path}.${process.pid}`;
  const sources = readdirSync(SOURCES).filter((file) => /\.[cS]$/.test(file)).map((file) => join(SOURCES, file));
  const flags = ["-fno-sanitize=undefined", "-fvisibility=hidden", "-fPIC", "-shared", "-Wl,-z,nodelete"];
  const target = [...findZig(), "cc", "-target", `${machine}-linux-gnu.2.31`];
  compile([...target, ...C_FLAGS, ...flags, "-o", made, ...sources, "-lpthread", "-lrt", "-ldl"]);
  renameSync(made, path);
  return path;
}

/** What the layer takes from the environment: where the folder of macOS for files of all users is. */
export function layerEnv(): Record<string, string> {
  const root = join(cacheFolder(), "platforms", "macos", "tmp");
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o1777);
  return { DARWIN_ROOT: root };
}

/** How a runtime is started so that it is told, and has the layer. @param command how it is started as it is */
export function startOnMacos(runtime: Runtime, command: readonly string[], env: Record<string, string>): Start {
  const tell = join(SOURCES, "tell.ts");
  const flag = runtime === "node" ? "--import" : "--preload";
  return { command, env: { ...layerEnv(), ...env }, flags: [flag, tell], behindVerb: runtime !== "node" };
}
