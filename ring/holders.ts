/**
 * The processes that have a depot open, in words that lead to them.
 *
 * @module
 */
import type { Shim } from "../ffi/shim.ts";
import { DepotError } from "../errors.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Attachment } from "./attachment.ts";
import { PEER, RUNTIMES } from "./layout.ts";

/**
 * Whether the process that has a peer's id here is that peer: pids count from 1 in each pid namespace, and are used
 * again. Undefined where the system does not say when a process started.
 */
export function isHere({ words, segment }: Attachment, index: number): boolean | undefined {
  const entry = words.peer(index);
  const started = segment.started(words.load32(entry + PEER.pid));
  return started < 0 ? undefined : started > 0 && started === words.plain64(entry + PEER.startTime);
}

/** A span of time up to now, in words. Clocks are set back at times: nothing is less than nothing. */
export function spanSince(ms: number): string {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** One live peer in words, the same words for two of one process. */
function holderOf(attachment: Attachment, shim: Shim, index: number): string {
  const { words } = attachment;
  const entry = words.peer(index);
  const pid = words.load32(entry + PEER.pid);
  const { pid: own, startTime } = shim.identity();
  if (pid === own && words.plain64(entry + PEER.startTime) === startTime) return "this process";
  const runtime = RUNTIMES[words.load32(entry + PEER.runtime) % RUNTIMES.length];
  if (isHere(attachment, index) !== false) return `process ${pid} (${runtime})`;
  return `a process (${runtime}) that has pid ${pid} in another pid namespace, or had it and left its lock to a fork`;
}

/** Which processes have a depot open, and since when; undefined where no peer is alive. */
export function holdersOf(attachment: Attachment, shim: Shim): string | undefined {
  const { words, peers } = attachment;
  const since = new Map<string, number>();
  for (const { index, alive } of peers.entries()) {
    if (!alive) continue;
    const holder = holderOf(attachment, shim, index);
    const joined = words.plain64(words.peer(index) + PEER.joinedNs) / 1e6;
    since.set(holder, Math.min(joined, since.get(holder) ?? joined));
  }
  const holders = [...since].map(([holder, ms]) => `${holder}, for ${spanSince(ms)},`);
  if (holders.length === 0) return undefined;
  return holders.length === 1 ? holders[0] : `${holders.slice(0, -1).join(" ")} and ${holders.at(-1)}`;
}

/**
 * The error of a name that live processes hold.
 *
 * @param holder what has the name, mapped, where it can be looked into
 */
export function existsError(shim: Shim, name: string, holder?: Attachment): DepotError {
  const info = shim.nameInfo(name);
  const owner = typeof info === "number" || info.owner < 0 || info.owner === info.self ? "" : ` of user ${info.owner}`;
  const who = holder && holdersOf(holder, shim) || `a live process${owner}`;
  const own = who.startsWith("this process")
    ? "close the depot object that this process has (code that is loaded anew while it runs keeps the old one open), or "
    : "";
  return new DepotError(
    "EXISTS",
    `cannot create depot "${name}": ${who} has it open; ${own}use createOrOpen() to join it, or \`replace: true\` to ` +
      "take the name from it",
    { depot: name, errno: ERRNO.EEXIST },
  );
}
