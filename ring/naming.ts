/**
 * Making a segment under a name, and removing names. Every step that gives a name away or removes one is done under the
 * membership lock of the segment that has it (T1, U1): steps T and U of docs/internals/protocol.md.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Mapping } from "../ffi/mapping.ts";
import type { Segment } from "../ffi/segment.ts";
import type { Shim } from "../ffi/shim.ts";
import { Attachment } from "./attachment.ts";
import { fail, takeLock } from "./failures.ts";
import { type Geometry, layoutOf } from "./geometry.ts";
import { type Header, isBeginning, newId, wayOut, writeHeader } from "./header.ts";
import { existsError } from "./holders.ts";
import { HEADER, LOCK, READY } from "./layout.ts";
import { refuseSize } from "./limits.ts";
import { isAbandoned, takeName } from "./replacing.ts";
import { busy, hasLivePeer, inspect, type Outcome, type Refusal, refuseAddresses } from "./segment.ts";
import { WAKE_WORDS } from "./words.ts";

/** Tries to name a segment while other processes take and remove the name. */
const NAME_TRIES = 100;
/** Tries to take a membership lock that another process holds for less than a millisecond. */
const LOCK_TRIES = 1000;

/**
 * Makes a segment, joins it and gives it its name, in this order: no process ever finds it unfinished. A name that only
 * the dead held is taken over, and so is one whose producers are gone.
 *
 * @param always whether to take the name from a depot with producers, too
 * @returns an attachment, or why the name cannot be had now
 * @throws {DepotError} NO_SPACE, PERMISSION, INCOMPATIBLE: what trying again would not change
 */
export function createSegment(shim: Shim, name: string, geometry: Geometry, mode: number, always = false): Outcome {
  let holder = holderOf(shim, name, always);
  if (isRefusal(holder)) return holder;
  try {
    return makeSegment(shim, name, geometry, mode, (segment) => {
      for (let tries = 0; tries < NAME_TRIES; tries++) {
        if (isRefusal(holder)) return holder;
        const answer = holder === undefined ? segment.name() : takeName(segment, holder, always);
        if (answer === "taken" || answer === 0) return 0;
        if (answer === "held") return exists(shim, name, holder);
        if (answer === "busy") break;
        if (answer !== "moved" && answer !== -ERRNO.EEXIST) return answer;
        // Others take and remove the name meanwhile: what has been made is kept for the next try.
        holder?.unmap();
        holder = undefined;
        holder = holderOf(shim, name, always);
      }
      return busy("create", name);
    });
  } finally {
    if (!isRefusal(holder)) holder?.unmap();
  }
}

const isRefusal = (found: Attachment | Refusal | undefined): found is Refusal =>
  found !== undefined && !(found instanceof Attachment);

/** @param take gives it its name, once it is finished */
function makeSegment(
  shim: Shim,
  name: string,
  geometry: Geometry,
  mode: number,
  take: (segment: Segment) => Refusal | number,
): Outcome {
  const layout = layoutOf(geometry);
  const refused = refuseAddresses("create", name, layout.totalBytes, shim.retiredBytes()) ??
    refuseSize(name, layout.totalBytes, shim.limits());
  if (refused !== undefined) throw refused;
  const segment = shim.create(name, layout.totalBytes, mode);
  if (typeof segment === "number") {
    if (segment === -ERRNO.EEXIST) return exists(shim, name);
    return fail("create", name, segment, { layout });
  }
  let made: Attachment | undefined;
  let named = false;
  try {
    const header = { geometry, id: newId() };
    const attachment = Attachment.over(name, header, segment);
    if (typeof attachment === "number") return fail("map", name, attachment, { layout });
    made = attachment;
    attachment.populate();
    writeHeader(new DataView(attachment.words.u32.buffer, 0, HEADER.size), header, BigInt(Date.now()) * 1000000n);
    attachment.peers.underLock(() => attachment.peers.enter(shim, true));
    attachment.words.store32(HEADER.ready, READY);
    const answer = take(segment);
    named = answer === 0;
    if (named) return attachment;
    return typeof answer === "number" ? fail("name", name, answer, { layout }) : answer;
  } finally {
    if (!named) made === undefined ? segment.close() : made.unmap();
  }
}

/** @param holder what has the name, where it can be looked into */
const exists = (shim: Shim, name: string, holder?: Attachment): Refusal => ({
  refused: "exists",
  error: existsError(shim, name, holder),
});

/**
 * What has a name that may be taken, mapped; undefined where the name is free, or was only dead processes' and has been
 * removed.
 *
 * @returns otherwise why the name cannot be had
 */
