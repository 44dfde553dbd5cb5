/**
 * Where the runtimes are: the Deno that runs this, and Bun from the npm registry unless the right one is installed.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { BUN_VERSION } from "./versions.ts";

function output(command: string, parameters: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, parameters, {
    encoding: "utf8",
    shell: Deno.build.os === "windows",
  });
  return status === 0 ? stdout.trim() : undefined;
}

/** Path of the Deno that runs this. */
export function denoPath(): string {
  return Deno.execPath();
}

/** Path of Bun: the one on PATH if its version is right, otherwise the npm package's, fetched once by npx. */
export function bunPath(): string {
  // In full: tests start it with nothing in its environment, PATH included.
  if (output("bun", ["--version"]) === BUN_VERSION) return output("bun", ["-p", "process.execPath"])!;
  const found = output("npx", ["--yes", "--package", `bun@${BUN_VERSION}`, "-c", "command -v bun"]);
  if (found === undefined || found === "") {
    throw new Error(`bun ${BUN_VERSION} cannot be had: npx failed; is node with npm installed?`);
  }
  return found.split("\n").at(-1)!;
}
