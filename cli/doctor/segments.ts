/**
 * Finds segments that are stale, broken, blocked, or writable by other users.
 *
 * @module
 */
import { lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { type DepotInfo, type DepotInspection, FramesDepot } from "../../mod.ts";
import { removeDead, strangerAt } from "../removal.ts";
import { bytes, counted } from "../terminal/units.ts";
import { systemReason } from "../failure.ts";
import { livePeers, stateOf } from "../sight.ts";
import type { Finding } from "./finding.ts";
import { mappersOf, pidHere, removedNames, strangers } from "./holders.ts";
import { FOLDER } from "./memory.ts";
import { type MappedSegment, mappedSegments, PREFIX } from "./processes.ts";

/** Those of segments that are being made. It takes milliseconds, seconds where there are gigabytes. */
const UNFINISHED = /^\.frames-depot[-.]/;
const UNFINISHED_MS = 60_000;

/** What `--fix` did with a segment. */
export type Fix = {
  name: string;
  state: "stale" | "broken" | "unfinished";
  bytes: number;
  outcome: "removed" | "live" | "refused";
  /** Why it was refused. */
  reason?: string;
};

/** Removes stale and broken segments of which the kernel says that no live process holds them. */
export function fixSegments(): Fix[] {
  const fixes: Fix[] = [];
  for (const info of FramesDepot.list()) {
    const state = stateOf(info);
    if (state === "live") continue;
    const removal = removeDead(info.name);
    const result = typeof removal === "string"
      ? { outcome: removal }
      : { outcome: "refused" as const, reason: removal.refused.message };
    fixes.push({ name: info.name, state, bytes: info.bytes, ...result });
  }
  return [...fixes, ...unfinished().map(removeUnfinished)];
}

function removeUnfinished(name: string): Fix {
  const path = `${FOLDER}/${name}`;
  const bytes = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    rmSync(path, { force: true });
    return { name, state: "unfinished", bytes, outcome: "removed" };
  } catch (error) {
    return { name, state: "unfinished", bytes, outcome: "refused", reason: systemReason(error) };
  }
}

/** The users that can remove what belongs to another one. */
function removerOf({ owner }: DepotInfo): string {
  const self = process.getuid?.();
  const others = owner !== undefined && owner !== self && self !== 0;
  return others ? `user ${owner}, or root, removes it:` : "";
}

function deadOnes(infos: DepotInfo[]): Finding[] {
  return infos.flatMap((info): Finding[] => {
    const check = `depot ${info.name}`;
    switch (stateOf(info)) {
      case "live":
        return [];
      case "stale":
        return [{
          id: "stale",
          check,
          verdict: "warning",
          says: `stale, ${info.reason}; it takes ${bytes(info.bytes)}`,
          remedy: `${removerOf(info)} \`frames-depot doctor --fix\` or \`rm --stale\` removes it; a producer that ` +
            "creates the name takes it over",
        }];
      case "broken": {
        const stranger = strangerAt(info.name);
        const remove = `\`frames-depot rm --force ${info.name}\` removes it`;
        if (stranger !== undefined) {
          const says = `${stranger} has its name, and no depot can be made of it`;
          return [{ id: "stranger", check, verdict: "wrong", says, remedy: `${removerOf(info)} ${remove}` }];
        }
        return [{
          id: "broken",
          check,
          verdict: "wrong",
          says: `${info.reason} (${bytes(info.bytes)})`,
          remedy: `${removerOf(info)} \`frames-depot doctor --fix\` removes it unless a live process holds it`,
        }];
      }
    }
  }).map((finding) => ({ ...finding, remedy: finding.remedy!.trim() }));
}

