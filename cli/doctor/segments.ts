/**
 * Finds segments that are stale, broken, blocked, or writable by other users.
 *
 * @module
 */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { type DepotInfo, type DepotInspection, FramesDepot } from "../../mod.ts";
import { removeDead } from "../removal.ts";
import { bytes, counted } from "../terminal/units.ts";
import { stateOf } from "../sight.ts";
import type { Finding } from "./finding.ts";
import { FOLDER } from "./memory.ts";

/** How the names of their files begin. */
const PREFIX = "frames-depot.";

/** What `--fix` did with a segment. */
export type Fix = {
  name: string;
  state: "stale" | "broken";
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
      : { outcome: "refused" as const, reason: removal.refused };
    fixes.push({ name: info.name, state, bytes: info.bytes, ...result });
  }
  return fixes;
}

function deadOnes(infos: DepotInfo[]): Finding[] {
  return infos.flatMap((info): Finding[] => {
    const check = `depot ${info.name}`;
    switch (stateOf(info)) {
      case "live":
        return [];
      case "stale":
        return [{
          check,
          verdict: "warning",
          says: `stale, ${info.reason}; it takes ${bytes(info.bytes)}`,
          remedy:
            "`frames-depot doctor --fix` or `rm --stale` removes it; a producer that creates the name takes it over",
        }];
      case "broken":
        return [{
          check,
          verdict: "wrong",
          says: `${info.reason} (${bytes(info.bytes)})`,
          remedy: "`frames-depot doctor --fix` removes it unless a live process holds it",
        }];
    }
  });
}

/** The state letter of a process: T is stopped. */
function isStopped(pid: number): boolean {
  try {
    return /^State:\s+[Tt]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function blockedOnes(infos: DepotInspection[]): Finding[] {
  return infos.flatMap((info): Finding[] => {
    if (info.stats === undefined || info.stale || info.whenFull === "overwrite") return [];
    const { slowest, length, maxSize } = info.stats;
    if (length < maxSize || slowest === undefined || !isStopped(slowest.pid)) return [];
    return [{
      check: `depot ${info.name}`,
      verdict: "wrong",
      says: `full, and its slowest reader, pid ${slowest.pid}, is stopped by SIGSTOP or a debugger`,
      remedy: `\`kill -CONT ${slowest.pid}\` resumes it; \`kill -9 ${slowest.pid}\` ends it, which frees its place`,
    }];
  });
}

/** Owners and permissions: list() hides what this user may not open. */
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
    else if ((status.mode & 0o022) !== 0 && infos.some((info) => info.name === name && info.usable)) {
      findings.push({
        check: `depot ${name}`,
        verdict: "warning",
        says: `other users may write to it and damage it: its mode is 0${(status.mode & 0o777).toString(8)}`,
        remedy: "create it without `mode`, unless those users should write to it",
      });
    }
  }
  for (const [owner, names] of foreign) {
    findings.push({
      check: "other users",
      verdict: "ok",
      says: `user ${owner} has ${counted(names.length, "depot")}: ${names.join(", ")}`,
    });
  }
  return findings;
}

/** Everything about segments. */
export function segmentFindings(): Finding[] {
  const infos = FramesDepot.list().map(({ name }) => FramesDepot.inspect(name)).filter((info) => info !== undefined);
  const live = infos.filter((info) => stateOf(info) === "live");
  const memory = live.reduce((sum, { bytes }) => sum + bytes, 0);
  const summary: Finding = { check: "depots", verdict: "ok", says: `${live.length} live, ${bytes(memory)}` };
  return [summary, ...deadOnes(infos), ...blockedOnes(infos), ...owners(infos)];
}
