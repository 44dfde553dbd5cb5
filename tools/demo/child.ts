/**
 * One of the demo's processes, as the parent has it: reports come in, orders go out, and it ends whatever happens.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Counts, Order, Report, Task } from "./wire.ts";

/** What runs a process. */
export type Runtime = { name: "deno" | "bun"; path: string };

/** What it does. */
export type Role = "producer" | "follower" | "asker";

const FLAGS = { deno: ["run", "--quiet", "--no-check", "-A"], bun: ["run"] };
/** How long a process may take to end when told to. */
const END_MS = 5000;

/** A process that has been started, and is to be ended with {@linkcode Child.end}. */
export class Child {
  readonly role: Role;
  /** What it does and what runs it. */
  readonly label: string;
  /** Its own process id, once it is ready: the one under which it appears in `depot.stats()`. */
  pid = 0;
  /** What it last reported. */
  counts: Counts | undefined;
  readonly #process: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<Counts>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #failure = Promise.withResolvers<never>();
  #isDone = false;
  #hasEnded = false;
  #unread = "";
  #errors = "";

  constructor(runtime: Runtime, role: Role, task: Task) {
    this.role = role;
    this.label = `${role} (${runtime.name})`;
    const file = fileURLToPath(new URL(`./${role}.ts`, import.meta.url));
    this.#process = spawn(runtime.path, [...FLAGS[runtime.name], file, JSON.stringify(task)], { stdio: "pipe" });
    this.#process.stdout!.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    this.#process.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    // It may be gone when an order is sent: its end tells.
    this.#process.stdin!.on("error", () => {});
    this.#process.on("error", (error) => this.#finish(`cannot be started: ${error.message}`));
    this.#process.on("close", (code, signal) => {
      const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
      this.#finish(code === 0 && this.#isDone ? undefined : how);
    });
    // Those who wait for it see the rejection all the same.
    this.#failure.promise.catch(() => {});
  }

  #read(text: string): void {
    const lines = (this.#unread + text).split("\n");
    this.#unread = lines.pop()!;
    for (const line of lines) this.#hear(JSON.parse(line));
  }

  #hear(report: Report): void {
    if (report.kind === "ready") {
      this.pid = report.pid;
      this.#ready.resolve();
      return;
    }
    this.counts = report.counts;
    if (report.kind !== "done") return;
    this.#isDone = true;
    this.#done.resolve(report.counts);
  }

  #finish(failure: string | undefined): void {
    this.#hasEnded = true;
    if (failure !== undefined) this.#failure.reject(new Error(`the ${this.label} ${failure}`));
    this.#ended.resolve();
  }

  /** Resolved when it is in its place. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolved when it has done its work and left the depot. */
  get done(): Promise<Counts> {
    return this.#done.promise;
  }

  /** Rejected when it ends otherwise. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  /** What it wrote to its standard error. */
  get errors(): string {
    return this.#errors.trim();
  }

  /** Sends an order. */
  send(order: Order): void {
    if (!this.#hasEnded) this.#process.stdin!.write(`${JSON.stringify(order)}\n`);
  }

  /** Has it end in order, or else kills it; comes back when it is no more. */
  async end(): Promise<void> {
    this.#process.stdin!.end();
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), END_MS);
    await this.#ended.promise;
    clearTimeout(timer);
  }
}
