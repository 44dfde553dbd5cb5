/**
 * Opening a segment, with each half-open state named.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { ERRNO } from "../ffi/constants.ts";
import type { Segment, SegmentInfo } from "../ffi/segment.ts";
import type { Shim } from "../ffi/shim.ts";
import { Attachment } from "./attachment.ts";
import { fail, usersOf } from "./failures.ts";
import { layoutOf, LIMITS } from "./geometry.ts";
import { type Header, readHeader, wayOut } from "./header.ts";
import { EXTRA_PEERS, HEADER, LOCK, READY } from "./layout.ts";
import { finishReplacing } from "./replacing.ts";
import { WAKE_WORDS } from "./words.ts";

/**
 * Addresses that closed depots of one process may keep. An address that may still be reached is never used again, and a
 * 64-bit process has 128 TiB of them.
 */
const MOST_RETIRED_BYTES = 2 ** 45;

/**
 * Whether there are addresses for another mapping.
 *
 * @returns why not @param retired bytes that this process has given up
 */
export function refuseAddresses(
  what: string,
  name: string,
  bytes: number,
  retired: number,
  most: number = MOST_RETIRED_BYTES,
): DepotError | undefined {
  if (retired + bytes <= most) return undefined;
  return new DepotError(
    "NO_SPACE",
    `cannot ${what} depot "${name}": depots that this process has closed keep ${tebibytes(retired)} of addresses, ` +
      `because operations may still reach frames that were lent, and with ${
        tebibytes(bytes)
      } more it would be over the ` +
      `limit of ${tebibytes(most)}`,
    {
      depot: name,
      remedy:
        "keep depot objects open instead of opening them again, use copyTo() instead of views, or go on in a new " +
        "process",
    },
  );
}

const tebibytes = (bytes: number) => `${(bytes / 2 ** 40).toPrecision(3)} TiB`;

/**
 * Why there is no attachment: the name is taken (`exists`), there is none of that name (`missing`), its maker has not
 * finished (`unfinished`), its membership is being changed at this moment (`busy`), or it is not what is wanted
 * (`unsuitable`).
 */
export type Refusal = {
  refused: "exists" | "missing" | "unfinished" | "busy" | "unsuitable";
  error: DepotError;
};

/** What came of one try: something to use, or why to try again or to give up. */
export type Outcome = Attachment | Refusal;

/** Whether any process holds a peer's lock. Asks for every peer there could be: the header may hold anything. */
export function hasLivePeer(segment: Segment, maxPeers: number = LIMITS.maxReaders + EXTRA_PEERS): boolean {
  for (let index = 0; index < maxPeers; index++) {
    if (segment.lockHeld(LOCK.peer + index)) return true;
  }
  return false;
}

/** What is not as wanted, and what helps, in words. */
export type Objection = { why: string; remedy?: string };

/** How to open. */
export type OpenSegmentOptions = {
  /** Also a segment that only dead processes held. */
  stale: boolean;
  /** User ids whose segments are trusted, in addition to this process's own and root's. */
  trustedOwners: readonly number[];
  /** Says before it is joined what is not as wanted. */
  objection?: (found: Attachment) => Objection | undefined;
};

/**
 * Opens a segment, checks it and joins it.
 *
 * @returns an attachment, or why there is none: what waiting may change
 * @throws {DepotError} PERMISSION, INCOMPATIBLE, CORRUPT, TOO_MANY_PEERS
 */
export function openSegment(shim: Shim, name: string, options: OpenSegmentOptions): Outcome {
  const segment = shim.open(name);
  if (typeof segment === "number") {
    return segment === -ERRNO.ENOENT
      ? notFound(name, "there is none", "`timeoutMs` waits for one, and `frames-depot ls` shows what is there")
      : fail("open", name, segment);
  }
  let attachment: Attachment | undefined;
  let joined = false;
  try {
    const header = inspect(name, segment, options.trustedOwners);
    if (header instanceof DepotError) return { refused: "unfinished", error: header };
    const layout = layoutOf(header.geometry);
    if (!options.stale && !hasLivePeer(segment, layout.maxPeers)) {
      return notFound(
        name,
        "the processes that held it are dead",
        "`timeoutMs` waits for a new one, `stale: true` opens what they left",
      );
    }
    const refused = refuseAddresses("open", name, layout.totalBytes, shim.retiredBytes());
    if (refused !== undefined) throw refused;
    const mapped = Attachment.over(name, header, segment);
    if (typeof mapped === "number") return fail("map", name, mapped);
    attachment = mapped;
    const objection = options.objection?.(attachment);
    if (objection !== undefined) return unsuitable(name, objection);
    attachment.populate();
    const outcome = join(attachment, shim);
    joined = outcome instanceof Attachment;
    return outcome;
  } finally {
    if (!joined) attachment === undefined ? segment.close() : attachment.unmap();
  }
}

