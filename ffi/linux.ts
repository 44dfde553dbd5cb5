/**
 * Loading on Linux: from an anonymous memory file, which touches no disk, by the C library that this process runs on.
 *
 * The C library is asked for by the name that it has itself ("libc.so.6", which musl answers to as well). It is loaded
 * already, so the dynamic linker searches no folder for it. The same holds for ours when another thread has loaded it.
 * musl knows no library by a name of its own, but takes the same file for the same library: there the memory file stays
 * open, and other threads look for it.
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
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  lseek: { parameters: ["i32", "usize", "i32"], result: "i32" },
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

/** Descriptors from 0 on among which an open memory file is looked for. */
const DESCRIPTORS = 1024;
const SEEK_END = 2;
/** Looks whether another thread has written its file to the end, before this one takes its own. */
const SIZE_TRIES = 2000;

const cString = (text: string) => new TextEncoder().encode(`${text}\0`);

const pathOf = (file: number): string => `/proc/self/fd/${file}`;

/** What a memory file is called. */
const titleOf = (content: string): string => `frames-depot-${content}`;

/** The functions of the process's C library that loading needs. */
export class Libc {
  readonly #backend: Backend;
  readonly #libc: Functions<typeof LIBC>;
  #isMusl: boolean | undefined;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#libc = backend.load("libc.so.6", LIBC);
  }

  /** Whether this process runs on musl, by what it has mapped; false where /proc is not there to tell. */
  get isMusl(): boolean {
    return this.#isMusl ??= /\/ld-musl-|\/libc\.musl-/.test(this.#textOf("/proc/self/maps"));
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
   * What a library is loaded by that another thread has loaded; undefined where none has. Only then may it be asked for
   * by name: otherwise folders would be searched, in Bun also the working directory.
   *
   * @param content names what its memory file holds
   */
  loaded(soname: string, content: string): string | undefined {
    if (this.isMusl) {
      const file = this.#openMemoryFile(content);
      return file === undefined ? undefined : pathOf(file);
    }
    try {
      const { dlopen } = this.#backend.load("libc.so.6", DLOPEN);
      return dlopen(cString(soname), IF_LOADED) ? soname : undefined;
    } catch {
      return undefined; // the C library keeps `dlopen` elsewhere (glibc < 2.34)
    }
  }

  #openMemoryFile(content: string): number | undefined {
    const expected = `/memfd:${titleOf(content)} (deleted)`;
    const target = new Uint8Array(expected.length + 1);
    for (let file = 0; file < DESCRIPTORS; file++) {
      const length = this.#libc.readlink(cString(pathOf(file)), target, target.length);
      if (length > 0 && new TextDecoder().decode(target.subarray(0, length)) === expected) return file;
    }
    return undefined;
  }

  /**
   * Calls back with a path to an anonymous file that holds `bytes`. The file is closed afterwards, unless this is musl.
   *
   * @param content names what it holds
   * @param id tells this content from others. The dynamic linker takes two paths of the same letters for the same
   *   library, and a descriptor's number is soon used again: so the path is spelt in its own way.
   * @throws {Error} where the system refuses, with the call and its error
   */
  withMemoryFile<T>(bytes: Uint8Array, content: string, id: number, use: (path: string) => T): T {
    const file = this.#memoryFile(content);
    let isUsed = false;
    try {
      for (let at = 0; at < bytes.length;) {
        const written = this.#libc.write(file, bytes.subarray(at), bytes.length - at);
        if (written <= 0) throw this.#refused("write");
        at += written;
      }
      const other = this.isMusl ? this.#openMemoryFile(content) : file;
      if (other !== undefined && other !== file && this.#isWhole(other, bytes.length)) return use(pathOf(other));
      const result = use(`/proc/self/fd/${"./".repeat(id)}${file}`);
      isUsed = true;
      return result;
    } finally {
      if (!isUsed || !this.isMusl) this.#libc.close(file);
    }
  }

  /** Whether another thread, which began at the same time, has written its file. */
  #isWhole(file: number, size: number): boolean {
    for (let tries = 0; tries < SIZE_TRIES; tries++) if (this.#libc.lseek(file, 0, SEEK_END) === size) return true;
    return false;
  }

  #memoryFile(content: string): number {
    const create = this.#backend.load("libc.so.6", MEMFD).memfd_create; // not in glibc before 2.27
    for (const flags of MEMORY_FILE_FLAGS) {
      const file = create(cString(titleOf(content)), flags);
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
