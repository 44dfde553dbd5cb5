/**
 * Equal bytes from every kind of source that `fillFrom` and `writeFrom` take.
 *
 * @module
 */
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { closeSync, createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ByteSource } from "../../mod.ts";
import { HERE } from "./harness.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A source, and what ends it when the test is over. */
export type Opened = { source: ByteSource; close?: () => unknown };

/** The parts of the runtimes that read files, by the names that they have there. */
type Files = {
  Deno: { open(path: string): Promise<{ readable: ReadableStream<Bytes>; close(): void } & ByteSource> };
  Bun: { file(path: string): { stream(): ReadableStream<Bytes> } };
};
const files = globalThis as unknown as Files;

/** Bytes that differ from place to place. */
export function pattern(length: number, from = 0): Bytes {
  return Uint8Array.from({ length }, (_, index) => (from + index) * 7 % 251);
}

/** All bytes in pieces; the sizes come one after another, again and again. */
export function cut(bytes: Bytes, sizes: number[]): Bytes[] {
  const pieces: Bytes[] = [];
  for (let at = 0, n = 0; at < bytes.length; at += sizes[n++ % sizes.length]) {
    pieces.push(bytes.slice(at, at + sizes[n % sizes.length]));
  }
  return pieces;
}

const streamOf = (pieces: unknown[], type?: "bytes") =>
  new ReadableStream({
    type,
    start(controller: { enqueue(piece: unknown): void; close(): void }) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  } as UnderlyingDefaultSource) as ReadableStream<Bytes>;

/** A byte stream that fills what its reader brings. */
function filledStream(pieces: Bytes[]): ReadableStream<Bytes> {
  const left = [...pieces];
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: 16,
    pull(controller) {
      const request = controller.byobRequest!;
      const piece = left.shift();
      if (piece === undefined) {
        controller.close();
        return request.respond(0);
      }
      const view = request.view as Bytes;
      const part = piece.subarray(0, view.length);
      if (part.length < piece.length) left.unshift(piece.subarray(part.length));
      view.set(part);
      request.respond(part.length);
    },
  });
}

async function* generated(pieces: unknown[]): AsyncGenerator<Bytes> {
  for (const piece of pieces) {
    await Promise.resolve();
    yield piece as Bytes;
  }
}

/** One buffer for all pieces, as decoders have it. */
async function* overwritten(pieces: Bytes[]): AsyncGenerator<Bytes> {
  const buffer = new Uint8Array(Math.max(...pieces.map(({ length }) => length)));
  for (const piece of pieces) {
    await Promise.resolve();
    buffer.fill(255).set(piece);
    yield buffer.subarray(0, piece.length);
  }
}

/** What reads into an array, in pieces, and returns how much in the way of `answer`. */
function reading(pieces: Bytes[], answer: (bytes: number) => unknown): ByteSource {
  const left = [...pieces];
  return {
    read(into) {
      const piece = left.shift();
      if (piece === undefined) return answer(-1);
      const part = piece.subarray(0, into.length);
      if (part.length < piece.length) left.unshift(piece.subarray(part.length));
      into.set(part);
      return answer(part.length);
    },
  };
}

/** Other types of arrays and buffers, each over the bytes of a piece. */
function otherTypes(pieces: Bytes[]): unknown[] {
  const wrap: ((piece: Bytes) => unknown)[] = [
    (piece) => piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.byteLength),
    (piece) => new DataView(Uint8Array.of(9, ...piece, 9).buffer, 1, piece.length),
    (piece) => piece.length % 4 === 0 ? new Float32Array(piece.slice().buffer) : new Int8Array(piece.slice().buffer),
    (piece) => {
      const shared = new Uint8Array(new SharedArrayBuffer(piece.length + 3), 3);
      shared.set(piece);
      return shared;
    },
    () => new Uint8Array(0),
  ];
  return pieces.flatMap((piece, n) => n % 5 === 4 ? [wrap[4](piece), piece] : [wrap[n % 5](piece)]);
}

