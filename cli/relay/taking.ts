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

/**
 * What comes next of a name: a frame, with how many were missed before it, or the end of a depot. The frame is leased
 * until the next one is taken.
 */
export type Taken = { depot: FramesDepot; frame: Frame | undefined; lost: number };

/** Time between two looks at whether a depot has ended. */
const LOOK_MS = 100;
/** Tries to read a place from its first frame on. One is enough, unless producers fill the queue just then. */
const GAP_TRIES = 100;

/** What has arrived of a depot: producers wait for it, and a relay that comes after goes on there. */
type Place = {
  reader: FrameReader<ElementType>;
  /** Its first frame that has not arrived. */
  present: Frame | undefined;
  /** Frames from here on are for the far relay: others have arrived, or lossless readers have consumed them. */
  readonly from: number;
  /** The newest frame that was taken; -1 before the first. */
  taken: number;
  /** The newest frame that has arrived. */
  arrived: number;
};

/** A depot that has been met, held open until all of it has arrived, so that it can be asked whether it ended. */
type Met = {
  id: string;
  depot: FramesDepot | undefined;
  endSaid: boolean;
  /** With `lossless`. */
  place: Place | undefined;
  /** Otherwise: the newest frame that an earlier relay has carried. It may be the newest there is. */
  carried: number;
};

/** Takes frames ahead with one reader; with `lossless` a second one stays at what has arrived. */
export class Taking implements AsyncDisposable {
  readonly #name: string;
  readonly #lossless: boolean;
  readonly #ahead: FrameFollower<ElementType, FramesDepot>;
  #met: Met[] = [];
  #next: Frame | undefined;
  /**
   * What comes before `#next`, where the reader ahead has passed it over: it was a whole queue behind producers, at
   * frames that had arrived, or at numbers that carry no frame and that the place had passed.
   */
  #gap: FrameReader<ElementType> | undefined;
  /** Whether what it passed over before `#next` has been taken. */
  #isFilled = false;
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
    const passed = this.#gap === undefined ? undefined : await this.#fromGap();
    if (passed !== undefined) return passed;
    const isFilled = this.#isFilled;
    const frame = this.#next ?? await this.#ahead.within(LOOK_MS);
    this.#next = undefined;
    this.#isFilled = false;
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
    for (const { place } of this.#met) if (place !== undefined) settle(place);
    if (frame !== undefined) return isFilled ? this.#of(frame, 0, met!.place) : await this.#taken(met!, frame);
    return met !== undefined && this.#hasEnded(met) ? this.#end(met) : undefined;
  }

  /** A frame that is ahead, unless it is not wanted, or others come before it. */
  async #taken({ depot, place, carried }: Met, frame: Frame): Promise<Taken | undefined> {
    if (frame.sequence <= carried) return undefined;
    const isFirst = place !== undefined && place.taken < 0;
    if (place === undefined || !isFirst && frame.lost === 0) return this.#of(frame, frame.lost, place);
    if (frame.sequence < place.from) return undefined;
    place.present ??= await place.reader.within(LOOK_MS);
    if (place.present === undefined && !place.reader.released) {
      this.#next = frame; // a producer holds the first one up
      return undefined;
    }
    const passed = await this.#passedOver(depot!, place, frame.sequence);
    if (passed === undefined) return this.#of(frame, isFirst ? 0 : frame.lost, place);
    [this.#next, this.#isFilled] = [frame, true];
    return passed;
  }

