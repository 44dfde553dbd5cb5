/**
 * Two relays with a server between them, as processes.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { executableOf, RUN, type Runtime } from "../support/runtimes.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** What a relay prints at its end. */
export type Counts = { frames: number; lost: number };

/** One relay. */
export class RelayProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What it has counted. */
  readonly counts: Promise<Counts>;

  constructor(runtime: Runtime, parameters: string[]) {
    const command = [...RUN[runtime], MAIN, "relay", ...parameters, "--once", "--json"];
    const child = this.#child = spawn(executableOf(runtime), command, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, errors] = ["", ""];
    child.stdout!.setEncoding("utf8").on("data", (text: string) => out += text);
    child.stderr!.setEncoding("utf8").on("data", (text: string) => errors += text);
    this.counts = new Promise((resolve, reject) => {
      child.on(
        "close",
        (code) => code === 0 ? resolve(JSON.parse(out)) : reject(new Error(`relay: ${code} ${errors}`)),
      );
    });
    this.counts.catch(() => {}); // looked at later
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(): Promise<unknown> {
    process.kill(this.#child.pid!, "SIGKILL");
    return this.counts.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.kill();
  }
}
