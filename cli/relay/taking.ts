/**
 * The frames of a source's name for one far relay: sent ahead of what has arrived, and kept in the source until then.
 *
 * @module
 */
import zlib from "node:zlib";
import {
  DepotError,
  type ElementType,
  type Frame,
  type FrameFollower,
  type FrameReader,
  FramesDepot,
  type ReadMode,
} from "../../mod.ts";
import { bytesOf } from "../video/bytes.ts";
import type { LastFrame } from "./wire.ts";

/** What comes next of a name. The frame is leased until the next one is taken. */
export type Taken = { depot: FramesDepot; frame: Frame } | { depot: FramesDepot; frame: undefined };

/** Time between two looks at whether a depot has ended. */
const LOOK_MS = 100;

/** A depot that has been met, held open until all of it has arrived, so that it can be asked whether it ended. */
type Met = {
  id: string;
  depot: FramesDepot | undefined;
  endSaid: boolean;
  /** Lossless: the place of what has arrived. Producers wait for it, and a relay that comes after goes on there. */
  place: FrameReader<ElementType> | undefined;
  present: Frame | undefined;
  /** The first frame of that place. */
  from: number | undefined;
  /** What has arrived before, by another relay. */
  skip: number;
};

/** Takes frames ahead with one reader; with `lossless` a second one stays at what has arrived. */
export class Taking implements AsyncDisposable {
  readonly #name: string;
  readonly #lossless: boolean;
  readonly #ahead: FrameFollower<ElementType, FramesDepot>;
  #met: Met[] = [];
  #next: Frame | undefined;
  #last: LastFrame | undefined;

  /** @param last the newest frame that the far depot has of an earlier relay */
  constructor(name: string, mode: ReadMode, last: LastFrame | undefined, signal: AbortSignal) {
    this.#name = name;
    this.#lossless = mode === "lossless";
    this.#last = last;
    const ahead = this.#lossless ? { mode: "lossy", from: "oldest" } as const : { mode, from: "latest" } as const;
    this.#ahead = FramesDepot.follow(name, { ...ahead, signal });
  }

  /** @returns undefined when nothing has come for a moment */
  async next(): Promise<Taken | undefined> {
    const frame = this.#next ?? await this.#ahead.within(LOOK_MS);
    this.#next = undefined;
    const { id } = this.#ahead;
    const before = this.#met.at(-1);
    if (id !== undefined && id !== before?.id) {
      if (before !== undefined && this.#hasEnded(before)) {
        this.#next = frame;
        return this.#end(before);
      }
      await this.#meet(id);
    }
    const met = this.#met.at(-1);
    if (frame !== undefined) return this.#isWanted(met!, frame) ? { depot: this.#ahead.depot!, frame } : undefined;
    if (met === undefined || !this.#hasEnded(met)) return undefined;
    this.#next = await this.#ahead.within(0); // what was stored just before the end
    return this.#next === undefined ? this.#end(met) : undefined;
  }

  #hasEnded({ depot, endSaid }: Met): boolean {
    return !endSaid && depot !== undefined && depot.ended;
  }

  #end(met: Met): Taken {
    met.endSaid = true;
    return { depot: met.depot!, frame: undefined };
  }

  async #meet(id: string): Promise<void> {
    if (!this.#lossless) await this.#leaveBefore(undefined);
    const found = await FramesDepot.open(this.#name).catch((error) => {
      if (!(error instanceof DepotError)) throw error;
    });
    const isSame = found?.id === id;
    if (!isSame) await found?.close(); // it was replaced since: it takes no more frames
    const depot = isSame ? found : undefined;
    const place = this.#lossless ? depot?.frames() : undefined;
    const met: Met = { id, depot, endSaid: false, place, present: undefined, from: undefined, skip: -1 };
    met.skip = depot === undefined ? -1 : arrivedIn(depot, this.#last);
    if (met.skip >= 0) this.#last = undefined;
    this.#met.push(met);
    if (met.skip >= 0) advance(met, met.skip);
  }

  /** Whether a frame is for the far relay: not one that has arrived, and none that lossless readers have consumed. */
  #isWanted(met: Met, { sequence }: Frame): boolean {
    if (met.place === undefined) return true;
    met.present ??= met.place.tryNext();
    met.from ??= met.present?.sequence;
    return met.from !== undefined && sequence >= met.from && sequence > met.skip;
  }

  /** All up to a frame has arrived: producers may have its place. */
  async arrived(id: string, sequence: number): Promise<void> {
    const met = this.#met.find((one) => one.id === id);
    if (met === undefined) return;
    advance(met, sequence);
    if (this.#met[0] !== met) await this.#leaveBefore(met);
  }

  async #leaveBefore(kept: Met | undefined): Promise<void> {
    const index = kept === undefined ? this.#met.length : this.#met.indexOf(kept);
    await Promise.all(this.#met.splice(0, index).map(({ depot }) => depot?.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ahead.return();
    await this.#leaveBefore(undefined);
  }
}

/** Moves the place behind a frame. */
function advance(met: Met, sequence: number): void {
  if (met.place === undefined || met.place.released) return;
  for (;;) {
    met.present ??= met.place.tryNext();
    if (met.present === undefined || met.present.sequence > sequence) return;
    met.present = met.place.tryNext(); // releases the one before
  }
}

/** The sequence of the frame that the far depot has got last. @returns -1 where it is not here */
function arrivedIn(depot: FramesDepot, last: LastFrame | undefined): number {
  if (last === undefined) return -1;
  using frame = depot.peekFrame(last.frameNumber);
  return frame !== undefined && isLast(frame, last) ? frame.sequence : -1;
}

/** Whether a frame is the one that the far depot has got last. */
export function isLast(frame: Pick<Frame, "frameNumber" | "timestampNs" | "data">, last: LastFrame): boolean {
  return frame.frameNumber === last.frameNumber && String(frame.timestampNs) === last.timestampNs &&
    (last.crc < 0 || zlib.crc32(bytesOf(frame.data)) === last.crc);
}
