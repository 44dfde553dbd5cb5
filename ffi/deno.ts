/**
 * The Deno backend: `Deno.dlopen`, and `nonblocking` calls to sleep without blocking the event loop.
 *
 * @module
 */
import { type Backend, type Library, MEMORY_FILE_FLAGS, type Wait } from "./backend.ts";
import { type Native, type Pointer, SYMBOLS } from "./symbols.ts";

type Waiting = {
  fd_wait_beside(...parameters: [Pointer, Pointer, number, number, number, number]): Promise<number>;
};

function load(path: string): Library {
  const symbols = Deno.dlopen(path, {
    ...SYMBOLS,
    fd_wait_beside: { ...SYMBOLS.fd_wait, name: "fd_wait", nonblocking: true },
  } as Deno.ForeignLibraryInterface).symbols as unknown as Native & Waiting;
  return {
    native: symbols,
    async wait({ segment, word, lane, peer, expected, timeoutMs }: Wait): Promise<void> {
      await symbols.fd_wait_beside(segment, word, lane, peer, expected, timeoutMs);
    },
  };
}

function memoryFile(libc: string, bytes: Uint8Array): string | undefined {
  const { symbols } = Deno.dlopen(libc, {
    memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  });
  const name = new TextEncoder().encode("frames-depot\0");
  for (const flags of MEMORY_FILE_FLAGS) {
    const file = symbols.memfd_create(name, flags);
    if (file < 0) continue;
    const written = symbols.write(file, bytes as Uint8Array<ArrayBuffer>, BigInt(bytes.length));
    return written === BigInt(bytes.length) ? `/proc/self/fd/${file}` : undefined;
  }
  return undefined;
}

/** Deno's way of calling C. */
export const denoBackend: Backend = {
  runtime: "deno",
  get os() {
    return Deno.build.os;
  },
  get arch() {
    return Deno.build.arch;
  },
  env(name) {
    const state = Deno.permissions.querySync({ name: "env", variable: name }).state;
    return state === "granted" ? Deno.env.get(name) : undefined;
  },
  load,
  memoryFile,
  pointer(address) {
    return Deno.UnsafePointer.create(address) as unknown as Pointer;
  },
  onExit(listener) {
    // Not process.on("exit"), which Deno.exit() passes by.
    globalThis.addEventListener("unload", listener);
  },
  unref(timer) {
    Deno.unrefTimer(timer);
  },
  ballastBytes: 0,
  view(base, offset, byteLength) {
    return Deno.UnsafePointerView.getArrayBuffer(
      base as unknown as Deno.PointerObject,
      byteLength,
      offset,
    );
  },
};
