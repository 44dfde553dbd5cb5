/**
 * One of the demo's processes, as the parent has it: reports come in, orders go out, and it ends whatever happens.
 *
 * @module
 */
import { ModuleChild } from "../support/child.ts";
import type { Runtime } from "../support/runtimes.ts";
import type { Counts, Order, Report, Task } from "./wire.ts";

/** What it does. */
export type Role = "producer" | "follower" | "asker";

/** How long a process may take to end when told to. */
const END_MS = 5000;

/** A process that has been started; {@linkcode Child.end} ends it. */
export class Child {
  readonly role: Role;
  /** What it does and what runs it. */
  readonly label: string;
  /** Its own process id, once it is ready: the one under which it appears in `depot.stats()`. */
  pid = 0;
  /** What it last reported. */
  counts: Counts | undefined;
  readonly #process: ModuleChild;
  readonly #ready = Promise.withResolvers<void>();
  readonly #done = Promise.withResolvers<Counts>();
  readonly #failure = Promise.withResolvers<never>();

  constructor(runtime: Runtime, role: Role, task: Task) {
    this.role = role;
    this.label = `${role} (${runtime})`;
    this.#process = new ModuleChild(runtime, new URL(`./${role}.ts`, import.meta.url), task);
    this.#failure.promise.catch(() => {}); // what waits for it sees the rejection
    void this.#listen();
  }

  async #listen(): Promise<void> {
    let isDone = false;
    for (let report; (report = await this.#process.next<Report>()) !== undefined;) {
      this.#hear(report);
      isDone ||= report.kind === "done";
    }
    const { code, signal } = await this.#process.ending;
    if (code === 0 && isDone) return;
    const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`;
    this.#failure.reject(new Error(`the ${this.label} ${how}`));
  }

  #hear(report: Report): void {
    if (report.kind === "ready") {
      this.pid = report.pid;
      this.#ready.resolve();
      return;
    }
    this.counts = report.counts;
    if (report.kind === "done") this.#done.resolve(report.counts);
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
    return this.#process.errors.trim();
  }

  /** Sends an order. */
  send(order: Order): void {
    if (!this.#process.ended) this.#process.send(order);
  }

  /** Has it end in order, or else kills it; comes back when it is no more. */
  async end(): Promise<void> {
    this.#process.hangUp();
    const timer = setTimeout(() => this.#process.signal("SIGKILL"), END_MS);
    await this.#process.ending;
    clearTimeout(timer);
  }
}
