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

/**
 * The number of the stored frame just before or after the one with this number, in the order in which they came.
 *
 * @returns undefined where there is none, or the frame itself is not stored
 */
export function neighbourOf(depot: FramesDepot, number: number, by: -1 | 1): number | undefined {
  const next = number + by;
  if (Number.isSafeInteger(next)) { // mostly they are numbered one by one
    using frame = depot.peekFrame(number);
    if (frame === undefined) return undefined;
    using neighbour = depot.peekFrame(next);
    if (neighbour?.sequence === frame.sequence + by) return next;
  }
  const numbers = storedNumbers(depot);
  const at = numbers.lastIndexOf(number);
  return at < 0 ? undefined : numbers[at + by];
}

/** A walk over all stored frames is used for this many times as long as it took: clients may ask again and again. */
const WALK_SHARE = 20;
const walks = new WeakMap<FramesDepot, { numbers: number[]; untilMs: number }>();

/** The numbers of all stored frames, the oldest first. */
function storedNumbers(depot: FramesDepot): number[] {
  const begunMs = performance.now();
  const walk = walks.get(depot);
  if (walk !== undefined && walk.untilMs > begunMs) return walk.numbers;
  using reader = depot.frames({ mode: "lossy", from: "oldest" });
  const numbers: number[] = [];
  while (numbers.length <= depot.maxSize) { // a producer may be faster than this loop
    using frame = reader.tryNext();
    if (frame === undefined) break;
    numbers.push(frame.frameNumber);
  }
  const nowMs = performance.now();
  walks.set(depot, { numbers, untilMs: nowMs + (nowMs - begunMs) * WALK_SHARE });
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
