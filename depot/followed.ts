/**
 * What a follower has opened, and what looks further while its loop is busy. Nothing here refers to the follower, which
 * may be forgotten.
 *
 * @module
 */
import { loadShim } from "../ffi/load.ts";
import type { Reader } from "../ring/reader.ts";
import { type Sleeping, Tick } from "../ring/tick.ts";
import type { Session } from "./session.ts";

/** How often a follower looks for the next depot while its loop has a frame: quick readers pass ten in 170 ms. */
const AHEAD_MS = 100;
const lookouts = new Tick(AHEAD_MS);

/** The depots that a follower has opened and not yet left. */
export class Followed {
  readonly #readers = new Map<Session, Reader>();
  /** Settled when what could be left has been left. */
  left: Promise<unknown> = Promise.resolve();

  add(session: Session, reader: Reader): void {
    this.#readers.set(session, reader);
  }

  /** Closes a depot object once its reader has ended and the last lease on its frames has been released. */
  leave(session: Session): void {
    this.#readers.get(session)?.whenFree(() => {
      this.#readers.delete(session);
      this.left = Promise.all([this.left, session.close()]);
    });
  }

  /** @param ended whether the user has said so: then memory that was moved away is no reason to stay */
  leaveAll(ended: boolean): void {
    for (const [session, reader] of [...this.#readers]) {
      this.leave(session);
      if (ended) reader.forgoMoved();
    }
  }
}

/** Looks for the next depot ten times a second, until there is nothing to look for. */
export class Lookout implements Sleeping {
  readonly #look: () => boolean;

  /** @param look returns false when there is nothing to look for any more */
  constructor(look: () => boolean) {
    this.#look = look;
    lookouts.enroll();
    lookouts.add(this, (timer) => loadShim().unref(timer));
  }

  beat(): void {
    if (this.#look()) return;
    lookouts.delete(this);
    lookouts.dismiss();
  }
}