  /** The frame that the place keeps, where a reader has passed it over: the gap begins there. */
  async #passedOver(depot: FramesDepot, place: Place, upTo: number): Promise<Taken | undefined> {
    const first = place.present?.sequence ?? upTo;
    if (first >= upTo || first <= place.taken || depot.whenFull === "overwrite") return undefined;
    this.#gap?.release();
    const gap = await gapFrom(depot, first);
    this.#gap = gap?.reader;
    if (gap === undefined) return undefined;
    place.taken = first;
    return { depot, frame: gap.frame, lost: 0 };
  }

  #of(frame: Frame, lost: number, place: Place | undefined): Taken {
    if (place !== undefined) place.taken = frame.sequence;
    return { depot: this.#ahead.depot!, frame, lost };
  }

  /** The next frame that the reader ahead has passed over: the reader of the gap may have been pushed on, too. */
  async #fromGap(): Promise<Taken | undefined> {
    const { depot, place } = this.#met.at(-1)!;
    const end = this.#next!.sequence;
    const frame = this.#gap!.tryNext();
    const sequence = Math.min(frame?.sequence ?? end, end);
    const passed = await this.#passedOver(depot!, place!, sequence);
    if (passed !== undefined) return passed;
    if (frame !== undefined && sequence < end) {
      place!.taken = sequence;
      return { depot: depot!, frame, lost: frame.lost };
    }
    this.#gap?.release();
    this.#gap = undefined;
    return undefined;
  }

  /** Whether a depot takes no more frames, and all that it has were taken. */
  #hasEnded({ id, depot, endSaid }: Met): boolean {
    if (endSaid || depot === undefined || !depot.ended) return false;
    if (this.#ahead.id !== id) return true; // the reader ahead has gone on to the next one
    const { head, peers } = this.#ahead.depot!.stats();
    const reader = peers.find(({ self }) => self)?.readers.find(({ mode }) => mode !== "lookup");
    return reader === undefined || reader.cursor >= head;
  }

  #end(met: Met): Taken {
    met.endSaid = true;
    return { depot: met.depot!, frame: undefined, lost: 0 };
  }

  async #meet(id: string): Promise<void> {
    if (!this.#lossless) await this.#leaveBefore(undefined);
    const found = await FramesDepot.open(this.#name, { stale: true }).catch((error) => {
      if (!(error instanceof DepotError && (error.code === "NOT_FOUND" || error.code === "NOT_READY"))) throw error;
    });
    const isSame = found?.id === id;
    if (!isSame) await found?.close(); // it was replaced since: it takes no more frames
    const depot = isSame ? found : undefined;
    const place = this.#lossless && depot !== undefined ? this.#placeIn(depot) : undefined;
    const carried = this.#lossless || depot === undefined ? -1 : this.#arrivedIn(depot);
    this.#met.push({ id, depot, endSaid: false, place, carried });
  }

  /** The newest frame of a depot that an earlier relay has carried; -1 where none is known. */
  #arrivedIn(depot: FramesDepot): number {
    const arrived = arrivedIn(depot, this.#last);
    if (arrived >= 0) this.#last = undefined;
    return arrived;
  }

  #placeIn(depot: FramesDepot): Place {
    const reader = depot.frames();
    const { cursor } = depot.stats().peers.find(({ self }) => self)!.readers.find(({ mode }) => mode === "lossless")!;
    const arrived = this.#arrivedIn(depot);
    const place = { reader, present: undefined, from: Math.max(cursor, arrived + 1), taken: -1, arrived };
    settle(place);
    return place;
  }

  /** All up to a frame has arrived: producers may have its place. */
  async arrived(id: string, sequence: number): Promise<void> {
    const met = this.#met.find((one) => one.id === id);
    if (met?.place === undefined) return;
    met.place.arrived = sequence;
    settle(met.place);
    if (this.#met[0] !== met) await this.#leaveBefore(met);
  }

  async #leaveBefore(kept: Met | undefined): Promise<void> {
    const index = kept === undefined ? this.#met.length : this.#met.indexOf(kept);
    await Promise.all(this.#met.splice(0, index).map(({ depot }) => depot?.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gap?.release();
    await this.#ahead.return();
    await this.#leaveBefore(undefined);
  }
}

/** Moves a place behind what has arrived. */
function settle(place: Place): void {
  const { reader, arrived } = place;
  while (!reader.released) {
    place.present ??= reader.tryNext();
    if (place.present === undefined || place.present.sequence > arrived) return;
    place.present = reader.tryNext(); // releases the one before
  }
}

/**
 * A reader of a depot, and a frame that is kept there. A reader that begins at the oldest slot, behind that frame, is
 * pushed over it when producers come to be a whole queue ahead; then it is tried again.
 *
 * @returns undefined where producers do not wait for the frame
 */
async function gapFrom(
  depot: FramesDepot,
  first: number,
): Promise<{ reader: FrameReader<ElementType>; frame: Frame } | undefined> {
  for (let tries = 0; tries < GAP_TRIES; tries++) {
    const reader = depot.frames({ mode: "lossy", from: "oldest" });
    let frame = reader.tryNext();
    while (frame !== undefined && frame.sequence < first) frame = reader.tryNext();
    if (frame?.sequence === first) return { reader, frame };
    reader.release();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return undefined;
}

/** The sequence of the frame that the far depot has got last. @returns -1 where it is not here */
function arrivedIn(depot: FramesDepot, last: LastFrame | undefined): number {
  if (last === undefined || last.depot !== undefined && last.depot !== depot.id) return -1;
  using frame = depot.peekFrame(last.frameNumber);
  return frame !== undefined && isLast(frame, last) ? frame.sequence : -1;
}

/** Whether a frame is the one that the far depot has got last. */
export function isLast(frame: Pick<Frame, "frameNumber" | "timestampNs" | "data">, last: LastFrame): boolean {
  return frame.frameNumber === last.frameNumber && String(frame.timestampNs) === last.timestampNs &&
    (last.crc < 0 || zlib.crc32(bytesOf(frame.data)) === last.crc);
}
