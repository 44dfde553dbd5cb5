/**
 * Files and pipes by their descriptors. Bytes go straight between the system and the array that is given, which may
 * be a slot of a depot: nothing is copied on the way.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { EXIT, Failure } from "../failure.ts";

/** Another process may have made a pipe non-blocking: then it is asked again after this time. */
const AGAIN_MS = 2;

/** Waits for bytes, and reads up to `into.length` of them. @returns how many; 0 at the end */
export function readSome(fd: number, into: Uint8Array, position: number | null = null): Promise<number> {
  return new Promise((resolve, reject) => {
    const read = () => {
      fs.read(fd, into, 0, into.length, position, (error, count) => {
        if (error?.code === "EAGAIN") setTimeout(read, AGAIN_MS);
        else if (error) reject(error);
        else resolve(count);
      });
    };
    read();
  });
}

/** Reads what is there, of a pipe that does not wait. @returns 0 where nothing is, and at the end */
export function readNow(fd: number, into: Uint8Array): number {
  try {
    return fs.readSync(fd, into, 0, into.length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}

/** Reads until `into` is full or there is no more. @returns how many bytes were read */
export async function readFully(fd: number, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const count = await readSome(fd, into.subarray(filled), position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** The most bytes that a file of this process may have (RLIMIT_FSIZE), once it is known. */
let mostBytes: number | undefined;

/** Refuses what is larger than the limit of files, as the system does. Deno would be killed by SIGXFSZ instead. */
function refuseTooLarge(fd: number, bytes: number, position: number | null): void {
  if (!("Deno" in globalThis) || process.platform !== "linux") return;
  mostBytes ??= Number(/^Max file size +(\d+)/m.exec(fs.readFileSync("/proc/self/limits", "utf8"))?.[1] ?? Infinity);
  if (mostBytes === Infinity) return;
  const found = fs.fstatSync(fd);
  if (!found.isFile() || (position ?? found.size) + bytes <= mostBytes) return;
  throw Object.assign(new Error(`the limit of file sizes is ${mostBytes} bytes`), { code: "EFBIG" });
}

/** Writes all bytes. @param position where in the file; `null` for pipes, which have none */
export async function writeFully(fd: number, bytes: Uint8Array, position: number | null = null): Promise<void> {
  refuseTooLarge(fd, bytes.length, position);
  for (let done = 0; done < bytes.length;) {
    const rest = done === 0 ? bytes : bytes.subarray(done);
    done += await new Promise<number>((resolve, reject) => {
      const at = position === null ? null : position + done;
      fs.write(fd, rest, 0, rest.length, at, (error, count) => {
        if (error?.code === "EAGAIN") setTimeout(resolve, AGAIN_MS, 0);
        else if (error) reject(error);
        else resolve(count);
      });
    });
  }
}

/**
 * A pipe between this process and one that it starts. (Runtimes offer only streams, which copy every byte.) It has no
 * name any more when this returns.
 *
 * @throws {Failure} where the system has no named pipes
 */
export function makePipe(): { readFd: number; writeFd: number } {
  const folder = fs.mkdtempSync(join(tmpdir(), "frames-depot-"));
  try {
    const path = join(folder, "pipe");
    const made = spawnSync("mkfifo", ["-m", "600", path], { encoding: "utf8" });
    if (made.status !== 0) {
      throw new Failure(`cannot make a pipe with mkfifo: ${made.error?.message ?? made.stderr.trim()}`, EXIT.system);
    }
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
    // Opening one end waits for the other, so the first one is opened without waiting, and closed at the end.
    const opener = fs.openSync(path, O_RDONLY | O_NONBLOCK);
    const writeFd = fs.openSync(path, O_WRONLY);
    const readFd = fs.openSync(path, O_RDONLY);
    fs.closeSync(opener);
    return { readFd, writeFd };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * Opens a pipe once more, with flags of its own: those of standard input and output are shared with other processes,
 * and runtimes change them.
 *
 * @returns undefined for what is no pipe, and where the system has no such way
 */
export function reopenPipe(fd: number, flags: number): number | undefined {
  try {
    return fs.fstatSync(fd).isFIFO() ? fs.openSync(`/proc/self/fd/${fd}`, flags) : undefined;
  } catch {
    return undefined;
  }
}
