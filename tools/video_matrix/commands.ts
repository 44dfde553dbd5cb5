/**
 * `frames-depot` and ffmpeg as processes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { FoundFfmpeg } from "../support/ffmpegs.ts";
import { executableOf, RUN, type Runtime } from "../support/runtimes.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
/** No command takes longer, unless it hangs. */
const HANG_MS = 120_000;

/** Which runtime and which ffmpeg a command runs with. */
export type Place = { runtime: Runtime; path: string; ffmpeg: FoundFfmpeg };

/** A command under way. */
export class Command implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #done: Promise<Uint8Array>;
  #ended = false;

  constructor({ runtime, path }: Place, parameters: readonly string[]) {
    const env = { ...process.env, NO_COLOR: "1", PATH: path };
    this.child = spawn(executableOf(runtime), [...RUN[runtime], MAIN, ...parameters], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out: Uint8Array[] = [];
    let errors = "";
    this.child.stdout!.on("data", (bytes: Uint8Array) => out.push(bytes));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => errors += text);
    const hang = setTimeout(() => this.child.kill("SIGKILL"), HANG_MS);
    this.#done = new Promise((resolve, reject) => {
      this.child.on("close", (code, signal) => {
        clearTimeout(hang);
        this.#ended = true;
        if (code === 0) resolve(new Uint8Array(Buffer.concat(out)));
        else reject(new Error(`${parameters.join(" ")}: ${code ?? signal}: ${errors.trim()}`));
      });
    });
    this.#done.catch(() => {});
  }

  /** What it wrote. @throws {Error} when it failed */
  get done(): Promise<Uint8Array> {
    return this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.child.kill("SIGKILL");
    await this.#done.catch(() => {});
  }
}

/** What ffmpeg alone writes to its standard output. @throws {Error} in its words, when it fails */
export function alone({ path }: FoundFfmpeg, parameters: readonly string[]): Uint8Array {
  const command = ["-nostdin", "-v", "error", ...parameters];
  const { status, stdout, stderr } = spawnSync(path, command, { maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`ffmpeg ${parameters.join(" ")}: ${stderr}`);
  return new Uint8Array(stdout);
}

/** The times of an input's frames, in seconds from the first one, as ffmpeg alone has them. */
export function timesOf({ path }: FoundFfmpeg, input: readonly string[]): number[] {
  const command = ["-nostdin", "-v", "info", ...input, "-vf", "showinfo=checksum=0", "-f", "null", "-"];
  const { stderr } = spawnSync(path, command, { encoding: "utf8", maxBuffer: 2 ** 28 });
  const times = [...stderr.matchAll(/\bn: *\d+ pts: *-?\d+ pts_time:(\S+)/g)].map(([, time]) => Number(time));
  return times.map((time) => time - times[0]);
}
