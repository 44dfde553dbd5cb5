/**
 * An open depot from the inside: the attachment, the two lanes to wait in, and an orderly end.
 *
 * @module
 */
import { LANE } from "../ffi/constants.ts";
import type { Shim } from "../ffi/shim.ts";
import type { Lane } from "../ring/lane.ts";
import type { Attachment } from "../ring/attachment.ts";
import { usersOf } from "../ring/failures.ts";
import { DepotError } from "../errors.ts";
import { KeptLeases } from "./kept.ts";
import { LeaseWatch } from "./lease.ts";
import { Turns } from "./turns.ts";

/** How long leaving waits for other processes that join or leave at the same moment. */
const LEAVE_MS = 1000;

/** Depots that this process has open, so that ending without close() leaves nothing behind. */
const open = new Set<Session>();

const sessions = new WeakMap<Attachment, Session>();

/** The session of an attachment: leases refer to the attachment alone, and seldom need more. */
export function sessionOf(attachment: Attachment): Session {
  return sessions.get(attachment)!;
}

/** Leaves a segment, waiting for other processes that change its membership at this moment. */
export async function leave(attachment: Attachment): Promise<void> {
  const deadline = performance.now() + LEAVE_MS;
  try {
    while (!attachment.leave() && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    warnOfLeftover(attachment);
  } finally {
    attachment.unmap(); // whatever was in the way: the locks go with it, and others give back what is left
  }
}

function warnOfLeftover({ leftover, name, segment }: Attachment): void {
  if (leftover === undefined) return;
  const memory = leftover ? "its memory was given back" : "its memory stays taken";
  console.warn(
    `frames-depot: the last process that had depot "${name}" open may not remove its name (${
      usersOf(segment.info())
    }): ${memory}, and its owner or root removes the name, by \`frames-depot rm ${name}\` or by making it anew`,
  );
}

/** What a depot object works with. */
export class Session {
  readonly attachment: Attachment;
  readonly published: Lane;
  readonly consumed: Lane;
  readonly leases: LeaseWatch;
  readonly kept: KeptLeases;
  readonly turns: Turns = new Turns();
  /** Settled when close begins. */
  readonly closing: Promise<void>;
  #beginClosing: () => void = () => {};
  #closed: Promise<void> | undefined;

  constructor(shim: Shim, attachment: Attachment) {
    this.attachment = attachment;
    this.published = attachment.lane(LANE.PUBLISHED);
    this.consumed = attachment.lane(LANE.CONSUMED);
    const unref = (timer: ReturnType<typeof setTimeout>) => shim.unref(timer);
    this.kept = new KeptLeases(attachment.name, unref);
    this.leases = new LeaseWatch(attachment.name, unref, this.kept);
    this.closing = new Promise((resolve) => this.#beginClosing = resolve);
    sessions.set(attachment, this);
    if (open.size === 0) leaveAtExit(shim);
    open.add(this);
  }

  /** The depot's name. */
  get name(): string {
    return this.attachment.name;
  }

  /** Whether close has begun. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** @throws {DepotError} CLOSED */
  assertOpen(): void {
    if (this.#closed !== undefined) throw this.closedError();
  }

  /** The error of a wait that is still under way when the depot is closed. */
  closedError(): DepotError {
    return new DepotError("CLOSED", `cannot use depot "${this.name}": this depot object is closed`, {
      depot: this.name,
      remedy: "open() gives another one",
    });
  }

  /** The error of a producer of a depot that takes no more frames. */
  endedError(): DepotError {
    const [depot, cannot] = [this.name, `cannot put a frame into depot "${this.name}": `];
    if (!this.attachment.room.isReplaced) {
      return new DepotError(
        "ENDED",
        `${cannot}end() was called, so it takes no more`,
        {
          depot,
          remedy: "create() makes the next one of that name once producers have closed it, and `replace: true` at once",
        },
      );
    }
    return new DepotError(
      "REPLACED",
      `${cannot}another depot has its name since`,
      { depot, remedy: "close() this object and open() that one, or create() one of another name" },
    );
  }

  /** Ends leases, waits and membership; the last one out removes the segment. Called twice, it ends once. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    open.delete(this);
    // What waits must see #closed set, which it is once this function has first awaited.
    await undefined;
    this.#beginClosing();
    await Promise.all([this.published.close(), this.consumed.close()]);
    this.leases.close();
    this.kept.close();
    // Before its slots are given to others: what can still be reached must not lead to them.
    this.attachment.withdraw(this.kept.any || this.attachment.payload.mayBeInUse);
    await leave(this.attachment);
  }

  /**
   * What can be done while the process ends: a thread may still be in the memory, which stays mapped. Exit handlers
   * that run later find the depot object closed: what it held may be another's by then.
   */
  leaveNow(): void {
    if (this.closed) return;
    this.#closed = Promise.resolve();
    this.#beginClosing();
    // A member's frame is not done because its process ends. Where others cannot be told, they will find it dead.
    if (!this.attachment.peers.offerAgain()) return;
    // A thread that sleeps looks at its word now and then, and some systems exchange pages in several steps.
    this.published.leaveNow();
    this.consumed.leaveNow();
    this.leases.close();
    this.kept.close();
    this.attachment.withdraw(true);
    this.attachment.leave();
  }
}

const leaveAll = () => {
  for (const session of open) session.leaveNow();
};

/**
 * Closes every depot object that this thread has open when a signal comes. Where it ends the process, that is done at
 * once: otherwise the program would hear from each wait that it was closed, and end with that error instead.
 */
export function closeOnSignals(shim: Shim): void {
  shim.onEndingSignals(leaveAll, () => {
    for (const session of open) session.close();
  });
}

let watching = false;

function leaveAtExit(shim: Shim): void {
  if (watching) return;
  watching = true;
  shim.onExit(leaveAll);
}
