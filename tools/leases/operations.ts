/**
 * What a runtime does with a buffer beside JavaScript. An operation that is over before its frame is released must have
 * seen that frame; one that is not may have seen anything, and must harm no frame.
 *
 * @module
 */
import crypto from "node:crypto";
import fs from "node:fs";
import zlib from "node:zlib";
import { HERE } from "../support/runtimes.ts";

/** Begins an operation. @returns when it is over: the bytes it has seen, where that can be told */
type Operation = (view: Uint8Array, file: string) => Promise<Uint8Array | void>;

// deno-lint-ignore no-explicit-any -- what only one of the runtimes has
const { Deno: deno, Bun: bun } = globalThis as any;

const callback = (begin: (done: (error: unknown, result?: unknown) => void) => void): Promise<Uint8Array> =>
  new Promise((resolve, reject) => begin((error, result) => error ? reject(error) : resolve(result as Uint8Array)));

async function written(file: string, writing: Promise<unknown>): Promise<Uint8Array> {
  await writing;
  return await fs.promises.readFile(file);
}

async function gathered(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}

async function writeAt(view: Uint8Array, file: string): Promise<void> {
  const descriptor = fs.openSync(file, "w");
  try {
    await callback((done) => fs.write(descriptor, view, 0, view.length, 0, done));
  } finally {
    fs.closeSync(descriptor);
  }
}

async function writeByHandle(view: Uint8Array, file: string): Promise<void> {
  const handle = await fs.promises.open(file, "w");
  try {
    await handle.writeFile(view);
  } finally {
    await handle.close();
  }
}

async function throughGzip(view: Uint8Array): Promise<Uint8Array> {
  const { readable, writable } = new CompressionStream("gzip");
  const writer = writable.getWriter();
  const writing = writer.write(view as Uint8Array<ArrayBuffer>).then(() => writer.close());
  const [seen] = await Promise.all([gathered(readable), writing]);
  return zlib.gunzipSync(seen);
}

async function deflated(view: Uint8Array): Promise<Uint8Array> {
  const stream = zlib.createDeflate({ level: 1 });
  const parts: Uint8Array[] = [];
  stream.on("data", (part: Uint8Array) => parts.push(part));
  await new Promise((resolve, reject) => {
    stream.on("end", resolve).on("error", reject);
    stream.end(view);
  });
  return zlib.inflateSync(new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer()));
}

const COMMON: Record<string, Operation> = {
  "fs.promises.writeFile": (view, file) => written(file, fs.promises.writeFile(file, view)),
  "fs.writeFile": (view, file) => written(file, callback((done) => fs.writeFile(file, view, done))),
  "fs.write": (view, file) => written(file, writeAt(view, file)),
  "subtle.digest": async (view) => void await crypto.subtle.digest("SHA-256", view as Uint8Array<ArrayBuffer>),
  "crypto.pbkdf2": async (view) => void await callback((done) => crypto.pbkdf2("x", view, 2000, 32, "sha512", done)),
  // Looks at the password again at its end.
  "crypto.scrypt": async (view) => void await callback((done) => crypto.scrypt(view, "x", 32, { N: 4096 }, done)),
  "Blob": async (view) => new Uint8Array(await new Blob([view as Uint8Array<ArrayBuffer>]).arrayBuffer()),
  "Response": async (view) => new Uint8Array(await new Response(view as Uint8Array<ArrayBuffer>).arrayBuffer()),
};

const OWN: Record<typeof HERE, Record<string, Operation>> = {
  deno: {
    "CompressionStream": throughGzip,
    "Deno.writeFile": (view, file) => written(file, deno.writeFile(file, view)),
  },
  node: {
    "FileHandle.writeFile": (view, file) => written(file, writeByHandle(view, file)),
  },
  bun: {
    "CompressionStream": throughGzip,
    "Bun.write": (view, file) => written(file, bun.write(file, view)),
    // Deno's and Node's look at the buffer a tick later, and end the process if a close has emptied it by then.
    "zlib.gzip": async (view) => zlib.gunzipSync(await callback((done) => zlib.gzip(view, { level: 1 }, done))),
    "zlib.createDeflate": deflated,
    "Bun.zstdCompress": async (view) => bun.zstdDecompressSync(await bun.zstdCompress(view)),
  },
};

/** By name, for the trail. */
export const OPERATIONS: Record<string, Operation> = { ...COMMON, ...OWN[HERE] };

/** Those that look at the buffer for long. */
export const LASTING: readonly string[] = ["crypto.scrypt"];
