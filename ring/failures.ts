/**
 * From the system's error numbers to errors that say what was tried, why it failed, and what helps.
 *
 * @module
 */
import { DepotError, type DepotErrorCode } from "../errors.ts";
import { CALL, ERRNO, errnoName } from "../ffi/constants.ts";
import { loadShim } from "../ffi/load.ts";
import type { Segment, SegmentInfo } from "../ffi/segment.ts";
import type { Layout } from "./geometry.ts";
import { leftOf, megabytes, shortOf, SMALLER } from "./limits.ts";

export { megabytes };

/** What is known in addition to the number: what would have been made. */
export type FailureContext = { layout?: Layout };

type Why = [code: DepotErrorCode, why: string, remedy: string];

const FILES =
  "close what is not needed, or raise the limit: `ulimit -n`, LimitNOFILE= (systemd), --ulimit nofile (docker)";
const REMOVE = "`frames-depot rm --force` removes it; or choose another name";
const TMPFS = "shared memory has to be a tmpfs: `mount -t tmpfs -o mode=1777 tmpfs /dev/shm`";

const REASONS: Record<number, Why> = {
  [ERRNO.ENOENT]: ["NOT_FOUND", "there is none", "`frames-depot ls` shows what is there"],
  [ERRNO.EEXIST]: ["EXISTS", "the name is taken", "choose another name, or use createOrOpen() to join it"],
  [ERRNO.ELOOP]: ["INCOMPATIBLE", "a symbolic link has its name, which is never followed", REMOVE],
  [ERRNO.EISDIR]: ["INCOMPATIBLE", "a directory has its name", "remove it with `rmdir`, or choose another name"],
  [ERRNO.ENOTSUP]: ["INCOMPATIBLE", "something that is not a file has its name", REMOVE],
  [ERRNO.EMFILE]: ["UNSUPPORTED", "this process has as many open files as it may have", FILES],
  [ERRNO.ENFILE]: ["UNSUPPORTED", "the system has as many open files as it may have", "`sysctl fs.file-max` raises it"],
  [ERRNO.EROFS]: ["UNSUPPORTED", "/dev/shm is mounted read-only", "`mount -o remount,rw /dev/shm` changes it"],
};

const REFUSED: Why = ["UNSUPPORTED", "the system refuses", "`frames-depot doctor` looks for what this machine lacks"];

/** What the system lacks when it refuses a call, and what helps. */
const CALLS: Record<number, [call: string, lacks: string, remedy: string]> = {
  [CALL.FOLDER]: ["open", "the folder of shared memory is missing", TMPFS],
  [CALL.MAKE]: ["open with O_CREAT", "no file can be made in the folder of shared memory", TMPFS],
  [CALL.ALLOCATE]: [
    "fallocate",
    "memory cannot be allocated for good, and a write could kill the process",
    "the file system has to know it, as tmpfs does, and a filter of system calls (seccomp) has to let it pass",
  ],
  [CALL.MODE]: ["fchmod", "the segment cannot be given its mode", TMPFS],
  [CALL.LINK]: [
    "linkat",
    "a finished segment cannot be given its name in one step",
    "a filter of system calls (seccomp) has to let it pass",
  ],
  [CALL.LOCK]: [
    "fcntl with F_OFD_SETLK",
    "there are no locks of open files here, which prove that a process lives",
    "they need Linux 3.15, a tmpfs at /dev/shm, and a sandbox or filter of system calls that knows them (WSL 1 does not)",
  ],
};

const OUT_OF_ROOM: readonly number[] = [ERRNO.ENOSPC, ERRNO.EDQUOT, ERRNO.EFBIG, ERRNO.ENOMEM];
const FORBIDDEN: readonly number[] = [ERRNO.EPERM, ERRNO.EACCES];

const octal = (mode: number) => `0${mode.toString(8)}`;

/** Users of a segment, for refusals. */
export function usersOf({ owner, self, mode }: SegmentInfo): string {
  const user = self < 0
    ? "this process is a user whom this user namespace shows by the same id as strangers"
    : `this process is user ${self}`;
  return `it belongs to user ${owner} and has mode ${octal(mode)}, ${user}`;
}

