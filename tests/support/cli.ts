/**
 * The command line as a child process, in any runtime.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installPackages } from "../../tools/support/node_packages.ts";
import { RUN } from "../../tools/support/runtimes.ts";
import { executableOf, HERE, type Runtime } from "./harness.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** What a command answered. */
export type Answer = { code: number; out: string; errors: string };

/** How it is started, where it is not as usual. */
export type CliOptions = { runtime?: Runtime; env?: Record<string, string | undefined>; cwd?: string };

/** The command line that starts `frames-depot`. */
export function cliCommand(runtime: Runtime = HERE): string[] {
  if (runtime === "node") installPackages();
  return [executableOf(runtime), ...runtime === "deno" ? ["run", "--quiet", "-A"] : RUN[runtime], MAIN];
}

/** A command under way. Its exit code is negative when a signal ended it. */
export class Cli {
  readonly child: ChildProcess;
  #out = "";
  #errors = "";
  #changed = () => {};
  #ended = false;
  readonly #answer: Promise<Answer>;

  constructor(parameters: string[], { runtime = HERE, env = {}, cwd = process.cwd() }: CliOptions = {}) {
    const [executable, ...rest] = [...cliCommand(runtime), ...parameters];
    const { NO_COLOR: _1, FORCE_COLOR: _2, COLUMNS: _3, ...own } = process.env;
    this.child = spawn(executable, rest, { cwd, stdio: ["ignore", "pipe", "pipe"], env: { ...own, ...env } });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      this.#changed();
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.#answer = new Promise((resolve) => {
      this.child.on("close", (code) => {
        this.#ended = true;
        this.#changed();
        resolve({ code: code ?? -1, out: this.#out, errors: this.#errors });
      });
    });
  }

  /** Waits until the output has a text. */
  async shows(text: string): Promise<void> {
    await this.#until(() => this.#out.includes(text) || undefined, text);
  }

  /** Waits until the output has a text of a pattern, and returns it. */
  printed(pattern: RegExp): Promise<string> {
    return this.#until(() => pattern.exec(this.#out)?.[0], String(pattern));
  }

  async #until<Found>(find: () => Found | undefined, wanted: string): Promise<Found> {
    for (let found;;) {
      if ((found = find()) !== undefined) return found;
      if (this.#ended) throw new Error(`it ended without ${JSON.stringify(wanted)}: ${this.#out}${this.#errors}`);
      await new Promise<void>((resolve) => this.#changed = resolve);
    }
  }

  /** What it has printed so far. */
  get out(): string {
    return this.#out;
  }

  /** What it answered in the end. */
  answer(): Promise<Answer> {
    return this.#answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) process.kill(this.child.pid!, "SIGKILL");
    await this.#answer;
  }
}

/** Runs a command to its end. */
export async function runCli(parameters: string[], options: CliOptions = {}): Promise<Answer> {
  await using cli = new Cli(parameters, options);
  return await cli.answer();
}
