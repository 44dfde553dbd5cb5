/**
 * Checks the runtime, the system and the native library.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import config from "../../deno.json" with { type: "json" };
import { DepotError, FramesDepot } from "../../mod.ts";
import type { Finding } from "./finding.ts";

/** The versions that this release was tested with. */
export const TESTED = { deno: "2.9.6", bun: "1.4.5", node: "26.10.0" } as const;
/** How an older one becomes a newer one. */
const UPGRADES = {
  deno: "`deno upgrade`",
  bun: "`bun upgrade`",
  node: `install Node ${TESTED.node} or later`,
} as const;

/** Compares versions number by number. */
function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.-]/).map(Number));
  for (let part = 0; part < b.length; part++) if (a[part] !== b[part]) return !(a[part] > b[part]);
  return false;
}

/** What is known of a version. */
export function runtimeFinding(name: keyof typeof TESTED, version: string): Finding {
  const check = "runtime";
  const tested = TESTED[name];
  const says = `${name} ${version} on ${process.platform} ${process.arch}`;
  if (name === "bun" && isOlder(version, "1.4")) {
    return {
      id: "runtime-too-old",
      check,
      verdict: "wrong",
      says: `${says}, older than 1.4: calls from other threads corrupt its memory`,
      remedy: UPGRADES.bun,
    };
  }
  if (isOlder(version, tested)) {
    return {
      id: "runtime-untested",
      check,
      verdict: "warning",
      says: `${says}, older than ${tested}, the tested version`,
      remedy: UPGRADES[name],
    };
  }
  return { id: "runtime", check, verdict: "ok", says };
}

function runtime(): Finding {
  // Deno and Bun name a version of Node, too.
  const name = (["bun", "deno"] as const).find((other) => process.versions[other] !== undefined) ?? "node";
  return runtimeFinding(name, process.versions[name]!);
}

/** Loads the native library, unless it is loaded already. */
function library(): Finding {
  const id = "library", check = "library";
  const says = `frames-depot ${config.version}`;
  try {
    FramesDepot.limits();
    return { id, check, verdict: "ok", says: `${says}, its native part is loaded` };
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    const remedy = "set FRAMES_DEPOT_LIB to the path of a library that was built for this system";
    return { id: "library-missing", check, verdict: "wrong", says: `${says}: ${error.message}`, remedy };
  }
}

type Permissions = { querySync(descriptor: { name: string }): { state: string } };

/** What Deno permits; Bun permits everything. The other checks, and the commands, need all of it. */
export function permissions(): Finding[] {
  const { permissions } = (globalThis as { Deno?: { permissions: Permissions } }).Deno ?? {};
  if (permissions === undefined) return [];
  const id = "permissions", check = "permissions";
  const needed = ["ffi", "read", "write", "env", "sys", "run"];
  const refused = needed.filter((name) => permissions.querySync({ name }).state !== "granted");
  if (refused.length === 0) return [{ id, check, verdict: "ok", says: "all that depots and these commands need" }];
  return [{
    id: "permissions-missing",
    check,
    verdict: "wrong",
    says: `Deno does not grant ${refused.join(", ")}, so nothing else was checked`,
    remedy: "run these commands with -A; a program of your own needs --allow-ffi, without a path",
  }];
}

/** Large pages for shared memory make big copies cheaper; nothing depends on them. */
function largePages(): Finding[] {
  try {
    const text = readFileSync("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "utf8");
    const chosen = /\[(\w+)\]/.exec(text)?.[1] ?? "unknown";
    const off = ["never", "deny"].includes(chosen);
    const says = `${off ? "not used" : `"${chosen}"`} for shared memory${
      off ? "; frames are in small pages, which is fine" : ""
    }`;
    return [{ id: "large-pages", check: "large pages", verdict: "ok", says }];
  } catch {
    return [];
  }
}

/** Everything about versions. */
export function systemFindings(): Finding[] {
  const linux = process.platform === "linux" ? largePages() : [];
  return [runtime(), library(), ...linux];
}
