/**
 * The processes that have a depot open, in words that lead to them.
 *
 * @module
 */
import type { Shim } from "../ffi/shim.ts";
import { DepotError } from "../errors.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Attachment } from "./attachment.ts";
import { PEER, PEER_FLAGS, RUNTIMES } from "./layout.ts";

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

/** A process that has a depot open, by one object or several. */
type Holder = { process: string; runtime: string; sinceMs: number; produces: boolean; made: boolean };

/** A live peer's process, in words that are the same for two of one process. */
function processOf(attachment: Attachment, shim: Shim, index: number): string {
  const { words } = attachment;
  const entry = words.peer(index);
  const pid = words.load32(entry + PEER.pid);
  const { pid: own, startTime } = shim.identity();
  if (pid === own && words.plain64(entry + PEER.startTime) === startTime) return "this process";
  if (isHere(attachment, index) !== false) return `process ${pid}`;
  return `a process that has pid ${pid} in another pid namespace, or had it and left its lock to a fork`;
}

/** The producers first: they are what keeps the name. */
function holders(attachment: Attachment, shim: Shim): Holder[] {
  const { words, peers } = attachment;
  const found = new Map<string, Holder>();
  for (const { index, alive } of peers.entries()) {
    if (!alive) continue;
    const entry = words.peer(index);
    const process = processOf(attachment, shim, index);
    const runtime = RUNTIMES[words.load32(entry + PEER.runtime) % RUNTIMES.length];
    const { sinceMs = Infinity, produces = false, made = false } = found.get(process) ?? {};
    const flags = words.load32(entry + PEER.flags);
    found.set(process, {
      process,
      runtime,
      sinceMs: Math.min(sinceMs, words.plain64(entry + PEER.joinedNs) / 1e6),
      produces: produces || (flags & PEER_FLAGS.produces) !== 0,
      made: made || (flags & PEER_FLAGS.made) !== 0,
    });
  }
  return [...found.values()].sort((one, other) => Number(other.produces) - Number(one.produces));
}

/** `process 4711 (deno, a producer), for 12 s,`. */
function holderInWords({ process, runtime, sinceMs, produces, made }: Holder): string {
  const role = produces ? "a producer" : made ? "its maker" : "no producer";
  return `${process} (${runtime}, ${role}), for ${spanSince(sinceMs)},`;
}

/** Which processes have a depot open, since when, and which of them fill it; undefined where no peer is alive. */
export function holdersOf(attachment: Attachment, shim: Shim): string | undefined {
  const all = holders(attachment, shim).map(holderInWords);
  if (all.length <= 1) return all.length === 0 ? undefined : `${all[0]} has it open`;
  return `${all.slice(0, -1).join(" ")} and ${all.at(-1)} have it open`;
}

/** What is wrong, without what was tried and what helps. */
function reasonOf({ message, depot, remedy }: DepotError): string {
  const tried = `cannot open depot "${depot}": `;
  const whole = remedy === undefined ? message : message.slice(0, -`; ${remedy}`.length);
  return whole.startsWith(tried) ? whole.slice(tried.length) : whole;
}

/**
 * The error of a name that live processes hold.
 *
 * @param holder what has the name, mapped, where it can be looked into
 * @param obstacle otherwise why it cannot be: then this process can neither join it nor take its name
 */
export function existsError(shim: Shim, name: string, holder?: Attachment, obstacle?: DepotError): DepotError {
  const info = shim.nameInfo(name);
  const owner = typeof info === "number" || info.owner < 0 || info.owner === info.self ? "" : ` of user ${info.owner}`;
  const who = holder && holdersOf(holder, shim) || `a live process${owner} has it open`;
  if (obstacle !== undefined) {
    const what = `cannot create depot "${name}": ${who}, and ${reasonOf(obstacle)}`;
    return new DepotError("EXISTS", what, { depot: name, errno: ERRNO.EEXIST, remedy: obstacle.remedy });
  }
  const own = who.includes("this process")
    ? "close the depot object that this process has (code that is loaded anew while it runs keeps the old one open), or "
    : "";
  return new DepotError("EXISTS", `cannot create depot "${name}": ${who}`, {
    depot: name,
    errno: ERRNO.EEXIST,
    remedy: `${own}use createOrOpen() to join it, or \`replace: true\` to take the name from it`,
  });
}
