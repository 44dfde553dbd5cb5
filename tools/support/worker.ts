/**
 * Workers as the web has them, in every runtime: Node has only those of `node:worker_threads`.
 *
 * @module
 */
import process from "node:process";
import { parentPort, Worker as NodeWorker } from "node:worker_threads";
import { HERE } from "./runtimes.ts";

// deno-lint-ignore no-explicit-any -- the two sides agree on what they say
type Data = { data: any };
type Failure = { message: string; preventDefault(): void };

/** A worker, from outside. */
export type ModuleWorker = {
  onmessage: ((event: Data) => void) | null;
  onerror: ((event: Failure) => void) | null;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  terminate(): unknown;
};

/** A worker, from inside. */
export type Scope = {
  onmessage: (event: Data) => void;
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
  close(): void;
};

class WorkerOfNode implements ModuleWorker {
  onmessage: ModuleWorker["onmessage"] = null;
  onerror: ModuleWorker["onerror"] = null;
  readonly #worker: NodeWorker;

  constructor(module: URL) {
    this.#worker = new NodeWorker(module);
    this.#worker.on("message", (data) => this.onmessage?.({ data }));
    this.#worker.on("error", ({ message }: Error) => this.onerror?.({ message, preventDefault() {} }));
  }

  postMessage(message: unknown, transfer?: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}

let listener: ((data: Data["data"]) => void) | undefined;

const scopeOfNode: Scope = {
  set onmessage(heard: Scope["onmessage"]) {
    if (listener !== undefined) parentPort!.off("message", listener);
    listener = (data) => heard({ data });
    parentPort!.on("message", listener);
  },
  postMessage: (message, transfer) => parentPort!.postMessage(message, transfer),
  close: () => process.exit(),
};

/** Starts a worker that runs a module. */
export function startWorker(module: URL): ModuleWorker {
  return HERE === "node"
    ? new WorkerOfNode(module)
    : new Worker(module.href, { type: "module" }) as unknown as ModuleWorker;
}

/** The scope of the worker that calls it. */
export function workerScope(): Scope {
  return HERE === "node" ? scopeOfNode : globalThis as unknown as Scope;
}
