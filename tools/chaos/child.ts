/**
 * A process of this tool: started in either runtime, talking in lines of JSON, killed by its own id.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { tracedLibrary } from "./steps.ts";

/** The runtimes. */
export const RUNTIMES = ["deno", "bun"] as const;
/** One of them. */
export type Runtime = typeof RUNTIMES[number];
/** Where they are. */
export type Executables = Record<Runtime, string>;

/** What a runtime has to do without so that it can be forked: helper threads do not come along. */
const SINGLE_THREADED = {
  deno: { flags: ["--v8-flags=--single-threaded"], env: {} },
  bun: {
    flags: [],
    env: { BUN_JSC_useConcurrentGC: "0", BUN_JSC_useConcurrentJIT: "0", BUN_JSC_numberOfGCMarkers: "1" },
  },
};

/**
 * For a process whose memory is watched. The young generation grows in steps of megabytes whenever much survives at
 * once, and stays so: that is no leak, and would hide one, so it has one size from the start.
 */
const COLLECTS = ["--v8-flags=--expose-gc,--min-semi-space-size=4,--max-semi-space-size=4"];

/** What a process is made for. */
export type ChildOptions = { forks?: boolean; traced?: boolean; collects?: boolean };

/** How a process ended. */
export type Exit = { code: number | null; signal: string | null };

/** One process. */
export class Child {
  readonly runtime: Runtime;
  readonly module: string;
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcess;
  #lines: unknown[] = [];
  #waiting: (() => void)[] = [];
  #ended = false;
  #errors = "";

  /** @param module a file URL @param task given to the process as JSON @param options whether it forks, dies at steps, may ask for a garbage collection */
  constructor(executables: Executables, runtime: Runtime, module: URL, task: unknown, options: ChildOptions = {}) {
    this.runtime = runtime;
    this.module = module.pathname.split("/").at(-1)!;
    const { flags, env } = options.forks ? SINGLE_THREADED[runtime] : { flags: [], env: {} };
    const collects = options.collects ? COLLECTS : [];
    const own = runtime === "deno" ? ["run", "--quiet", "--no-check", "-A", ...collects, ...flags] : ["run", ...flags];
    this.#process = spawn(executables[runtime], [...own, fileURLToPath(module), JSON.stringify(task)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env, ...options.traced ? { FRAMES_DEPOT_LIB: tracedLibrary() } : {} },
    });
    let rest = "";
    this.#process.stdin!.on("error", () => {}); // it may be dead
    this.#process.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line.startsWith("{")) this.#lines.push(JSON.parse(line));
      this.#tell();
    });
    this.#process.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.exit = new Promise((resolve) => {
      this.#process.on("error", (error) => this.#errors += error.message);
      this.#process.on("close", (code, signal) => {
        this.#ended = true;
        this.#tell();
        resolve({ code, signal });
      });
    });
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What it wrote to its standard error. */
  get errors(): string {
    return this.#errors.trim();
  }

  /** The next line that it printed; undefined when it ended without one. */
  async line<T>(): Promise<T | undefined> {
    while (this.#lines.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#lines.shift() as T;
  }

  /** The next line. @throws {Error} when it ended without one */
  async answer<T>(): Promise<T> {
    const line = await this.line<T>();
    if (line === undefined) throw new Error(`${this} ended without an answer: ${this.errors}`);
    return line;
  }

  /** Sends a line. */
  send(message: unknown): void {
    this.#process.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes its standard input: it need not listen any more. */
  hangUp(): void {
    this.#process.stdin!.end();
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    // Not ChildProcess.kill: Deno's sends nothing after a first signal, whatever that was.
    if (!this.#ended && this.#process.exitCode === null && this.#process.signalCode === null) {
      process.kill(this.pid, signal);
    }
  }

  /** Kills it and waits until the kernel has taken back what it held. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exit;
  }

  toString(): string {
    return `${this.module} in ${this.runtime} (${this.pid})`;
  }
}
