/**
 * The frames of a name, and what becomes of its depots: for `watch`.
 *
 * @module
 */
import { type Frame, FramesDepot, type From } from "../mod.ts";
import { type Shape, shapeInWords } from "./changes.ts";
import { openInTime } from "./video/follow.ts";

/**
 * What became of a depot:
 *
 * - `ended`: it takes no more frames
 * - `removed`: another process has removed its name; those that have it open go on
 * - `gone`: all other processes have left it
 * - `replaced`: another one has the name
 * - `back`: after it was gone, there is one of that name again
 */
export type Change = {
  event: "ended" | "removed" | "gone" | "replaced" | "back";
  depot: string;
  /** Of the depot that the name has now, or had. */
  id: string;
  /** With `replaced` and `back`: what its frames are now, and what they were before. */
  shape?: Shape;
  before?: Shape;
};

/** How a name is watched. */
export type WatchOptions = { from: From; timeout?: number; signal: AbortSignal };

/** Time between two looks at a depot that brings no frame: more than a wait needs to look after the dead. */
const LOOK_MS = 500;

/** Frames and changes, one after the other. */
export class Watching implements AsyncDisposable {
  readonly #name: string;
  readonly #options: WatchOptions;
  #frames: ReturnType<typeof FramesDepot.follow>;
  /** What was last said to have the name. */
  #id: string | undefined;
  #shape: Shape | undefined;
  #state: "there" | "ended" | "removed" | "gone" = "there";
  /** A frame of a depot of which it has to be said first that it is another one. */
  #next: Frame | undefined;

  constructor(name: string, options: WatchOptions) {
    this.#name = name;
    this.#options = options;
    this.#frames = this.#follow(options.from);
  }

  #follow(from: From): ReturnType<typeof FramesDepot.follow> {
    return FramesDepot.follow(this.#name, { mode: "lossy", from, signal: this.#options.signal });
  }

  /** Joins the depot. @throws as {@linkcode openInTime} where there is none */
  async begin(): Promise<void> {
    const { timeout = 0, signal } = this.#options;
    while (this.#frames.id === undefined) {
      this.#next = await this.#frames.within(0);
      if (this.#frames.id === undefined) await (await openInTime(this.#name, timeout, signal)).close();
    }
    this.#note();
  }

  /** @returns undefined when no frame came for the time of `timeout` */
  async next(): Promise<Frame | Change | undefined> {
    const until = performance.now() + (this.#options.timeout ?? Infinity) * 1000;
    do {
      const found = this.#take() ?? await this.#wait(until - performance.now());
      if (found !== undefined) return found;
    } while (performance.now() < until);
    return undefined;
  }

  #take(): Frame | undefined {
    const frame = this.#next;
    this.#next = undefined;
    return frame;
  }

  async #wait(leftMs: number): Promise<Frame | Change | undefined> {
    const frame = await this.#frames.within(Math.min(LOOK_MS, Math.max(0, leftMs)));
    return this.#other(frame) ?? frame ?? await this.#look();
  }

  /** Whether it reads another depot now. @param frame of that, which comes after this is said */
  #other(frame: Frame | undefined): Change | undefined {
    const { id } = this.#frames;
    if (id === undefined || id === this.#id && this.#state !== "gone") return undefined;
    this.#next = frame;
    const [event, before] = [this.#state === "gone" ? "back" as const : "replaced" as const, this.#shape];
    this.#note();
    return { event, depot: this.#name, id, shape: this.#shape, before };
  }

  /** Notes what has the name. */
  #note(): void {
    this.#id = this.#frames.id;
    this.#state = "there";
    const { frameSize, elementType, pixelFormat } = this.#frames.depot!;
    this.#shape = { frameSize, elementType, pixelFormat };
  }

  /** No frame has come: what has become of the depot? */
  async #look(): Promise<Frame | Change | undefined> {
    if (this.#state === "gone") return undefined;
    const info = FramesDepot.inspect(this.#name);
    if (info === undefined) return this.#state === "removed" ? undefined : this.#change("removed");
    if (info.id !== this.#id) return undefined; // its frames come next
    const hasEnded = info.stats?.ended === true && this.#state !== "ended";
    if (!hasEnded && info.peers !== 1) return undefined;
    const frame = await this.#frames.within(0); // stored between the wait and the look
    return this.#other(frame) ?? frame ?? (hasEnded ? this.#change("ended") : await this.#leave());
  }

  /** Leaves a depot that no other process has open, so that its name becomes free. */
  async #leave(): Promise<Change> {
    await this.#frames.return();
    this.#frames = this.#follow("oldest");
    return this.#change("gone");
  }

  #change(event: "ended" | "removed" | "gone"): Change {
    this.#state = event;
    return { event, depot: this.#name, id: this.#id! };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#frames.return();
  }
}

/** A change as people read it. */
export function changeInWords({ event, depot, shape, before }: Change): string {
  switch (event) {
    case "ended":
      return `${depot}: ended, it takes no more frames`;
    case "removed":
      return `${depot}: its name was removed, so no other process finds it`;
    case "gone":
      return `${depot}: gone, all other processes have left it`;
    case "replaced":
    case "back": {
      const [now, then] = [shapeInWords(shape ?? {}), shapeInWords(before ?? {})];
      const what = now === then ? `of the same shape, ${now}` : `${now} after ${then}`;
      return `${depot}: ${event === "back" ? "back" : "another depot has the name"}, ${what}`;
    }
  }
}