/** The state letter of a process: T is stopped. */
function isStopped(pid: number): boolean {
  try {
    return /^State:\s+[Tt]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** The process that holds a queue up, by its id here, if it is known for sure. */
function slowestPid(info: DepotInspection, segments: readonly MappedSegment[]): number | undefined {
  const { slowest } = info.stats!;
  const peer = livePeers(info).find(({ pid, readers }) =>
    pid === slowest?.pid && readers.some(({ gating, lag }) => gating && lag >= slowest.lag)
  );
  return peer && pidHere(peer, mappersOf(info.name, segments));
}

function blockedOnes(infos: DepotInspection[], segments: readonly MappedSegment[]): Finding[] {
  return infos.flatMap((info): Finding[] => {
    if (info.stats === undefined || info.stale || info.whenFull === "overwrite") return [];
    const { slowest, length, maxSize } = info.stats;
    if (length < maxSize || slowest === undefined) return [];
    const pid = slowestPid(info, segments);
    if (pid === undefined || !isStopped(pid)) return [];
    return [{
      id: "reader-stopped",
      check: `depot ${info.name}`,
      verdict: "wrong",
      says: `full, and its slowest reader, pid ${pid}, is stopped by SIGSTOP or a debugger`,
      remedy: `\`kill -CONT ${pid}\` resumes it; \`kill -9 ${pid}\` ends it, which frees its place`,
    }];
  });
}

/** What a mode lets other users do. */
function weakMode(name: string, mode: number): Finding[] {
  const check = `depot ${name}`, octal = `0${(mode & 0o777).toString(8)}`;
  if ((mode & 0o022) !== 0) {
    return [{
      id: "others-write",
      check,
      verdict: "warning",
      says: `other users may write to it and damage it: its mode is ${octal}`,
      remedy: "create it without `mode`, unless those users should write to it",
    }];
  }
  if ((mode & 0o044) === 0) return [];
  return [{
    id: "others-read",
    check,
    verdict: "warning",
    says:
      `other users may read it and not write to it: its mode is ${octal}. They cannot open it, but can hold a lock ` +
      "on it that keeps others from joining",
    remedy: "create it without `mode`, or with one that gives both rights",
  }];
}

/** Owners and permissions, also of what this user may not open. */
function owners(infos: DepotInfo[]): Finding[] {
  if (process.platform !== "linux") return [];
  const self = process.getuid!();
  const findings: Finding[] = [];
  const foreign = new Map<number, string[]>();
  for (const entry of readdirSync(FOLDER).filter((entry) => entry.startsWith(PREFIX))) {
    const name = entry.slice(PREFIX.length);
    const status = lstatSync(`${FOLDER}/${entry}`, { throwIfNoEntry: false });
    if (status === undefined) continue;
    if (status.uid !== self) foreign.set(status.uid, [...foreign.get(status.uid) ?? [], name]);
    else if (infos.some((info) => info.name === name && info.usable)) findings.push(...weakMode(name, status.mode));
  }
  for (const [owner, names] of foreign) {
    findings.push({
      id: "other-users",
      check: "other users",
      verdict: "ok",
      says: `user ${owner} has ${counted(names.length, "depot")}: ${names.join(", ")}`,
    });
  }
  return findings;
}

/** Files under which a segment is made where none can be without a name, or takes the name of another. */
function unfinished(): string[] {
  if (process.platform !== "linux") return [];
  const now = Date.now();
  return readdirSync(FOLDER).filter((entry) => UNFINISHED.test(entry)).filter((entry) => {
    const status = lstatSync(`${FOLDER}/${entry}`, { throwIfNoEntry: false });
    return status !== undefined && now - status.mtimeMs > UNFINISHED_MS;
  });
}

function unfinishedOnes(): Finding[] {
  return unfinished().map((entry) => ({
    id: "unfinished",
    check: "left over",
    verdict: "warning",
    says: `${FOLDER}/${entry} was left by a process that died while it made a depot; it may take memory`,
    remedy: "`frames-depot doctor --fix` removes it",
  }));
}

/** Everything about segments. */
export function segmentFindings(): Finding[] {
  const infos = FramesDepot.list().map(({ name }) => FramesDepot.inspect(name)).filter((info) => info !== undefined);
  const live = infos.filter((info) => stateOf(info) === "live");
  const memory = live.reduce((sum, { bytes }) => sum + bytes, 0);
  const segments = mappedSegments();
  return [
    { id: "depots", check: "depots", verdict: "ok", says: `${live.length} live, ${bytes(memory)}` },
    ...deadOnes(infos),
    ...removedNames(segments),
    ...live.flatMap((info) => strangers(info, mappersOf(info.name, segments))),
    ...blockedOnes(infos, segments),
    ...owners(infos),
    ...unfinishedOnes(),
  ];
}
