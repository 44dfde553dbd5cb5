/**
 * Bytes from wherever they come, in whatever pieces, put together into frames. What was read and not used is kept for
 * the next time that the same source is read.
 *
 * @module
 */
import { bufferLengthOf, bytesOf, kindOf } from "../ffi/buffers.ts";

/**
 * What reads bytes into an array that it is given: a file of Deno (`number`, and `null` at the end), a file handle of
 * Node (`{ bytesRead }`, 0 at the end), a `ReadableStreamBYOBReader` or a `ReadableStreamDefaultReader`
 * (`{ done, value }`).
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

/** No bytes yet. */
const NOTHING = new Uint8Array(0);

/** Gives the next bytes (none at all: try again), or undefined at the end. */
type Pull = () => Promise<Uint8Array | undefined>;

const feeds = new WeakMap<object, Feed>();

/** One source, with what is left over of it. */
export class Feed {
  /** Undefined for a stream, which is asked through a lock. */
  readonly #pull: Pull | undefined;
  /** While it is read. */
  #stop: Stop | undefined;
  /** While it is read, if it is a stream. */
  #lock: Lock | undefined;
  /** A read that was under way when its caller gave up: its bytes are the next. */
  #pending: Promise<Uint8Array | undefined> | undefined;
  #left: Uint8Array = NOTHING;

