/**
 * Loading on Linux: from an anonymous memory file, which touches no disk, by the C library that this process runs on.
 *
 * The C library is asked for by the name that it has itself ("libc.so.6", which musl answers to as well). It is loaded
 * already, so the dynamic linker searches no folder for it. The same holds for ours when another thread has loaded it.
 *
 * @module
 */
import type { Backend } from "./backend.ts";
import { errnoName } from "./constants.ts";
import type { Functions } from "./symbols.ts";

const LIBC = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  geteuid: { parameters: [], result: "u32" },
  __errno_location: { parameters: [], result: "pointer" },
  memcpy: { parameters: ["buffer", "pointer", "usize"], result: "pointer" },
} as const;
const MEMFD = { memfd_create: { parameters: ["buffer", "u32"], result: "i32" } } as const;
const DLOPEN = { dlopen: { parameters: ["buffer", "i32"], result: "pointer" } } as const;

/** `MFD_CLOEXEC | MFD_EXEC`, and the first alone for kernels before 6.3, which refuse the second. */
const MEMORY_FILE_FLAGS: readonly number[] = [0x1 | 0x10, 0x1];
/** `O_CLOEXEC`, the same on every architecture that there are binaries for. */
const CLOSE_ON_EXEC = 0o2000000;
/** `RTLD_LAZY | RTLD_NOLOAD`. */
const IF_LOADED = 1 | 4;

const cString = (text: string) => new TextEncoder().encode(`${text}\0`);

/** The functions of the process's C library that loading needs. */
export class Libc {
  readonly #backend: Backend;
  readonly #libc: Functions<typeof LIBC>;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#libc = backend.load("libc.so.6", LIBC);
  }

  /** Whether this process runs on musl, by what it has mapped; false where /proc is not there to tell. */
  isMusl(): boolean {
    return /\/ld-musl-|\/libc\.musl-/.test(this.#textOf("/proc/self/maps"));
  }

  /** The id of this process's user. */
  user(): number {
    return this.#libc.geteuid();
  }

  #textOf(path: string): string {
    const file = this.#libc.open(cString(path), CLOSE_ON_EXEC);
    if (file < 0) return "";
    const decoder = new TextDecoder();
    const part = new Uint8Array(64 * 1024);
    let text = "";
    for (let length; (length = this.#libc.read(file, part, part.length)) > 0;) {
      text += decoder.decode(part.subarray(0, length), { stream: true });
    }
    this.#libc.close(file);
    return text;
  }

  /**
   * Whether a library of that name is loaded already. Only then may it be asked for by name: otherwise folders would be
   * searched, in Bun also the working directory. False also where the C library keeps `dlopen` elsewhere (glibc <
   * 2.34).
   */
  isLoaded(soname: string): boolean {
    try {
      const { dlopen } = this.#backend.load("libc.so.6", DLOPEN);
      return Boolean(dlopen(cString(soname), IF_LOADED));
    } catch {
      return false;
    }
  }

  /**
   * Calls back with a path to an anonymous file that holds `bytes`; the file is closed afterwards.
   *
   * @param id tells this content from others. The dynamic linker takes two paths of the same letters for the same
   *   library, and a descriptor's number is soon used again: so the path is spelt in its own way.
   * @throws {Error} where the system refuses, with the call and its error
   */
  withMemoryFile<T>(bytes: Uint8Array, id: number, use: (path: string) => T): T {
    const file = this.#memoryFile();
    try {
      for (let at = 0; at < bytes.length;) {
        const written = this.#libc.write(file, bytes.subarray(at), bytes.length - at);
        if (written <= 0) throw this.#refused("write");
        at += written;
      }
      return use(`/proc/self/fd/${"./".repeat(id)}${file}`);
    } finally {
      this.#libc.close(file);
    }
  }

  #memoryFile(): number {
    const create = this.#backend.load("libc.so.6", MEMFD).memfd_create; // not in glibc before 2.27
    for (const flags of MEMORY_FILE_FLAGS) {
      const file = create(cString("frames-depot"), flags);
      if (file >= 0) return file;
    }
    throw this.#refused("memfd_create");
  }

  #refused(call: string): Error {
    const errno = new Uint32Array(1);
    this.#libc.memcpy(errno, this.#libc.__errno_location(), errno.byteLength);
    return new Error(`the system refuses ${call} (${errnoName(errno[0])})`);
  }
}
