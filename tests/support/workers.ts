/**
 * Workers of this process that do with one depot each what they are told, and end.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { HERE } from "../../tools/support/runtimes.ts";
import { type ModuleWorker, startWorker } from "../../tools/support/worker.ts";
import type { Birth, Message } from "./depot_worker.ts";

/** How a worker ends; only Deno knows `close()`. */
export const WAYS: readonly Way[] = [
  "terminate",
  "exit",
  "throw",
  "reject",
  ...HERE === "deno" ? ["close" as const] : [],
];
/** One of them. */
export type Way = "terminate" | (Message & { end: string })["end"];

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Where threads cannot be seen, one counts as gone after this time. */
const UNSEEN_MS = 500;

/** Waits until the system has a thread no more. */
async function gone(thread: number): Promise<void> {
  if (thread === 0) await sleep(UNSEEN_MS);
  else while (existsSync(`/proc/self/task/${thread}`)) await sleep(1);
}

/** One worker. */
export class DepotWorker {
  readonly #worker: ModuleWorker;
  readonly #answers: unknown[] = [];
  readonly #born: Promise<Birth>;
  #told: (() => void) | undefined;
  #failure: string | undefined;
  #ends = false;

  constructor() {
    this.#worker = startWorker(new URL("./depot_worker.ts", import.meta.url));
    this.#worker.onmessage = ({ data }) => {
      this.#answers.push(data);
      this.#told?.();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      if (!this.#ends) this.#failure = event.message;
      this.#told?.();
    };
    this.#born = this.#answer<Birth>();
  }

  async #answer<T>(): Promise<T> {
    while (this.#answers.length === 0) {
      if (this.#failure !== undefined) throw new Error(`a worker failed: ${this.#failure}`);
      await new Promise<void>((resolve) => this.#told = resolve);
    }
    return this.#answers.shift() as T;
  }

  /** Its thread, once it runs. */
  async thread(): Promise<number> {
    return (await this.#born).thread;
  }

  /** Sends a message at once. @returns the answer; messages are answered in their order */
  async ask<T>(message: Message): Promise<T> {
    this.#worker.postMessage(message);
    await this.#born;
    return await this.#answer<T>();
  }

  /** Has it end. @returns when its thread is gone */
  async end(how: Way): Promise<void> {
    const thread = await this.thread();
    this.#ends = true;
    if (how === "terminate") this.#worker.terminate();
    else this.#worker.postMessage({ end: how });
    await gone(thread);
  }
}
