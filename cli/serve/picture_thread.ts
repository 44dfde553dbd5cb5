/**
 * One of the threads that make pictures, from outside.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import { EXIT, Failure } from "../failure.ts";
import type { MadePicture, PictureJob } from "./picture_job.ts";
import type { Answer, Question } from "./picture_worker.ts";

/** A picture that was asked for. */
export type Asked = { job: PictureJob; resolve: (made: MadePicture) => void; reject: (error: Failure) => void };

/** What is told of a thread. */
export type Heard = {
  /** A job is done; this was the memory of its frame. */
  done: (back: ArrayBufferLike) => void;
  /** The thread has ended by itself. */
  gone: () => void;
};

/** A thread. */
export class PictureThread {
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  readonly #gone: () => void;
  #count = 0;
  #hasGone = false;
  /** Whether it has begun. */
  readonly ready: Promise<boolean>;
  #settle!: (isThere: boolean) => void;

  constructor({ done, gone }: Heard) {
    this.#gone = gone;
    this.ready = new Promise((resolve) => this.#settle = resolve);
    this.#worker = new Worker(new URL("./picture_worker.ts", import.meta.url));
    this.#worker.on("message", (answer: Answer | "ready") => {
      if (answer === "ready") return this.#settle(true);
      const asked = this.#asked.get(answer.id);
      this.#asked.delete(answer.id);
      if ("made" in answer) asked?.resolve(answer.made);
      else asked?.reject(new Failure(answer.why, EXIT.failed));
      done(answer.back);
    });
    this.#worker.on("error", (error: Error) => this.#end(`failed: ${error.message}`));
    this.#worker.on("exit", () => this.#end("ended"));
  }

  /** Jobs that it has. */
  get busy(): number {
    return this.#asked.size;
  }

  ask(asked: Asked): void {
    const id = this.#count++;
    this.#asked.set(id, asked);
    this.#worker.postMessage({ id, job: asked.job } satisfies Question, [asked.job.data.buffer as ArrayBuffer]);
  }

  #end(why: string): void {
    if (this.#hasGone) return;
    this.#hasGone = true;
    this.#settle(false);
    this.#rejectAll(`the thread that makes it ${why}`);
    this.#gone();
  }

  #rejectAll(why: string): void {
    for (const { reject } of this.#asked.values()) reject(new Failure(why, EXIT.failed));
    this.#asked.clear();
  }

  async end(): Promise<void> {
    this.#hasGone = true;
    this.#settle(false);
    this.#rejectAll("the server ends");
    await this.#worker.terminate();
  }
}