/** @param errno EACCES: it may not be opened. EPERM: it may, and not be removed */
function forbidden(name: string, call: number, errno: number): Why {
  const info = loadShim().nameInfo(call === CALL.MAKE ? "" : name);
  if (typeof info === "number") return ["PERMISSION", "the system does not permit it", REFUSED[2]];
  const users = usersOf(info);
  if (call === CALL.MAKE) {
    const folder = users.replace(/^it/, "the folder of shared memory");
    return ["PERMISSION", folder, "`chmod 1777 /dev/shm` lets all in"];
  }
  const remove = "its owner or root removes it, by `frames-depot rm`";
  if (errno === ERRNO.EPERM) return ["PERMISSION", users, remove];
  return ["PERMISSION", users, `its owner can make it with a \`mode\` that lets this user read and write; ${remove}`];
}

function outOfRoom(errno: number, call: number, { layout }: FailureContext): Why {
  const limits = loadShim().limits();
  const short = layout && shortOf(layout.totalBytes, limits);
  if (short !== undefined) return ["NO_SPACE", ...short];
  const needed = layout === undefined ? "memory" : megabytes(layout.totalBytes);
  const what = errno === ERRNO.EDQUOT
    ? "a quota of this user at /dev/shm is used up"
    : `the system has no ${needed} left`;
  const why = `${what}${CALLS[call] === undefined ? "" : ` (${CALLS[call][0]})`}`;
  return ["NO_SPACE", `${why}, while of the limits that can be read ${limits.map(leftOf).join(", ")}`, SMALLER];
}

function why(name: string, errno: number, call: number, context: FailureContext): Why {
  if (OUT_OF_ROOM.includes(errno)) return outOfRoom(errno, call, context);
  if (FORBIDDEN.includes(errno) && (call === 0 || errno === ERRNO.EACCES)) return forbidden(name, call, errno);
  if (CALLS[call] !== undefined && (call !== CALL.MAKE || REASONS[errno] === undefined)) {
    const [refused, lacks, remedy] = CALLS[call];
    return ["UNSUPPORTED", `${refused} is refused: ${lacks}`, remedy];
  }
  return REASONS[errno] ?? REFUSED;
}

/**
 * The error that a negative number of the shim stands for.
 *
 * @param what what was tried: messages begin with `cannot <what> depot "x"`
 * @param answer -errno, perhaps with the call that failed
 */
export function failure(what: string, name: string, answer: number, context: FailureContext = {}): DepotError {
  const errno = -answer % CALL.STEP;
  const [code, because, remedy] = why(name, errno, Math.floor(-answer / CALL.STEP), context);
  return new DepotError(code, `cannot ${what} depot "${name}": ${because} (${errnoName(errno)})`, {
    depot: name,
    errno,
    remedy,
  });
}

/** Throws a {@linkcode failure}. */
export function fail(...failed: Parameters<typeof failure>): never {
  throw failure(...failed);
}

/** Throws why depots cannot be listed. @param answer -errno */
export function failToList(answer: number): never {
  const errno = -answer;
  const [code, because, remedy] = whyNotListed(errno);
  throw new DepotError(code, `cannot list depots: ${because} (${errnoName(errno)})`, { errno, remedy });
}

function whyNotListed(errno: number): Why {
  const [, missing, remedy] = CALLS[CALL.FOLDER];
  if (errno === ERRNO.ENOENT) return ["UNSUPPORTED", missing, remedy];
  return FORBIDDEN.includes(errno) ? forbidden("", CALL.MAKE, errno) : REASONS[errno] ?? REFUSED;
}

/**
 * Takes a lock of a segment.
 *
 * @returns false when another description has it @throws {DepotError} UNSUPPORTED where the system has no such locks
 */
export function takeLock(segment: Segment, index: number): boolean {
  const answer = segment.lock(index);
  return answer < 0 ? fail("lock", segment.depot, answer) : answer === 1;
}
