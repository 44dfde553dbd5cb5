/**
 * Building the C peer, and running it beside a test.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { SYSTEMS } from "../../shim/build.ts";

const SOURCES = [
  "peer.c",
  "threads.c",
  "work.c",
  "reader.c",
  "producer.c",
  "room.c",
  "group.c",
  "members.c",
  "segment.c",
];
const SHIM = SYSTEMS.linux.sources.map((source) => `../../shim/${source}`);
const FLAGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror"];
const FOLDER = fileURLToPath(new URL("./", import.meta.url));
/** The exit code of the thread sanitizer when it has reported something. */
export const RACE = 66;

/** How a build is started, and whether its sanitizer is in it. */
export type Program = { command: string[]; sanitized: boolean };

const out = mkdtempSync(join(tmpdir(), "frames-depot-c-peer-"));

const remove = () => rmSync(out, { recursive: true, force: true });
// The test files of one run share this module in Bun, and each has its own elsewhere.
const isShared = process.versions.bun !== undefined;
if (isShared) process.on("exit", remove);

/** Removes what was built, unless other test files need it. */
export async function removePrograms(): Promise<void> {
  await programs?.threads;
  await programs?.memory;
  if (!isShared) remove();
}

/** Runs something short; never throws. */
export function run(
  command: readonly string[],
  cwd?: string,
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, TSAN_OPTIONS: `exitcode=${RACE}`, ASAN_OPTIONS: "detect_leaks=0" };
    const options = { cwd, env, timeout: 90_000, killSignal: "SIGKILL", maxBuffer: 2 ** 26 } as const;
    execFile(command[0], command.slice(1), options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ status, stdout: String(stdout), stderr: `${stderr}${status === -1 ? error?.message : ""}` });
    });
  });
}

/** Builds the peer with a sanitizer, or without where the compiler's runtime for it is missing. */
async function build(sanitizer: string): Promise<Program> {
  const path = join(out, sanitizer.split(",")[0]);
  const compiler = (process.env.CC ?? "cc").split(" ");
  const compile = (flags: string[]) =>
    run([...compiler, ...FLAGS, ...flags, "-o", path, ...SOURCES, ...SHIM, "-lpthread"], FOLDER);
  const { status, stderr } = await compile([`-fsanitize=${sanitizer}`, "-fno-omit-frame-pointer"]);
  if (status === 0) {
    // Without arguments it only says how it is used: enough to see whether the sanitizer's runtime starts.
    const direct = await run([path]);
    if (direct.stderr.includes("use: c_peer")) return { command: [path], sanitized: true };
    const fixed = ["setarch", process.arch === "arm64" ? "aarch64" : "x86_64", "-R", path];
    if ((await run(fixed)).stderr.includes("use: c_peer")) return { command: fixed, sanitized: true };
    console.log(`-fsanitize=${sanitizer} builds but does not run here: ${direct.stderr.split("\n")[0]}`);
  } else {
    console.log(`-fsanitize=${sanitizer} does not build here: ${stderr.split("\n")[0]}`);
  }
  const plain = await compile([]);
  assertEquals(plain.status, 0, plain.stderr);
  return { command: [path], sanitized: false };
}

/** Whether this system can have a C peer. */
export const possible = process.platform === "linux";
/** The two builds, started at once so that both compilers run beside each other. */
export const programs = possible ? { threads: build("thread"), memory: build("address,undefined") } : undefined;

/** A C peer of its own process, in the build that watches memory. */
export class CPeer {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number>;
  #waiting: (() => void)[] = [];
  #out = "";
  #errors = "";
  #ended = false;

  constructor(program: Program, parameters: readonly string[]) {
    const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
    this.#child = spawn(program.command[0], [...program.command.slice(1), ...parameters], { env });
    const tell = () => this.#waiting.splice(0).forEach((wake) => wake());
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.#out += text, tell()));
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.#exit = new Promise((resolve) =>
      this.#child.on("close", (code) => {
        this.#ended = true;
        tell();
        resolve(code ?? -2);
      })
    );
  }

  /** Starts one. */
  static async start(...parameters: (string | number)[]): Promise<CPeer> {
    return new CPeer(await programs!.memory, parameters.map(String));
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid!;
  }

  /** The next line that it printed. */
  async line<T>(): Promise<T> {
    for (;;) {
      const end = this.#out.indexOf("\n");
      if (end >= 0) {
        const line = this.#out.slice(0, end);
        this.#out = this.#out.slice(end + 1);
        return JSON.parse(line);
      }
      if (this.#ended) throw new Error(`the C peer ended without an answer: ${this.#errors}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Lets it leave in an orderly way. */
  async leave(): Promise<void> {
    this.#child.stdin!.end();
    assertEquals([await this.#exit, this.#errors], [0, ""]);
  }

  /** Kills it and waits until the kernel has taken back what it held. */
  async kill(): Promise<void> {
    process.kill(this.pid, "SIGKILL");
    await this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) await this.kill();
  }
}
