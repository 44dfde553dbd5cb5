/**
 * Whether there is room for frames: the shared memory, and every limit that `create` looks at.
 *
 * @module
 */
import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import process from "node:process";
import { type DepotLimit, FramesDepot } from "../../mod.ts";
import type { Finding } from "./finding.ts";

/** Where Linux keeps segments. */
export const FOLDER = "/dev/shm";
/** Ten frames of 1080p, a usual depot. */
const ONE_DEPOT = 10 * 1920 * 1080 * 3;
const FRAME = ONE_DEPOT / 10;
/** Fewer free files than this are a warning. */
const FEW_FILES = 8;
/** Fewer descriptors than this are a warning. */
const FEW_DESCRIPTORS = 256;
/** The numbers by which statfs tells file systems of memory. */
const TMPFS = 0x01021994, RAMFS = 0x858458f6;

const MOUNT = `mount a tmpfs there: \`mount -t tmpfs -o mode=1777 tmpfs ${FOLDER}\``;
const READ_ONLY: [says: string, remedy: string] = [
  `${FOLDER} is read-only`,
  `\`mount -o remount,rw ${FOLDER}\` changes it`,
];

/** Whether a folder is mounted read-only, which a check of permissions does not tell root. */
function isReadOnly(): boolean {
  try {
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n").map((line) => line.split(" "));
    return lines.findLast((fields) => fields[4] === FOLDER)?.[5].split(",").includes("ro") ?? false;
  } catch {
    return false;
  }
}

/** Why nothing can be written there, and what helps; undefined where it can. */
function unusable(): [says: string, remedy: string] | undefined {
  try {
    accessSync(FOLDER, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [`${FOLDER} is missing`, MOUNT];
    if (code === "EROFS") return READ_ONLY;
    return [`this process may not write to ${FOLDER} (${code})`, `\`chmod 1777 ${FOLDER}\` lets all users in`];
  }
  return isReadOnly() ? READ_ONLY : undefined;
}

/** Whether the folder is there, for this process, and in memory. */
function folder(): Finding {
  const check = "shared memory";
  const why = unusable();
  if (why !== undefined) {
    return { id: "shared-memory-missing", check, verdict: "wrong", says: why[0], remedy: why[1] };
  }
  const { type } = statfsSync(FOLDER);
  if (type !== TMPFS) {
    const says = type === RAMFS
      ? `${FOLDER} is a ramfs, not a tmpfs: no memory can be allocated there before it is used`
      : `${FOLDER} is on a disk or another file system, not on a tmpfs: frames are written to it, now and then`;
    return { id: "shared-memory-on-disk", check, verdict: "warning", says, remedy: MOUNT };
  }
  return { id: "shared-memory", check, verdict: "ok", says: `a file system of memory at ${FOLDER}` };
}

/** What each limit is called, and from when on there is little left. */
const LIMITS: Record<DepotLimit["kind"], { check: string; little: number }> = {
  fileSystem: { check: "room", little: ONE_DEPOT },
  inodes: { check: "files", little: FEW_FILES },
  quota: { check: "quota", little: ONE_DEPOT },
  group: { check: "memory limit", little: ONE_DEPOT },
  file: { check: "file size", little: ONE_DEPOT },
  addresses: { check: "addresses", little: ONE_DEPOT },
  memory: { check: "memory", little: ONE_DEPOT },
};

/** What one limit leaves. */
export function limitFinding({ kind, left, says, remedy }: DepotLimit): Finding {
  const { check, little } = LIMITS[kind];
  const id = `limit-${kind.replace("S", "-s")}`;
  if (left >= little) return { id, check, verdict: "ok", says };
  const room = kind === "inodes" ? says : `${says}: room for ${Math.floor(left / FRAME)} frames of 1080p`;
  return { id, check, verdict: "warning", says: room, remedy };
}

function descriptors(): Finding {
  const id = "limit-descriptors", check = "open files";
  let limits = "";
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // without /proc there is nothing to say
  }
  const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Infinity);
  if (most >= FEW_DESCRIPTORS) {
    return { id, check, verdict: "ok", says: `${Number.isFinite(most) ? most : "any number"} at a time` };
  }
  return {
    id,
    check,
    verdict: "warning",
    says: `${most} at a time, fewer than ${FEW_DESCRIPTORS}; each depot object takes one`,
    remedy: "`ulimit -n 1024`, LimitNOFILE= (systemd) or --ulimit nofile (docker) raises the limit",
  };
}

/** The limits that the library tells, and those it does not. */
function limits(): Finding[] {
  const told = FramesDepot.limits();
  const without = told.some(({ kind }) => kind === "group")
    ? []
    : [{ id: "limit-group", check: "memory limit", verdict: "ok" as const, says: "no control group has one" }];
  return [...told.map(limitFinding), ...without];
}

/** Everything about room. @param works whether the native library can be asked */
export function memoryFindings(works: boolean): Finding[] {
  const linux = process.platform === "linux";
  return [...linux ? [folder()] : [], ...works ? limits() : [], ...linux ? [descriptors()] : []];
}
