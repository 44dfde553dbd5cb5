/**
 * The threads that make pictures, so that this one stays free for clients.
 *
 * @module
 */
import { EXIT, Failure } from "../failure.ts";
import { type MadePicture, makePicture, type PictureJob } from "./picture_job.ts";
import { findSharp } from "../video/sharp.ts";
import { type Asked, PictureThread } from "./picture_thread.ts";

/** What one thread works on at a time: while one picture is compressed, the next is converted. */
const EACH = 2;
/** Memory that is kept for the next frames. */
const SPARE_BYTES = 256_000_000;
const SPARE_COUNT = 8;

/** Makes pictures in threads of its own. */
export class PictureMaker implements AsyncDisposable {
  readonly #most: number;
  readonly #threads: PictureThread[] = [];
  readonly #waiting: Asked[] = [];
  /**
   * Whether there are threads: Bun finds packages for them only where they are installed in a folder, and in Deno sharp
   * does not answer in them.
   */
  #way: "unknown" | "asking" | "threads" | "here" = "Deno" in globalThis && findSharp() !== undefined
    ? "here"
    : "unknown";
  #spare: ArrayBuffer[] = [];
  #closed = false;

  /** @param threads the maximum, which begin when they are needed */
  constructor(threads: number) {
    this.#most = threads;
  }

  /** Memory for a frame of this length, which is lost when it is given to `make`. */
  room(bytes: number): ArrayBuffer {
    const at = this.#spare.findIndex(({ byteLength }) => byteLength === bytes);
    return at < 0 ? new ArrayBuffer(bytes) : this.#spare.splice(at, 1)[0];
  }

  /** Takes memory back that was not given to `make`. */
  keep(back: ArrayBufferLike | undefined): void {
    if (!(back instanceof ArrayBuffer) || back.byteLength === 0) return;
    this.#spare.unshift(back);
    let bytes = 0;
    this.#spare = this.#spare.slice(0, SPARE_COUNT).filter(({ byteLength }) => (bytes += byteLength) <= SPARE_BYTES);
  }

  /** Makes a picture. @throws {Failure} where none can be made */
  make(job: PictureJob): Promise<MadePicture> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#closed) {
      for (const { reject } of this.#waiting.splice(0)) reject(new Failure("the server ends", EXIT.failed));
    } else if (this.#way === "unknown") void this.#begin();
    else if (this.#way === "here") {
      for (const asked of this.#waiting.splice(0)) void makeHere(asked).then(() => this.keep(asked.job.data.buffer));
    } else if (this.#way === "threads") this.#share();
  }

  async #begin(): Promise<void> {
    this.#way = "asking";
    try {
      this.#way = await this.#start().ready ? "threads" : "here";
    } catch { // no thread can be made of where this module was loaded from
      this.#way = "here";
    }
    this.#next();
  }

  #share(): void {
    while (this.#waiting.length > 0) {
      let thread = this.#threads.toSorted((one, other) => one.busy - other.busy)[0];
      if ((thread === undefined || thread.busy > 0) && this.#threads.length < this.#most) thread = this.#start();
      if (thread.busy >= EACH) return;
      thread.ask(this.#waiting.shift()!);
    }
  }

  #start(): PictureThread {
    const thread = new PictureThread({
      done: (back) => {
        this.keep(back);
        this.#next();
      },
      gone: () => {
        this.#threads.splice(this.#threads.indexOf(thread), 1);
        this.#next();
      },
    });
    this.#threads.push(thread);
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#next();
    await Promise.all(this.#threads.splice(0).map((thread) => thread.end()));
  }
}

async function makeHere({ job, resolve, reject }: Asked): Promise<void> {
  try {
    resolve(await makePicture(job));
  } catch (error) {
    reject(new Failure((error as Error).message, EXIT.failed));
  }
}