function holderOf(shim: Shim, name: string, always: boolean): Attachment | Refusal | undefined {
  const segment = shim.open(name);
  if (typeof segment === "number") {
    if (segment === -ERRNO.ENOENT) return undefined;
    return fail("create", name, segment);
  }
  let mapped: Attachment | undefined;
  let isTakeable = false;
  try {
    // What is not ours is never removed: it may be all that there is of it.
    if (!hasLivePeer(segment) && !isOurs(segment)) throw notOurs(name);
    const removed = removeStale(segment);
    if (removed === "busy") return busy("create", name);
    if (removed !== "live") return removed < 0 ? fail("remove the stale segment of", name, removed) : undefined;
    const header = headerOf(name, segment);
    if (header instanceof DepotError) {
      if (always) throw header;
      const obstacle = header.code === "PERMISSION" ? undefined : header; // whose it is, is said in any case
      return { refused: "exists", error: existsError(shim, name, undefined, obstacle) };
    }
    const holder = Attachment.over(name, header, segment);
    if (typeof holder === "number") return fail("map", name, holder);
    mapped = holder;
    if (!always && !isAbandoned(mapped)) return exists(shim, name, mapped);
    // A process that is stopped may have the lock: known before memory is made for what cannot have the name.
    isTakeable = mapped.peers.underLock(() => true) === true;
    return isTakeable ? mapped : busy("create", name);
  } finally {
    if (!isTakeable) mapped === undefined ? segment.close() : mapped.unmap();
  }
}

/** Whether a file begins as a depot does, of whatever version; also one of which nothing has been written. */
function isOurs(segment: Segment): boolean {
  const bytes = Math.min(segment.info().bytes, HEADER.size);
  if (bytes === 0) return true;
  const copy = segment.snapshot(HEADER.size, bytes, WAKE_WORDS);
  if (typeof copy === "number") return false;
  const view = copy.view(0, HEADER.size);
  const ours = isBeginning(new Uint8Array(view));
  view.transfer(0);
  copy.unmap();
  return ours;
}

const notOurs = (depot: string): DepotError =>
  new DepotError("INCOMPATIBLE", `cannot create depot "${depot}": a file that is no depot has its name`, {
    depot,
    remedy: wayOut("INCOMPATIBLE", depot),
  });

/** The header of a depot whose name may be taken, or why it cannot be looked into. */
function headerOf(name: string, segment: Segment): Header | DepotError {
  try {
    return inspect(name, segment, []);
  } catch (error) {
    if (error instanceof DepotError) return error;
    throw error;
  }
}

/** Removes a segment's name if no peer of it lives. @returns -errno where the system refuses */
export function removeStale(segment: Segment): "live" | "busy" | number {
  if (hasLivePeer(segment)) return "live";
  if (!takeLock(segment, LOCK.members)) return "busy";
  try {
    return hasLivePeer(segment) ? "live" : segment.unlink();
  } finally {
    segment.unlock(LOCK.members);
  }
}

/**
 * Removes a name; what has the segment open keeps it, and goes on undisturbed (U1 to U3). What cannot be opened, what
 * is no depot of this version or another user's, and what has a lock that a stopped process holds, loses its name
 * without more ado.
 *
 * @returns 1 removed, 0 or -errno not
 */
export function removeName(shim: Shim, name: string): number {
  for (let tries = 0; tries < NAME_TRIES; tries++) {
    const segment = shim.open(name);
    if (typeof segment === "number") break;
    const answer = removeNameOf(name, segment);
    if (answer !== "moved") {
      if (answer === "busy") break;
      return answer;
    }
  }
  const answer = shim.unlink(name);
  return answer === 0 ? 1 : answer;
}

/** Closes the segment. */
function removeNameOf(name: string, segment: Segment): "moved" | "busy" | number {
  let mapping: Mapping | undefined;
  try {
    const mapped = isReadable(name, segment) ? segment.map(HEADER.size, WAKE_WORDS) : undefined;
    if (typeof mapped !== "object") return "busy";
    mapping = mapped;
    for (let tries = 0; !takeLock(segment, LOCK.members); tries++) {
      if (tries === LOCK_TRIES) return "busy";
      mapping.yield();
    }
    return removeLocked(segment, mapping);
  } finally {
    mapping?.unmap();
    segment.close();
  }
}

function removeLocked(segment: Segment, mapping: Mapping): "moved" | number {
  try {
    if (!segment.info().linked) return "moved"; // U1
    const words = mapping.view(0, HEADER.size);
    Atomics.store(new Uint32Array(words), HEADER.replaced >> 2, 0); // U2
    words.transfer(0);
    return segment.unlink(); // U3
  } finally {
    segment.unlock(LOCK.members);
  }
}

function isReadable(name: string, segment: Segment): boolean {
  try {
    return !(inspect(name, segment, []) instanceof DepotError);
  } catch {
    return false;
  }
}
