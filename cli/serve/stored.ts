/**
 * Frames that are still stored, by number: looked up, copied, and given back at once. No producer waits for it.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { isAlone } from "./presence.ts";
import { type Room, type Snapshot, snapshotOf } from "./snapshot.ts";

/** A depot is left after this time without a look-up. */
const IDLE_MS = 3000;

type Opened = { depot: Promise<FramesDepot>; timer: ReturnType<typeof setTimeout> | undefined; users: number };

/** Depots that are open for look-ups. */
export class StoredFrames implements AsyncDisposable {
  readonly #opened = new Map<string, Opened>();
  readonly #closing = new Set<Promise<void>>();

  /**
   * Looks something up; afterwards nothing of the depot may be held.
   *
   * @throws {DepotError} where it cannot be opened
   */
  async use<T>(name: string, look: (depot: FramesDepot) => T): Promise<T> {
    const opened = this.#open(name);
    clearTimeout(opened.timer);
    opened.users++;
    let isOver = true;
    try {
      const depot = await opened.depot;
      if (!depot.linked && this.#opened.get(name) === opened) { // another one may have the name
        this.#opened.delete(name);
        return await this.use(name, look);
      }
      const found = look(depot);
      isOver = !depot.linked || isAlone(name, depot.id);
      return found;
    } finally {
      opened.users--;
      if (opened.users === 0) {
        if (isOver) this.#leave(name, opened);
        else opened.timer = setTimeout(() => this.#leave(name, opened), IDLE_MS);
      }
    }
  }

  #open(name: string): Opened {
    const found = this.#opened.get(name);
    if (found !== undefined) return found;
    const opened: Opened = { depot: FramesDepot.open(name), timer: undefined, users: 0 };
    this.#opened.set(name, opened);
    return opened;
  }

  #leave(name: string, opened: Opened): void {
    clearTimeout(opened.timer);
    if (this.#opened.get(name) === opened) this.#opened.delete(name);
    const closing: Promise<void> = opened.depot.then((depot) => depot.close(), () => {})
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [name, opened] of [...this.#opened]) this.#leave(name, opened);
    await Promise.all(this.#closing);
  }
}

/** The numbers of all stored frames, the oldest first. */
export function storedNumbers(depot: FramesDepot): number[] {
  using reader = depot.frames({ mode: "lossy", from: "oldest" });
  const numbers: number[] = [];
  while (numbers.length <= depot.maxSize) { // a producer may be faster than this loop
    using frame = reader.tryNext();
    if (frame === undefined) break;
    numbers.push(frame.frameNumber);
  }
  return numbers;
}

/** The numbers of the oldest and the newest stored frame. */
export function storedRange(depot: FramesDepot): [first: number, last: number] | undefined {
  using oldest = depot.frames({ mode: "lossy", from: "oldest" });
  using newest = depot.frames({ mode: "latest", from: "latest" });
  using first = oldest.tryNext();
  using last = newest.tryNext();
  return first === undefined || last === undefined ? undefined : [first.frameNumber, last.frameNumber];
}

/** A copy of the frame with this number; undefined where it is not stored. */
export function storedFrame(depot: FramesDepot, number: number, room: Room): Snapshot | undefined {
  using frame = depot.peekFrame(number);
  return frame === undefined ? undefined : snapshotOf(depot, frame, room);
}

/** A copy of the newest frame; undefined where there is none. */
export function newestFrame(depot: FramesDepot, room: Room): Snapshot | undefined {
  using reader = depot.frames({ mode: "latest", from: "latest" });
  using frame = reader.tryNext();
  return frame === undefined ? undefined : snapshotOf(depot, frame, room);
}
