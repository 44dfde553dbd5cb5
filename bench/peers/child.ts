/**
 * A process of a peer: it talks in lines of JSON, and what it complained of is part of its error.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";

/** Something else has arrived than was written: no figure of that run is worth anything. */
export class WrongChecksum extends Error {}

/** Started by its constructor. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** When it has ended well; rejected otherwise. */
  readonly ended: Promise<void>;
  /** Why it failed, if it has. */
  fault?: Error;

  constructor([executable, ...parameters]: string[], env: Record<string, string> = {}) {
    this.#process = spawn(executable, parameters, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...env },
    });
    let complaints = "";
    const hear = (text: string) => complaints = (complaints + text).slice(-2000);
    this.#process.stderr!.setEncoding("utf8").on("data", hear);
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
    this.ended = new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(this.fault = error);
      this.#process.on("error", fail);
      this.#process.on("close", (code, signal) => {
        if (code === 0) return resolve();
        const Fault = complaints.includes("wrong checksum") ? WrongChecksum : Error;
        fail(new Fault(`ended with ${signal ?? code}: ${complaints.trim()}`));
      });
    });
    this.ended.catch(() => {});
  }

  /** The number that the system gave it. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The next line that it writes. */
  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    await this.ended;
    throw new Error("ended without an answer");
  }

  /** Never settles unless it fails: to be raced against what is waited for. */
  async failure(): Promise<never> {
    await this.ended;
    return await new Promise<never>(() => {});
  }

  /** Ends it if it has not ended, and waits for that. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}
