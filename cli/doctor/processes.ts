/**
 * Which processes have which segments mapped, as /proc tells it. Only those of this user, unless it is root.
 *
 * @module
 */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import process from "node:process";
import { FOLDER } from "./memory.ts";

/** A process that has a segment mapped. */
export type Mapper = {
  pid: number;
  /** Its id in its own pid namespace, and when it started. */
  innerPid: number;
  started: number;
  /** Whether it is in this process's pid namespace. */
  here: boolean;
};

/** A segment that is mapped somewhere. One that has lost its name may have told it to those that opened it. */
export type MappedSegment = { name: string | undefined; inode: number; removed: boolean; mappers: Mapper[] };

/** How the names of their files begin. */
export const PREFIX = "frames-depot.";
/** How each segment begins. */
const MAGIC = "FRMDEPOT";
/** Device, inode and path of a line of /proc/PID/maps. The process that made a segment sees a file without a name. */
const LINE = new RegExp(`^\\S+ \\S+ \\S+ (\\S+) (\\d+)\\s+(${FOLDER}/.*)$`);

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended, or is another user's
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The device of the folder as /proc/PID/maps writes it. */
function deviceOf(folder: string): string {
  const { dev } = statSync(folder);
  const [major, minor] = [Math.floor(dev / 256) % 4096, dev % 256 + Math.floor(dev / 2 ** 20) * 256];
  return [major, minor].map((part) => part.toString(16).padStart(2, "0")).join(":");
}

/** The names that are there, by inode. */
function namesHere(): Map<number, string> {
  return new Map(
    entries(FOLDER).filter((entry) => entry.startsWith(PREFIX)).flatMap((entry) => {
      const status = statSync(`${FOLDER}/${entry}`, { throwIfNoEntry: false });
      return status === undefined ? [] : [[status.ino, entry.slice(PREFIX.length)] as const];
    }),
  );
}

/** Whether a file without a name is a segment: other programs have such files too. */
function isSegment(pid: number, path: string): boolean {
  const file = entries(`/proc/${pid}/fd`).find((entry) => link(`/proc/${pid}/fd/${entry}`) === path);
  if (file === undefined) return false;
  const beginning = new Uint8Array(MAGIC.length);
  try {
    const descriptor = openSync(`/proc/${pid}/fd/${file}`, "r");
    readSync(descriptor, beginning);
    closeSync(descriptor);
  } catch {
    return false;
  }
  return new TextDecoder().decode(beginning) === MAGIC;
}

function mapperOf(pid: number, ownSpace: string | undefined): Mapper {
  const stat = read(`/proc/${pid}/stat`);
  const ids = /^NSpid:\s*(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1].split(/\s+/) ?? [String(pid)];
  return {
    pid,
    innerPid: Number(ids.at(-1)),
    started: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]),
    here: link(`/proc/${pid}/ns/pid`) === ownSpace,
  };
}

/** Every segment of this folder that a process has mapped. */
export function mappedSegments(): MappedSegment[] {
  if (process.platform !== "linux") return [];
  const found = new Map<number, MappedSegment>();
  const [device, names, ownSpace] = [deviceOf(FOLDER), namesHere(), link("/proc/self/ns/pid")];
  for (const pid of entries("/proc").filter((entry) => /^\d+$/.test(entry)).map(Number)) {
    for (const [inode, path] of filesOf(pid, device)) {
      const here = names.get(inode);
      const opened = path.startsWith(`${FOLDER}/${PREFIX}`) ? path.slice(FOLDER.length + 1 + PREFIX.length) : undefined;
      if (here === undefined && opened === undefined && !isSegment(pid, path)) continue;
      const segment = found.get(inode) ?? { name: undefined, inode, removed: here === undefined, mappers: [] };
      segment.name ??= here ?? opened?.replace(/ \(deleted\)$/, "");
      segment.mappers.push(mapperOf(pid, ownSpace));
      found.set(inode, segment);
    }
  }
  return [...found.values()];
}

/** The files of a device that a process has mapped, by inode. */
function filesOf(pid: number, device: string): Map<number, string> {
  const files = read(`/proc/${pid}/maps`).split("\n").flatMap((line) => {
    const [, where, inode, path] = LINE.exec(line) ?? [];
    return where === device ? [[Number(inode), path] as const] : [];
  });
  return new Map(files);
}
