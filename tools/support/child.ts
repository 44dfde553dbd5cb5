/**
 * A process that is started, speaks in lines of JSON, and is gone at the end.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { executableOf, RUN, type Runtime } from "./runtimes.ts";

/** How a process is started, where it is not as usual. */
export type ChildOptions = {
  /** Environment variables to set, or to take away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
};

/** How a process ended; both are null when it could not be started. */
export type Ending = { code: number | null; signal: NodeJS.Signals | null };

/** One process. Lines that are no JSON objects are passed over. */
export class Child {
  readonly child: ChildProcess;
  /** Resolved when it has ended and everything that it wrote is here; also when it could not be started. */
  readonly ending: Promise<Ending>;
  #lines: unknown[] = [];
  #waiting: (() => void)[] = [];
  #ended = false;
  #sent: NodeJS.Signals | undefined;
  #errors = "";

  constructor([executable, ...parameters]: readonly string[], { env = {}, cwd }: ChildOptions = {}) {
    this.child = spawn(executable, parameters, { stdio: "pipe", cwd, env: { ...process.env, NO_COLOR: "1", ...env } });
    this.child.stdin!.on("error", () => {}); // it may be dead when it is told something
    let unfinished = "";
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop()!;
      for (const line of lines) if (line.startsWith("{")) this.#lines.push(JSON.parse(line));
      this.#tell();
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.ending = new Promise((resolve) => {
      const end = (ending: Ending) => {
        this.#ended = true;
        this.#tell();
        resolve(ending);
      };
      this.child.on("close", (code, signal) => {
        // Windows has no signals: a process that is sent one is killed, with exit code 1.
        const isKilled = process.platform === "win32" && code === 1 && this.#sent !== undefined;
        end(isKilled ? { code: null, signal: this.#sent! } : { code, signal });
      });
      this.child.on("error", (error) => {
        this.#errors += error.message;
        end({ code: null, signal: null });
      });
    });
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Its process id; 0 when it could not be started. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What it wrote to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** The next line that it prints; undefined when it ends without one. */
  async next<T>(): Promise<T | undefined> {
    while (this.#lines.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#lines.shift() as T;
  }

  /** The next line. @throws {Error} when it ends without one */
  async line<T>(): Promise<T> {
    const line = await this.next<T>();
    if (line === undefined) throw new Error(`${this} ended without an answer: ${this.#errors.trim()}`);
    return line;
  }

  /** Sends a line. */
  send(message: unknown): void {
    this.child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes its standard input. */
  hangUp(): void {
    this.child.stdin!.end();
  }

  /** Sends a signal, unless it has ended. */
  signal(signal: NodeJS.Signals): void {
    // Not ChildProcess.kill: Deno's closes the pipes first, and sends nothing after a first signal, whatever that was.
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) {
      this.#sent = signal;
      process.kill(this.child.pid, signal);
    }
  }

  /** Ends it and waits until the kernel has taken back what it held. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.signal(signal);
    await this.ending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  toString(): string {
    return `process ${this.pid}`;
  }
}

/** A process that runs a module in one of the runtimes. */
export class ModuleChild extends Child {
  readonly runtime: Runtime;
  readonly #name: string;

  /** @param module a file URL @param task given to the process as JSON @param flags for the runtime */
  constructor(
    runtime: Runtime,
    module: URL,
    task: unknown,
    { flags = [], ...options }: ChildOptions & { flags?: readonly string[] } = {},
  ) {
    super([executableOf(runtime), ...RUN[runtime], ...flags, fileURLToPath(module), JSON.stringify(task)], options);
    this.runtime = runtime;
    this.#name = module.pathname.split("/").at(-1)!;
  }

  override toString(): string {
    return `${this.#name} in ${this.runtime} (${this.pid})`;
  }
}
