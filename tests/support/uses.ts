/**
 * What a program may do with a frame's data by means of its runtime: most of it goes on after the call has returned.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import zlib from "node:zlib";
import { HERE } from "./harness.ts";

/** What a use may need. */
export type Surroundings = { file: string; port: number };
/** Begins one. @returns when it is over, if that can be told */
type Use = (data: Uint8Array<ArrayBuffer>, around: Surroundings) => unknown;

// deno-lint-ignore no-explicit-any -- what only one of the runtimes has
const { Deno: deno, Bun: bun } = globalThis as any;

const called = (begin: (done: (error?: unknown) => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => begin((error) => error ? reject(error) : resolve()));

async function writeTo(file: string, write: (descriptor: number, done: () => void) => void): Promise<void> {
  const descriptor = fs.openSync(file, "w");
  await called((done) => write(descriptor, done));
  fs.closeSync(descriptor);
}

/** Connects, and writes at once or when it is connected. */
function send(data: Uint8Array, port: number, when: "now" | "connected"): Promise<void> {
  const socket = net.connect(port, "127.0.0.1");
  const written = called((done) => {
    socket.on("error", done);
    if (when === "now") socket.write(data, done);
    else socket.on("connect", () => socket.write(data, done));
  });
  return written.finally(() => socket.destroy());
}

/** Uses that start programs of Unix. */
export const needsShell = (use: string): boolean => use === "child.stdin.write" || use === "Bun.spawn";

/** To a child that reads it later. */
function feed(data: Uint8Array): Promise<void> {
  const child = spawn("sh", ["-c", "sleep 0.05; cat > /dev/null"], { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.on("error", () => {});
  child.stdin.write(data);
  child.stdin.end();
  return called((done) => child.on("close", () => done()));
}

async function compress(data: Uint8Array<ArrayBuffer>): Promise<void> {
  const { readable, writable } = new CompressionStream("gzip");
  const writer = writable.getWriter();
  const reading = readable.pipeTo(new WritableStream());
  await Promise.all([writer.write(data).then(() => writer.close()), reading]);
}

function deflate(data: Uint8Array): Promise<void> {
  const stream = zlib.createDeflate();
  stream.on("data", () => {});
  return called((done) => stream.on("error", done).on("end", () => done()).end(data));
}

const COMMON: Record<string, Use> = {
  "nothing": () => {},
  "zlib.gzip": (data) => called((done) => zlib.gzip(data, done)),
  "zlib.createDeflate": deflate,
  "fs.promises.writeFile": (data, { file }) => fs.promises.writeFile(file, data),
  "fs.writeFile": (data, { file }) => called((done) => fs.writeFile(file, data, done)),
  "fs.write": (data, { file }) => writeTo(file, (descriptor, done) => fs.write(descriptor, data, done)),
  "fileHandle.write": async (data, { file }) => {
    await using handle = await fs.promises.open(file, "w");
    await handle.write(data);
  },
  "subtle.digest": (data) => crypto.subtle.digest("SHA-256", data),
  "crypto.createHash": (data) => crypto.createHash("sha256").update(data).digest(),
  "crypto.pbkdf2": (data) => called((done) => crypto.pbkdf2("x", data, 10_000, 64, "sha512", done)),
  "crypto.scrypt": (data) => called((done) => crypto.scrypt("x", data, 64, done)),
  "new Blob": (data) => new Blob([data]).arrayBuffer(),
  "new Response": (data) => new Response(data),
  "response.arrayBuffer": (data) => new Response(data).arrayBuffer(),
  "CompressionStream": compress,
  "TextDecoder": (data) => new TextDecoder("latin1").decode(data),
  "socket.write": (data, { port }) => send(data, port, "connected"),
  "socket.write before it is connected": (data, { port }) => send(data, port, "now"),
  "child.stdin.write": feed,
  "fetch": (data, { port }) => {
    const signal = AbortSignal.timeout(100); // the server says nothing
    return fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: data, signal });
  },
  "structuredClone": (data) => structuredClone(data),
  "Buffer.from": (data) => Buffer.from(data.buffer).toString("base64").length,
  "WebAssembly.compile": (data) => WebAssembly.compile(data),
  "Atomics.load": (data) => Atomics.load(data, 0),
  "port.postMessage": (data) => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(data);
    port1.close();
    port2.close();
  },
};

const OWN: Record<typeof HERE, Record<string, Use>> = {
  deno: {
    "Deno.writeFile": (data, { file }) => deno.writeFile(file, data),
    "file.write": async (data, { file }) => {
      using open = await deno.open(file, { write: true, create: true });
      await open.write(data);
    },
    "Deno.connect": async (data, { port }) => {
      using connection = await deno.connect({ port });
      await connection.write(data);
    },
    "Deno.UnsafePointer.of": (data) => deno.UnsafePointer.of(data),
  },
  node: {
    "Blob.stream": async (data) => {
      for await (const _ of new Blob([data]).stream()) break;
    },
    "zlib.zstdCompress": (data) => called((done) => zlib.zstdCompress(data, done)),
  },
  bun: {
    "Bun.write": (data, { file }) => bun.write(file, data),
    "Bun.file.writer": (data, { file }) => {
      const writer = bun.file(file).writer();
      writer.write(data);
      return writer.end();
    },
    "Bun.gzipSync": (data) => bun.gzipSync(data),
    "Bun.deflateSync": (data) => bun.deflateSync(data),
    "Bun.zstdCompress": (data) => bun.zstdCompress(data),
    "Bun.hash": (data) => bun.hash(data),
    "Bun.CryptoHasher": (data) => new bun.CryptoHasher("sha256").update(data).digest("hex"),
    "Bun.concatArrayBuffers": (data) => bun.concatArrayBuffers([data]),
    "Bun.spawn": (data) => bun.spawn(["cat"], { stdin: data, stdout: "ignore" }).exited,
    "Bun.serve": async (data) => {
      const server = bun.serve({ port: 0, fetch: () => new Response(data) });
      await (await fetch(`http://127.0.0.1:${server.port}/`)).arrayBuffer();
      server.stop(true);
    },
    "Bun.connect": async (data, { port }) => {
      const socket = await bun.connect({ hostname: "127.0.0.1", port, socket: { data() {}, error() {}, open() {} } });
      socket.write(data);
      socket.end();
    },
  },
};

/** By name, for titles. */
export const USES: Record<string, Use> = { ...COMMON, ...OWN[HERE] };

/**
 * Whether a use may be given a buffer that is empty a moment later. zlib looks at it a tick later in Deno and in Node,
 * and ends the process if it is empty by then; in Node so do
 * what is built on it, and a socket.
 */
export const copesWithRelease = (use: string): boolean =>
  HERE === "bun" ||
  !(use.startsWith("zlib.") || HERE === "node" && ["CompressionStream", "socket.write"].includes(use));
