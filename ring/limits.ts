/**
 * What limits the size of a segment, as far as the system says: one answer for `create` and for programs that ask
 * before.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Limit, LimitKind } from "../ffi/shim.ts";

/** Bytes as people read them. */
export function megabytes(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "GB"] : bytes >= 1e6 ? [bytes / 1e6, "MB"] : [bytes / 1e3, "kB"];
  return `${value.toFixed(1)} ${unit}`;
}

/** What is left of each limit, in words, and what raises it. */
const LIMITS: Record<LimitKind, { errno: number; left: (left: string, whole: string) => string; remedy: string }> = {
  fileSystem: {
    errno: ERRNO.ENOSPC,
    left: (left, whole) => `${left} of ${whole} of shared memory are left`,
    remedy: "a container gets more by --shm-size (docker, podman) or an emptyDir of medium Memory at /dev/shm " +
      "(Kubernetes), a host by `mount -o remount,size=… /dev/shm`",
  },
  inodes: {
    errno: ERRNO.ENOSPC,
    left: (left, whole) => `${left} of ${whole} files (inodes) at /dev/shm are left`,
    remedy: "`ls -A /dev/shm` shows what takes them, `mount -o remount,nr_inodes=… /dev/shm` gives more",
  },
  quota: {
    errno: ERRNO.EDQUOT,
    left: (left, whole) => `${left} of ${whole} of this user's quota at /dev/shm are left`,
    remedy: "an administrator raises it with `setquota`, or by usrquota_block_hardlimit when mounting",
  },
  group: {
    errno: ERRNO.ENOMEM,
    left: (left, whole) => `${left} of ${whole} of memory are left to this control group, and more kills its processes`,
    remedy: "--memory (docker, podman), resources.limits.memory (Kubernetes) or MemoryMax= (systemd) raises it",
  },
  file: {
    errno: ERRNO.EFBIG,
    left: (_, whole) => `a file of this process may have ${whole} (RLIMIT_FSIZE)`,
    remedy: "`ulimit -f unlimited`, or LimitFSIZE=infinity (systemd), removes the limit",
  },
  addresses: {
    errno: ERRNO.ENOMEM,
    left: (left, whole) => `${left} of ${whole} of addresses are left to this process (RLIMIT_AS)`,
    remedy: "`ulimit -v unlimited`, or LimitAS=infinity (systemd), removes the limit",
  },
  memory: {
    errno: ERRNO.ENOSPC,
    left: (left, whole) => `${left} of ${whole} of the machine's memory are available`,
    remedy: "`frames-depot ls` shows the depots that take some",
  },
};

const needOf = (kind: LimitKind, bytes: number) => kind === "inodes" ? 1 : bytes;

/** The limit that is furthest from what a segment needs; undefined where all leave room. */
export function tightest(bytes: number, limits: readonly Limit[]): Limit | undefined {
  const share = ({ kind, left }: Limit) => left / needOf(kind, bytes);
  return limits.filter((limit) => share(limit) < 1).sort((a, b) => share(a) - share(b))[0];
}

/** What is left of a limit, in words. */
export function leftOf({ kind, left, whole }: Limit): string {
  const text = kind === "inodes" ? String : megabytes;
  return LIMITS[kind].left(text(left), text(whole));
}

/** What raises a limit. */
export const remedyOf = (kind: LimitKind): string => LIMITS[kind].remedy;

/** What helps wherever bytes are short. */
export const SMALLER = "a smaller maxSize or frame needs less";

/** Which limit has no room for a segment, and what helps, in words. @returns undefined where all have */
export function shortOf(bytes: number, limits: readonly Limit[]): [why: string, remedy: string] | undefined {
  const limit = tightest(bytes, limits);
  if (limit === undefined) return undefined;
  const raise = remedyOf(limit.kind);
  return limit.kind === "inodes"
    ? [`one more file is needed where ${leftOf(limit)}`, raise]
    : [`${megabytes(bytes)} are needed where ${leftOf(limit)}`, `${raise}; ${SMALLER}`];
}

/** Whether there is room for a segment. @returns why not */
export function refuseSize(name: string, bytes: number, limits: readonly Limit[]): DepotError | undefined {
  const short = shortOf(bytes, limits);
  if (short === undefined) return undefined;
  const [why, remedy] = short;
  const { errno } = LIMITS[tightest(bytes, limits)!.kind];
  return new DepotError("NO_SPACE", `cannot create depot "${name}": ${why}`, { depot: name, errno, remedy });
}
