/**
 * Bytes from wherever they come, in whatever pieces, put together into frames. What was read and not used is kept for the
 * next time that the same source is read.
 *
 * @module
 */
import { bufferLengthOf, bytesOf, kindOf } from "../ffi/buffers.ts";

/**
 * What reads bytes into an array that it is given: a file of Deno (`number | null`), a file handle of Node
 * (`{ bytesRead }`), a `ReadableStreamBYOBReader` or a `ReadableStreamDefaultReader` (`{ done, value }`).
 */
export interface ByteReader {
  /** Reads at most as many bytes as `into` has. */
  read(into: Uint8Array<ArrayBuffer>): Promise<unknown> | unknown;
}

/** Where raw bytes come from: a stream, a reader, or anything that gives typed arrays or buffers one by one. */
export type ByteSource =
  | ReadableStream<Uint8Array>
  | ByteReader
  | AsyncIterable<ArrayBufferView | ArrayBuffer>;

/** Bytes that are asked for at a time from a source that reads into an array. */
const SCRATCH_BYTES = 64 * 1024;

/** Gives the next bytes (none at all: try again), or undefined at the end. */
type Pull = () => Promise<Uint8Array | undefined>;

const feeds = new WeakMap<object, Feed>();

/** One source, with what is left over of it. */
export class Feed {
  readonly #source: object;
  readonly #pull: Pull | undefined;
  /** A read that was under way when its caller gave up: its bytes are the next. */
  #pending: Promise<Uint8Array | undefined> | undefined;
  #left: Uint8Array = new Uint8Array(0);
  #isRead = false;

  /** The feed of a source; the same for as long as there is the source. @throws {TypeError} for anything else */
  static of(source: unknown): Feed {
    const known = typeof source === "object" && source !== null ? feeds.get(source) : undefined;
    if (known !== undefined) return known;
    const feed = new Feed(source);
    feeds.set(source as object, feed);
    return feed;
  }

  private constructor(source: unknown) {
    const has = (name: string | symbol) =>
      typeof source === "object" && source !== null &&
      typeof (source as Record<string | symbol, unknown>)[name] === "function";
    if (has("getReader")) this.#pull = undefined;
    // Before read: a stream of Node has both, and its read is another.
    else if (has(Symbol.asyncIterator)) this.#pull = iterated(source as AsyncIterable<unknown>);
    else if (has("read")) this.#pull = readInto(source as ByteReader);
    else {
      throw new TypeError(
        "a source of bytes must be a ReadableStream, something with read(into), or an async iterable: it is " +
          (source === null ? "null" : kindOf(source) ?? typeof source),
      );
    }
    this.#source = source as object;
  }

  /**
   * Reads until `put` has had as many bytes as it wants.
   *
   * @param put takes bytes, and says how many it has taken: fewer than it was given when it needs no more
   * @param needsMore whether to go on
   * @throws {TypeError} when the source is being read already; the source's own error; the reason of the `signal`
   * @returns false when the source has ended before
   */
  async read(put: (bytes: Uint8Array) => number, needsMore: () => boolean, signal?: AbortSignal): Promise<boolean> {
    if (this.#isRead) throw new TypeError("the source of bytes is being read already: await that first");
    this.#isRead = true;
    // A stream is locked while it is read, and no longer.
    const reader = this.#pull === undefined ? (this.#source as ReadableStream<Uint8Array>).getReader() : undefined;
    try {
      for (;;) {
        signal?.throwIfAborted();
        const bytes = this.#left.length > 0 ? this.#left : await this.#next(reader, signal);
        if (bytes === undefined) return false;
        this.#left = bytes;
        const taken = put(bytes);
        this.#left = bytes.subarray(taken);
        if (!needsMore()) return true;
      }
    } finally {
      this.#isRead = false;
      reader?.releaseLock();
    }
  }

  async #next(
    reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array | undefined> {
    if (reader !== undefined) {
      const { done, value } = await unlessAborted(reader.read(), signal);
      return done ? undefined : piece(value);
    }
    this.#pending ??= this.#pull!();
    try {
      return await unlessAborted(this.#pending, signal);
    } finally {
      if (!signal?.aborted) this.#pending = undefined;
    }
  }

  /** Puts bytes back before all others. */
  unread(bytes: Uint8Array): void {
    if (this.#left.length === 0) {
      this.#left = bytes.slice();
      return;
    }
    const joined = new Uint8Array(bytes.length + this.#left.length);
    joined.set(bytes);
    joined.set(this.#left, bytes.length);
    this.#left = joined;
  }
}

/** The bytes of what a source has given. @throws {TypeError} for anything else */
function piece(value: unknown): Uint8Array<ArrayBuffer> {
  if (kindOf(value) !== undefined || value instanceof DataView) {
    const view = value as ArrayBufferView<ArrayBuffer>;
    return kindOf(value) === undefined
      ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      : bytesOf(view) as Uint8Array<ArrayBuffer>;
  }
  if (typeof value === "object" && bufferLengthOf(value) !== undefined) return new Uint8Array(value as ArrayBuffer);
  throw new TypeError(`a source of bytes must give typed arrays or buffers: it gave ${kindOf(value) ?? typeof value}`);
}

function iterated(source: AsyncIterable<unknown>): Pull {
  let iterator: AsyncIterator<unknown> | undefined;
  return async () => {
    iterator ??= source[Symbol.asyncIterator]();
    const { done, value } = await iterator.next();
    return done ? undefined : piece(value);
  };
}

/** A scratch array and not the frame's memory: a read that its caller gives up may still land. */
function readInto(source: ByteReader): Pull {
  let scratch = new Uint8Array(SCRATCH_BYTES);
  return async () => {
    if (scratch.length === 0) scratch = new Uint8Array(SCRATCH_BYTES); // taken away by a BYOB reader
    const answer = await source.read(scratch) as
      | number
      | null
      | undefined
      | { bytesRead?: number; done?: boolean; value?: unknown };
    if (answer === null || answer === undefined) return undefined;
    if (typeof answer === "number") return scratch.slice(0, answer);
    if (typeof answer.bytesRead === "number") {
      return answer.bytesRead === 0 ? undefined : scratch.slice(0, answer.bytesRead);
    }
    return answer.done || answer.value === undefined ? undefined : piece(answer.value);
  };
}

/** @throws the reason of the `signal`; what comes of the promise afterwards is left to its owner */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const listener = () => reject(signal.reason);
    signal.addEventListener("abort", listener);
    stop = () => signal.removeEventListener("abort", listener);
  });
  promise.catch(() => {}); // after an abort its error is for the next reader
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}