/** Enters the peer table, if the name still leads here. */
function join(attachment: Attachment, shim: Shim): Outcome {
  const { name, peers, segment, layout } = attachment;
  const enter = (): "replaced" | "unlinked" | "emptied" | "entered" | "full" | "busy" =>
    peers.underLock(() => {
      if (!segment.info().linked) return finishReplacing(attachment) ? "replaced" : "unlinked";
      if (attachment.words.load32(HEADER.ready) !== READY) return "emptied";
      return peers.enter(shim) ? "entered" : "full";
    });
  const entered = peers.takeOrRecover(() => {
    const answer = enter();
    return answer === "full" ? undefined : answer;
  });
  switch (entered ?? "full") {
    case "entered":
      return attachment;
    case "replaced": // another has the name: that one is opened next
    case "busy":
      return busy("open", name);
    case "unlinked":
      return notFound(name, "it was removed just now", "`timeoutMs` waits for a new one");
    case "emptied":
      return notFound(
        name,
        "its last process has just left and emptied it, because it may not remove the name",
        `its owner or root removes the name, by \`frames-depot rm ${name}\``,
      );
    case "full":
      throw new DepotError(
        "TOO_MANY_PEERS",
        `cannot open depot "${name}": all ${layout.maxPeers} entries are in use (maxReaders + ${EXTRA_PEERS})`,
        {
          depot: name,
          remedy: `close depot objects that are not needed (\`frames-depot stat ${name}\` shows them), or make it ` +
            "with more maxReaders",
        },
      );
  }
}

const notFound = (depot: string, why: string, remedy: string): Refusal => ({
  refused: "missing",
  error: new DepotError("NOT_FOUND", `cannot open depot "${depot}": ${why}`, { depot, errno: ERRNO.ENOENT, remedy }),
});

function unsuitable(depot: string, { why, remedy }: Objection): Refusal {
  const look = `\`frames-depot stat ${depot}\` shows what it is`;
  const whole = remedy === undefined ? look : `${remedy}; ${look}`;
  return {
    refused: "unsuitable",
    error: new DepotError("INCOMPATIBLE", `cannot open depot "${depot}": ${why}`, { depot, remedy: whole }),
  };
}

/** Another process joins or leaves at this moment. */
export const busy = (what: string, name: string): Refusal => ({
  refused: "busy",
  error: new DepotError(
    "NOT_READY",
    `cannot ${what} depot "${name}": another process has its membership lock, which is held for microseconds`,
    {
      depot: name,
      remedy: "try again; a lock that stays is held by a process that is stopped, which has to go on or end, or by a " +
        "user that may read the segment, as its mode tells",
    },
  ),
});

/** Whether a segment belongs to a user that is not trusted: its memory may be changed, or cut short, at any time. */
export function isForeign({ owner, self }: SegmentInfo, trustedOwners: readonly number[]): boolean {
  return owner !== self && owner !== 0 && !trustedOwners.includes(owner);
}

/**
 * Checks what a segment claims to be. The header is copied once and only the copy is looked at.
 *
 * @param copied whether to look at a copy of what any user has made, instead of refusing it
 * @returns what its header says, or a DepotError NOT_READY
 */
export function inspect(
  name: string,
  segment: Segment,
  trustedOwners: readonly number[],
  copied = false,
): Header | DepotError {
  const info = segment.info();
  const { bytes, owner } = info;
  if (!copied && isForeign(info, trustedOwners)) {
    throw new DepotError(
      "PERMISSION",
      `cannot open depot "${name}": ${usersOf(info)}`,
      { depot: name, errno: ERRNO.EACCES, remedy: `\`trustedOwners: [${owner}]\` opens it anyway` },
    );
  }
  if (bytes === 0) {
    return new DepotError("NOT_READY", `cannot open depot "${name}": it is still empty`, {
      depot: name,
      remedy: wayOut("NOT_READY", name),
    });
  }
  if (bytes < HEADER.size) {
    const why = `${bytes} bytes are less than a header, which has ${HEADER.size}`;
    throw new DepotError("CORRUPT", `cannot open depot "${name}": ${why}`, {
      depot: name,
      remedy: wayOut("CORRUPT", name),
    });
  }
  const mapping = copied
    ? segment.snapshot(HEADER.size, HEADER.size, WAKE_WORDS)
    : segment.map(HEADER.size, WAKE_WORDS);
  if (typeof mapping === "number") return fail("map", name, mapping);
  const view = mapping.view(0, HEADER.size);
  const copy = new Uint8Array(view).slice();
  view.transfer(0);
  mapping.unmap();
  try {
    return readHeader(name, copy, bytes);
  } catch (error) {
    if (error instanceof DepotError && error.code === "NOT_READY") return error;
    throw error;
  }
}
