/**
 * A real NATS server, built once by go into `.cache/nats/`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { cacheFolder } from "../../shim/zig.ts";

const VERSION = "v2.15.3";
/** A build of ten minutes hangs. */
const LIMIT_MS = 600_000;

/** Where it is, or why it cannot be had. */
export type NatsServerProgram = { path: string } | { missing: string };

/** Builds it, unless it is there. */
export function natsServerProgram(): NatsServerProgram {
  const folder = join(cacheFolder(), "nats");
  const name = process.platform === "win32" ? "nats-server.exe" : "nats-server";
  const path = join(folder, `${VERSION}-${name}`);
  if (existsSync(path)) return { path };
  mkdirSync(folder, { recursive: true });
  const made = mkdtempSync(join(folder, "building-"));
  try {
    const parameters = ["install", `github.com/nats-io/nats-server/v2@${VERSION}`];
    const env = { ...process.env, GOBIN: made };
    const { error, status, stderr } = spawnSync("go", parameters, { encoding: "utf8", env, timeout: LIMIT_MS });
    if (error !== undefined) return { missing: `go cannot be run: ${error.message}` };
    if (status !== 0) return { missing: `go could not build it: ${stderr.trim().split("\n").at(-1)}` };
    renameSync(join(made, name), path); // over that of a process that was faster
    return { path };
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