  /**
   * Gives one caller a source to itself, until {@linkcode Feed.end}. The same source has the same feed for as long as
   * there is the source.
   *
   * @param signals end the reading; what is under way then is the first of the next reading
   * @throws {TypeError} when it is being read already, and for what is no source
   */
  static begin(source: unknown, signals: readonly (AbortSignal | undefined)[]): Feed {
    const known = typeof source === "object" && source !== null ? feeds.get(source) : undefined;
    const feed = known ?? new Feed(source);
    if (feed.#stop !== undefined) throw new TypeError("the source of bytes is being read already: await that first");
    feeds.set(source as object, feed);
    feed.#stop = new Stop(signals);
    try {
      // A stream is locked while it is read, and no longer.
      if (feed.#pull === undefined) feed.#lock = new Lock(source as ReadableStream<unknown>);
      return feed;
    } catch (error) {
      feed.end();
      throw error;
    }
  }

  private constructor(source: unknown) {
    const has = (name: string | symbol) =>
      typeof source === "object" && source !== null &&
      typeof (source as Record<string | symbol, unknown>)[name] === "function";
    if (has("getReader")) return;
    // Before read: a stream of Node has both, and its read is another.
    if (has(Symbol.asyncIterator)) this.#pull = iterated(source as AsyncIterable<unknown>);
    else if (has("read")) this.#pull = readInto(source as ByteReader);
    else {
      throw new TypeError(
        "a source of bytes must be a ReadableStream, something with read(into), or an async iterable: it is " +
          (source === null ? "null" : kindOf(source) ?? typeof source),
      );
    }
  }

  /**
   * Reads until `put` has had as many bytes as it wants. Nothing is put once a signal is aborted.
   *
   * @param put takes bytes, and says how many it has taken: fewer than it was given when it needs no more
   * @param needsMore whether to go on
   * @throws the source's own error; the reason of a signal; {TypeError} for a piece that is no bytes
   * @returns false when the source has ended before
   */
  async read(put: (bytes: Uint8Array) => number, needsMore: () => boolean): Promise<boolean> {
    const stop = this.#stop!;
    for (;;) {
      stop.throwIfStopped();
      if (this.#left.length > 0) {
        this.#left = this.#left.subarray(put(this.#left));
        if (!needsMore()) return true;
        continue;
      }
      this.#pending ??= (this.#pull ?? this.#lock!.pull)();
      const bytes = await stop.before(this.#pending, () => this.#pending = undefined);
      if (bytes === undefined) return false;
      this.#left = bytes;
    }
  }

  /** Lets others read the source. */
  end(): void {
    this.#stop?.forget();
    this.#stop = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** Puts bytes back before all others. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const joined = new Uint8Array(bytes.length + this.#left.length);
    joined.set(bytes);
    joined.set(this.#left, bytes.length);
    this.#left = joined;
  }
}

/** The first of some signals, for as long as one reading lasts. */
class Stop {
  readonly #signals: AbortSignal[];
  readonly #listener = () => this.#tell?.();
  /** Ends the wait that is under way. */
  #tell: (() => void) | undefined;

  constructor(signals: readonly (AbortSignal | undefined)[]) {
    this.#signals = signals.filter((signal) => signal !== undefined);
    for (const signal of this.#signals) signal.addEventListener("abort", this.#listener);
  }

  /** @throws the reason */
  throwIfStopped(): void {
    for (const signal of this.#signals) signal.throwIfAborted();
  }

  /**
   * Waits for a promise, unless a signal comes first. One of the two has come first, whatever happens before it is
   * heard of: a value counts either as this caller's or as the next one's, never as both.
   *
   * @param came called when it was the promise
   * @throws the reason
   */
  before<T>(promise: Promise<T>, came: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const first = (settle: () => void) => {
        if (this.#tell !== stopped) return;
        this.#tell = undefined;
        settle();
      };
      const stopped = () => first(() => this.#reject(reject));
      this.#tell = stopped;
      // The source's own code ran before this, and may have aborted.
      if (this.#signals.some(({ aborted }) => aborted)) return stopped();
      promise.then((value) => first(() => (came(), resolve(value))), (error) => first(() => (came(), reject(error))));
    });
  }

  #reject(reject: (reason: unknown) => void): void {
    reject(this.#signals.find(({ aborted }) => aborted)!.reason);
  }

  /** Listens no longer. */
  forget(): void {
    for (const signal of this.#signals) signal.removeEventListener("abort", this.#listener);
  }
}

/** A stream while it is locked. */
class Lock {
  readonly #reader: ReadableStreamDefaultReader<unknown>;
  #isReleased = false;

  /** @throws {TypeError} when another reader has locked it */
  constructor(stream: ReadableStream<unknown>) {
    this.#reader = stream.getReader();
  }

  readonly pull: Pull = async () => {
    const answer = await this.#reader.read().catch((error) => {
      // What this read did not get the stream keeps, its own error too.
      if (!this.#isReleased) throw error;
    });
    if (answer === undefined) return NOTHING;
    return answer.done ? undefined : piece(answer.value);
  };

  /** A read that is under way ends with nothing, unless its bytes have come already. */
  release(): void {
    this.#isReleased = true;
    this.#reader.releaseLock();
  }
}

/** The bytes of what a source has given. @throws {TypeError} for anything else */
function piece(value: unknown): Uint8Array {
  if (kindOf(value) !== undefined) return bytesOf(value as ArrayBufferView);
  if (value instanceof DataView) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (bufferLengthOf(value) !== undefined) return new Uint8Array(value as ArrayBuffer);
  throw new TypeError(`a source of bytes must give typed arrays or buffers: it gave ${typeof value}`);
}

function iterated(source: AsyncIterable<unknown>): Pull {
  let iterator: AsyncIterator<unknown> | undefined;
  return async () => {
    iterator ??= source[Symbol.asyncIterator]();
    const { done, value } = await iterator.next();
    return done ? undefined : piece(value);
  };
}

/** What a read(into) may return. */
type ReadAnswer = number | null | undefined | { bytesRead?: number; done?: boolean; value?: unknown };

/** A scratch array and not the frame's memory: a read that its caller gives up may still land. */
function readInto(source: ByteReader): Pull {
  let scratch = new Uint8Array(SCRATCH_BYTES);
  return async () => {
    if (scratch.length === 0) scratch = new Uint8Array(SCRATCH_BYTES); // taken away by a BYOB reader
    const answer = await source.read(scratch) as ReadAnswer;
    if (answer === null || answer === undefined) return undefined;
    if (typeof answer === "number") {
      // Not the end: so that others get their turn if it goes on like that.
      if (answer === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      return partOf(scratch, answer);
    }
    if (typeof answer === "object" && "bytesRead" in answer) {
      return answer.bytesRead === 0 ? undefined : partOf(scratch, answer.bytesRead);
    }
    return answer.done ? undefined : piece(answer.value);
  };
}

/** @throws {TypeError} unless it is a number of bytes that the array has */
function partOf(scratch: Uint8Array, bytes: unknown): Uint8Array {
  if (Number.isInteger(bytes) && bytes as number >= 0 && bytes as number <= scratch.length) {
    return scratch.subarray(0, bytes as number);
  }
  throw new TypeError(`read(into) must return how many of ${scratch.length} bytes it has read: it returned ${bytes}`);
}
