/**
 * What every test here needs: names that nobody else has, segments removed whatever happens, other processes in either
 * runtime, and a watchdog for what may block.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { test } from "node:test";
import process from "node:process";
import { DepotError, FramesDepot } from "../../mod.ts";
import { fromFileUrl } from "./paths.ts";

/** The runtimes; `tools/test.ts` says where they are. */
export const RUNTIMES = ["deno", "bun"] as const;
/** One of them. */
export type Runtime = typeof RUNTIMES[number];
/** The one that runs this test. */
export const HERE: Runtime = "Bun" in globalThis ? "bun" : "deno";

/** No test may take longer: it hangs. Generous, because machines differ; it is no limit on speed. */
const WATCHDOG_MS = 120_000;

let counter = 0;

/** A depot name that no other test, run or runtime has. */
export function uniqueName(): string {
  return `test-${HERE}-${process.pid}-${counter++}`;
}

/**
 * A test about depots. It gets unique names; whatever happens, they are gone at its end, and it fails when it blocks.
 *
 * @param title a sentence that starts with the symbol
 */
export function depotTest(
  title: string,
  body: (name: string, anotherName: () => string) => Promise<void> | void,
  options: { watchdogMs?: number } = {},
): void {
  const watchdogMs = options.watchdogMs ?? WATCHDOG_MS;
  // Bun has a limit of its own, five seconds, unless told otherwise.
  test(title, { timeout: 2 * watchdogMs }, async () => {
    const names: string[] = [];
    const next = () => {
      names.push(uniqueName());
      return names.at(-1)!;
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watchdog = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`blocked for ${watchdogMs} ms`)), watchdogMs);
    });
    try {
      await Promise.race([Promise.resolve(body(next(), next)), watchdog]);
    } finally {
      clearTimeout(timer);
      for (const name of names) FramesDepot.unlink(name);
    }
  });
}

/** How another process is started, where it is not as usual. */
export type PeerOptions = {
  /** Permissions and flags for Deno; default `-A`. */
  deno?: string[];
  /** Environment variables to set, or to take away. */
  env?: Record<string, string | undefined>;
  /** Its working directory. */
  cwd?: string;
  /** Commands for a shell that then becomes the process: limits, and the like. */
  before?: string;
};

/** The executable of a runtime. */
export function executableOf(runtime: Runtime): string {
  return process.env[`FRAMES_DEPOT_TEST_${runtime.toUpperCase()}`] ?? runtime;
}

/** A process that runs a module of tests/support/, and talks in lines of JSON. */
export class Peer {
  readonly child: ChildProcess;
  readonly runtime: Runtime;
  #lines: unknown[] = [];
  #waiting: (() => void)[] = [];
  #errors = "";
  #exit: Promise<number>;
  #ended = false;

  constructor(runtime: Runtime, module: string, parameters: unknown, options: PeerOptions = {}) {
    this.runtime = runtime;
    const file = fromFileUrl(new URL(`./${module}`, import.meta.url));
    const flags = runtime === "deno" ? ["run", "--quiet", "--no-check", ...options.deno ?? ["-A"]] : ["run"];
    const path = executableOf(runtime);
    // Deno gives a child that is Deno all permissions, wherever it sees its own path on the command line; a shell that
    // has it from the environment hides what is started.
    const hidden = options.deno !== undefined && process.platform !== "win32";
    const shell = `${options.before ?? ""}\nexec "$FRAMES_DEPOT_TEST_PEER" "$@"`;
    const command = hidden || options.before !== undefined ? ["sh", "-c", shell, "sh"] : [path];
    const [executable, ...rest] = [...command, ...flags, file, JSON.stringify(parameters)];
    this.child = spawn(executable, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", FRAMES_DEPOT_TEST_PEER: path, ...options.env },
    });
    let unfinished = "";
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop()!;
      for (const line of lines) if (line.startsWith("{")) this.#lines.push(JSON.parse(line));
      this.#tell();
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.#exit = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        this.#ended = true;
        this.#tell();
        resolve(code ?? (signal === null ? -1 : -2));
      });
    });
  }

  #tell(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The next line that the process printed. */
  async line<T>(): Promise<T> {
    while (this.#lines.length === 0) {
      if (this.#ended) throw new Error(`${this.runtime} ended without an answer: ${this.#errors}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#lines.shift() as T;
  }

  /** Sends a line. */
  send(message: unknown): void {
    this.child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** What the process wrote to its standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Its exit code; -2 when a signal ended it. */
  exit(): Promise<number> {
    return this.#exit;
  }

  /** Kills it and waits until the kernel has taken back what it held. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    // Not child.kill(), which in Deno closes the pipes first: a process whose input ends may leave in good order.
    if (this.child.exitCode === null && this.child.signalCode === null) process.kill(this.child.pid!, signal);
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.kill();
  }
}

/** The code of a DepotError, or the class of another error: what most tests compare. */
export async function errorOf(run: () => unknown): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof DepotError ? error.code : (error as Error).constructor.name;
  }
}