async function inFile(bytes: Bytes, use: (path: string) => Opened | Promise<Opened>): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
  const path = join(folder, "bytes");
  writeFileSync(path, bytes);
  const { source, close } = await use(path);
  return {
    source,
    async close() {
      await close?.();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runtimeFile(path: string): Promise<Opened> {
  if (HERE === "bun") return { source: files.Bun.file(path).stream() };
  if (HERE === "node") {
    const file = await open(path);
    return { source: file.readableWebStream() as ReadableStream<Bytes>, close: () => file.close() };
  }
  const file = await files.Deno.open(path);
  return { source: file, close: () => file.close() };
}

/** Every kind, by its name: a source of these pieces. Sources over a file or a Blob make pieces of their own. */
export const SOURCES: Record<string, (pieces: Bytes[], all: Bytes) => Opened | Promise<Opened>> = {
  "a stream": (pieces) => ({ source: streamOf(pieces) }),
  "a byte stream": (pieces) => ({ source: streamOf(pieces, "bytes") }),
  "a byte stream that fills what it is given": (pieces) => ({ source: filledStream(pieces) }),
  "a stream of other types": (pieces) => ({ source: streamOf(otherTypes(pieces)) }),
  "a stream through a transform": (pieces) => ({ source: streamOf(pieces).pipeThrough(new TransformStream()) }),
  "a reader of a stream": (pieces) => ({ source: streamOf(pieces).getReader() }),
  "a BYOB reader": (pieces) => ({ source: filledStream(pieces).getReader({ mode: "byob" }) as ByteSource }),
  "a Blob's stream": (pieces) => ({ source: new Blob(pieces).stream() }),
  "a response's body": (pieces) => ({ source: new Response(new Blob(pieces)).body! }),
  "an async generator": (pieces) => ({ source: generated(pieces) }),
  "an async generator of other types": (pieces) => ({ source: generated(otherTypes(pieces)) }),
  "an async generator with one buffer": (pieces) => ({ source: overwritten(pieces) }),
  "a Readable of objects": (pieces) => ({ source: Readable.from(pieces) }),
  "a Readable of bytes": (pieces) => ({ source: Readable.from(pieces, { objectMode: false }) }),
  "a file as a Readable": (_, all) => inFile(all, (path) => ({ source: createReadStream(path, { highWaterMark: 7 }) })),
  "a FileHandle": (_, all) =>
    inFile(all, async (path) => {
      const file = await open(path);
      return { source: file as ByteSource, close: () => file.close() };
    }),
  "a file of the runtime": (_, all) => inFile(all, runtimeFile),
  "readSync of a descriptor": (_, all) =>
    inFile(all, (path) => {
      const fd = openSync(path, "r");
      return { source: { read: (into) => readSync(fd, into) || null }, close: () => closeSync(fd) };
    }),
  "a reader of counts": (pieces) => ({ source: reading(pieces, (bytes) => bytes < 0 ? null : Promise.resolve(bytes)) }),
  "a reader of { bytesRead }": (pieces) => ({ source: reading(pieces, (n) => ({ bytesRead: Math.max(0, n) })) }),
};

/** A source whose pieces come when the test says so, and that can fail. */
export type Pushed = {
  source: ByteSource;
  push(piece: Bytes): void;
  fail(error: unknown): void;
  end(): void;
};

/** A promise for each read, settled by the test. */
class Mailbox {
  readonly #answers: (() => Promise<Bytes | undefined>)[] = [];
  #waiting: ((answer: () => Promise<Bytes | undefined>) => void) | undefined;

  put(answer: () => Promise<Bytes | undefined>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#answers.push(answer);
    else waiting(answer);
  }

  async get(): Promise<Bytes | undefined> {
    const next = new Promise<() => Promise<Bytes | undefined>>((resolve) => this.#waiting = resolve);
    const answer = this.#answers.shift() ?? await next;
    this.#waiting = undefined;
    return await answer();
  }
}

function mailed(sourceOf: (mailbox: Mailbox) => ByteSource): () => Pushed {
  return () => {
    const mailbox = new Mailbox();
    return {
      source: sourceOf(mailbox),
      push: (piece) => mailbox.put(() => Promise.resolve(piece)),
      fail: (error) => mailbox.put(() => Promise.reject(error)),
      end: () => mailbox.put(() => Promise.resolve(undefined)),
    };
  };
}

function pushedStream(type?: "bytes"): Pushed {
  let controller!: ReadableStreamDefaultController<Bytes>;
  const start = (given: ReadableStreamDefaultController<Bytes>) => void (controller = given);
  return {
    source: new ReadableStream<Bytes>({ type, start } as UnderlyingDefaultSource<Bytes>),
    push: (piece) => controller.enqueue(piece),
    fail: (error) => controller.error(error),
    end: () => controller.close(),
  };
}

/** Sources that the test pushes into, by their names. */
export const PUSHED: Record<string, () => Pushed> = {
  "a stream": () => pushedStream(),
  "a byte stream": () => pushedStream("bytes"),
  "a reader of a stream": () => {
    const pushed = pushedStream();
    return { ...pushed, source: (pushed.source as ReadableStream<Bytes>).getReader() };
  },
  "a BYOB reader": () => {
    const pushed = pushedStream("bytes");
    return { ...pushed, source: (pushed.source as ReadableStream).getReader({ mode: "byob" }) as ByteSource };
  },
  "an async generator": mailed(async function* (mailbox) {
    for (let piece; (piece = await mailbox.get()) !== undefined;) yield piece;
  }),
  "a Readable": () => {
    const readable = new Readable({ read() {} });
    return {
      source: readable,
      push: (piece) => readable.push(piece),
      fail: (error) => readable.destroy(error as Error),
      end: () => readable.push(null),
    };
  },
  "a reader of counts": mailed((mailbox) => ({
    async read(into) {
      const piece = await mailbox.get();
      if (piece === undefined) return null;
      into.set(piece);
      return piece.length;
    },
  })),
};
