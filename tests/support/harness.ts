/**
 * What every test here needs: unique names, segments removed whatever happens, other processes in any
 * runtime, and a watchdog for what may block.
 *
 * @module
 */
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DepotError, FramesDepot } from "../../mod.ts";
import { Child, type ChildOptions } from "../../tools/support/child.ts";
import { partLine, skipLine } from "../../tools/support/results.ts";
import {
  EACH_VARIABLE,
  executableOf,
  EXPOSES_GC,
  HERE,
  RUN,
  type Runtime,
  RUNTIMES,
} from "../../tools/support/runtimes.ts";

export { executableOf, HERE, type Runtime, RUNTIMES };

/**
 * The runtimes for a test that starts programs in each of them, and is the same whatever runs it itself. Where every
 * runtime runs every test, as in `deno task test`, each starts its own.
 */
export const STARTED: readonly Runtime[] = process.env[EACH_VARIABLE] === undefined ? RUNTIMES : [HERE];

/** No test may take longer: it hangs. Generous, because machines differ; it is no limit on speed. */
const WATCHDOG_MS = 120_000;

let counter = 0;

/** A depot name that no other test, run or runtime has. Names sort as they were made. */
export function uniqueName(): string {
  return `test-${HERE}-${process.pid}-${String(counter++).padStart(4, "0")}`;
}

/** The title of the test that runs. */
let running = "";

/** Says that the test that runs is not tried here: it counts as skipped, not as passed. */
export function skip(reason: string): void {
  console.log(skipLine(running, reason));
}

/** Says that a part of the test that runs is not tried here. The rest of it counts. */
export function skipPart(part: string, reason: string): void {
  console.log(partLine(`${running}: ${part}`, reason));
}

/** A test that is known not to be tried here before it begins. */
export function skippedTest(title: string, reason: string): void {
  console.log(skipLine(title, reason));
  test(title, { skip: reason }, () => {});
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
    running = title;
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
export type PeerOptions = ChildOptions & {
  /** Permissions and flags for Deno; default `-A`. */
  deno?: string[];
  /** Flags for Node. */
  node?: string[];
  /** Whether it collects garbage when it wants to. */
  collects?: boolean;
  /** Commands for a shell that then becomes the process: limits, and the like. */
  before?: string;
};

function flagsOf(runtime: Runtime, { deno = ["-A"], node = [], collects = false }: PeerOptions): string[] {
  const flags = runtime === "deno" ? ["run", "--quiet", "--no-check", ...deno] : [...RUN[runtime]];
  return [...flags, ...runtime === "node" ? node : [], ...collects ? EXPOSES_GC[runtime] : []];
}

function commandOf(runtime: Runtime, options: PeerOptions): string[] {
  const { deno, before } = options;
  // Deno gives a child that is Deno all permissions, wherever it sees its own path on the command line; a shell that
  // has it from the environment hides what is started.
  const hidden = deno !== undefined && process.platform !== "win32";
  const shell = `${before ?? ""}\nexec "$FRAMES_DEPOT_TEST_PEER" "$@"`;
  return [
    ...hidden || before !== undefined ? ["sh", "-c", shell, "sh"] : [executableOf(runtime)],
    ...flagsOf(runtime, options),
  ];
}

/** A process that runs a module of tests/support/, and talks in lines of JSON. */
export class Peer extends Child {
  readonly runtime: Runtime;

  constructor(runtime: Runtime, module: string, parameters: unknown, options: PeerOptions = {}) {
    const file = fileURLToPath(new URL(`./${module}`, import.meta.url));
    const env = { FRAMES_DEPOT_TEST_PEER: executableOf(runtime), ...options.env };
    super([...commandOf(runtime, options), file, JSON.stringify(parameters)], { cwd: options.cwd, env });
    this.runtime = runtime;
  }

  /** Its exit code; -2 when a signal ended it. */
  async exit(): Promise<number> {
    const { code, signal } = await this.ending;
    return code ?? (signal === null ? -1 : -2);
  }

  /** What it wrote to its standard error, without what Bun says of itself where Wine is its Windows. */
  override get errors(): string {
    return super.errors.replace(/^Internal error: directory mismatch for directory .*\n/gm, "");
  }

  override toString(): string {
    return this.runtime;
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
