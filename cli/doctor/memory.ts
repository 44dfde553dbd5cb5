/**
 * Whether there is room for frames: the shared memory, and what limits it from outside.
 *
 * @module
 */
import { accessSync, constants, readFileSync, statfsSync } from "node:fs";
import process from "node:process";
import { bytes } from "../terminal/units.ts";
import type { Finding } from "./finding.ts";

/** Where Linux keeps segments. */
export const FOLDER = "/dev/shm";
/** Ten frames of 1080p, a usual depot. */
const ONE_DEPOT = 10 * 1920 * 1080 * 3;
const ENLARGE =
  "a container gets more by `--shm-size=1g` (docker, podman) or an emptyDir of medium Memory at /dev/shm " +
  "(Kubernetes), a host by `mount -o remount,size=2g /dev/shm`";

/** Size, room and access of the shared memory. */
export function sharedMemory(): Finding {
  const check = "shared memory";
  try {
    accessSync(FOLDER, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return {
      check,
      verdict: "wrong",
      says: `${FOLDER} is missing, or this process may not write to it`,
      remedy: `mount a tmpfs there: \`mount -t tmpfs -o mode=1777 tmpfs ${FOLDER}\``,
    };
  }
  const { bsize, blocks, bavail } = statfsSync(FOLDER);
  const [total, free] = [blocks * bsize, bavail * bsize];
  const says = `${bytes(free)} of ${bytes(total)} free at ${FOLDER}`;
  if (total < 2 * ONE_DEPOT) {
    return {
      check,
      verdict: "warning",
      says: `${says}: room for ${Math.floor(total / (ONE_DEPOT / 10))} frames of 1080p`,
      remedy: ENLARGE,
    };
  }
  if (free < ONE_DEPOT) {
    return {
      check,
      verdict: "warning",
      says: `${says}: not enough for ten frames of 1080p`,
      remedy: `\`frames-depot ls\` and \`ls -l ${FOLDER}\` show what takes it; ${ENLARGE}`,
    };
  }
  return { check, verdict: "ok", says };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The folder of a control group and those above it, from a line of /proc/self/cgroup. */
function groupsUpwards(base: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return parts.map((_, index) => `${base}/${parts.slice(0, parts.length - index).join("/")}`).concat(base);
}

/**
 * The smallest memory limit of the control groups that this process is in, version 1 and 2.
 *
 * @param root where /proc and /sys are
 * @returns bytes; undefined where there is none
 */
export function memoryLimit(root: string = ""): number | undefined {
  const limits = (read(`${root}/proc/self/cgroup`) ?? "").split("\n").flatMap((line) => {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const [base, file] = controllers === ""
      ? [`${root}/sys/fs/cgroup`, "memory.max"]
      : [`${root}/sys/fs/cgroup/memory`, "memory.limit_in_bytes"];
    if (controllers !== "" && !controllers.split(",").includes("memory")) return [];
    return groupsUpwards(base, path).map((folder) => Number(read(`${folder}/${file}`)));
  });
  // Version 1 writes "no limit" as the greatest number of pages.
  const real = limits.filter((limit) => limit > 0 && limit < 2 ** 60);
  return real.length === 0 ? undefined : Math.min(...real);
}

/** Shared memory counts as memory of its first user: a lower limit kills processes before the shared memory is full. */
export function containerLimit(): Finding {
  const check = "memory limit";
  const limit = memoryLimit();
  if (limit === undefined) return { check, verdict: "ok", says: "no control group limits this process" };
  const { bsize, blocks } = statfsSync(FOLDER);
  const total = blocks * bsize;
  if (limit >= total) return { check, verdict: "ok", says: `${bytes(limit)}, above the size of the shared memory` };
  return {
    check,
    verdict: "warning",
    says:
      `${bytes(limit)} for the control group, less than the ${bytes(total)} of shared memory, which counts towards ` +
      "it; processes are killed before `create` fails with NO_SPACE",
    remedy: "raise the limit (`--memory`, resources.limits.memory), or keep the depots well below it",
  };
}

/** Limits of the process that depots run into. */
export function processLimits(): Finding {
  const check = "process limits";
  const limits = read("/proc/self/limits") ?? "";
  const soft = (name: string) => {
    const value = new RegExp(`^${name}\\s+(\\S+)`, "m").exec(limits)?.[1];
    return value === undefined || value === "unlimited" ? Infinity : Number(value);
  };
  const files = soft("Max open files");
  if (files < 256) {
    return {
      check,
      verdict: "warning",
      says: `${files} open files, fewer than 256; each depot object takes one`,
      remedy: "`ulimit -n 1024` raises the limit",
    };
  }
  for (const [name, option] of [["Max file size", "-f"], ["Max address space", "-v"]]) {
    if (soft(name) < 4 * ONE_DEPOT) {
      return {
        check,
        verdict: "warning",
        says: `${name.slice(4)} is limited to ${bytes(soft(name))}, less than ${bytes(4 * ONE_DEPOT)}`,
        remedy: `\`ulimit ${option} unlimited\` removes the limit`,
      };
    }
  }
  return {
    check,
    verdict: "ok",
    says: `${Number.isFinite(files) ? files : "any number of"} open files, no limit on file size or addresses`,
  };
}

/** Everything about room. */
export function memoryFindings(): Finding[] {
  return process.platform === "linux" ? [sharedMemory(), containerLimit(), processLimits()] : [];
}
