/**
 * From the system's error numbers to errors that say what was tried, why it failed, and what helps.
 *
 * @module
 */
import { DepotError, type DepotErrorCode } from "../errors.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Space } from "../ffi/shim.ts";
import type { Layout } from "./geometry.ts";

/** What is known in addition to the number. */
export type FailureContext = { layout?: Layout; space?: Space };

const CODES: Record<number, [DepotErrorCode, string]> = {
  [ERRNO.ENOENT]: ["NOT_FOUND", "there is none"],
  [ERRNO.EEXIST]: ["EXISTS", "the name is taken"],
  [ERRNO.EPERM]: ["PERMISSION", "the system does not permit it"],
  [ERRNO.EACCES]: ["PERMISSION", "the system does not permit it"],
  [ERRNO.ELOOP]: ["INCOMPATIBLE", "a symbolic link has its name, which is never followed"],
  [ERRNO.EISDIR]: ["INCOMPATIBLE", "a directory has its name"],
  [ERRNO.ENOTSUP]: ["INCOMPATIBLE", "something that is not a file has its name"],
  [ERRNO.EMFILE]: ["UNSUPPORTED", "this process has too many open files"],
  [ERRNO.ENOMEM]: ["NO_SPACE", "the system is out of memory"],
};

/** Bytes as people read them: two digits after the point below 10, one above. */
export function megabytes(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "GB"] : bytes >= 1e6 ? [bytes / 1e6, "MB"] : [bytes / 1e3, "kB"];
  return `${value.toFixed(1)} ${unit}`;
}

function noSpace(context: FailureContext): string {
  const { layout, space } = context;
  if (layout === undefined || space === undefined) return "there is not enough shared memory";
  const memoryIsLess = space.memory >= 0 && (space.free < 0 || space.memory < space.free);
  const needed = `${megabytes(layout.totalBytes)} are needed`;
  return memoryIsLess
    ? `${needed} where ${megabytes(space.memory)} of memory are available; a smaller maxSize or frame needs less`
    : `${needed} where ${megabytes(Math.max(0, space.free))} of ${
      megabytes(space.total)
    } of shared memory are free; a container gets more by --shm-size (docker, podman) or an emptyDir of medium Memory ` +
      "at /dev/shm (Kubernetes), a host by `mount -o remount,size=… /dev/shm`, and a smaller maxSize needs less";
}

/**
 * The error that a negative number of the shim stands for.
 *
 * @param what what was tried: messages begin with `cannot <what> depot "x"`
 * @param answer -errno
 */
export function failure(what: string, name: string, answer: number, context: FailureContext = {}): DepotError {
  const errno = -answer;
  if (errno === ERRNO.ENOSPC) {
    return new DepotError("NO_SPACE", `cannot ${what} depot "${name}": ${noSpace(context)}`, { depot: name, errno });
  }
  const [code, why] = CODES[errno] ?? ["UNSUPPORTED", "the system refuses"];
  return new DepotError(code, `cannot ${what} depot "${name}": ${why} (errno ${errno})`, { depot: name, errno });
}

/** Throws a {@linkcode failure}. */
export function fail(...failed: Parameters<typeof failure>): never {
  throw failure(...failed);
}

/** Throws why depots cannot be listed. @param answer -errno */
export function failToList(answer: number): never {
  const errno = -answer;
  const [code, why] = errno === ERRNO.ENOENT
    ? ["UNSUPPORTED", "the folder of shared memory is missing"] as const
    : CODES[errno] ?? ["UNSUPPORTED", "the system refuses"];
  throw new DepotError(code, `cannot list depots: ${why} (errno ${errno})`, { errno });
}
