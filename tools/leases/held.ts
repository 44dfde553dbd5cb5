/**
 * What a storm holds, and what each piece must show at any moment.
 *
 * @module
 */
import type { Frame, FrameReader, FramesDepot } from "../../mod.ts";
import { metadataOf, show } from "../support/stamp.ts";
import { bufferFlaw, metadataFlaw, pixelsFlaw, remainsFlaw } from "./marks.ts";

/** A depot object and how far its end has come. */
export class Owner {
  readonly depot: FramesDepot;
  readonly readers: Set<FrameReader> = new Set();
  state: "open" | "closing" | "closed" = "open";
  /** Slots that stay leased until it is closed. */
  kept = 0;
  /** Whether it asks with getFrame, and is a lossless reader by that. */
  consumes = false;

  constructor(depot: FramesDepot) {
    this.depot = depot;
  }
}

/** One piece. */
export interface Holding {
  readonly owner: Owner;
  readonly frameNumber: number;
  /** Which number the slot has; pieces of one frame share it. */
  readonly sequence: number;
  /** What is wrong with it now. */
  check(): string | undefined;
}

/** A frame under lease: not looked at yet, or with views of it. */
export class HeldFrame implements Holding {
  readonly owner: Owner;
  readonly frame: Frame;
  readonly frameNumber: number;
  readonly sequence: number;
  /** The reader that releases it when it goes on. */
  loop: FrameReader | undefined;
  data: Frame["data"] | undefined;
  metadata: Uint8Array | undefined;
  /** Further views of the same buffer. */
  readonly others: ArrayBufferView[] = [];
  /** Whether the buffer was moved away. */
  moved = false;
  /** Whether an operation of the runtime was ever begun on it. */
  used = false;
  #scratch: Uint8Array | undefined;

  constructor(owner: Owner, frame: Frame, loop?: FrameReader) {
    this.owner = owner;
    this.frame = frame;
    this.frameNumber = frame.frameNumber;
    this.sequence = frame.sequence;
    this.loop = loop;
  }

  /** Looks at it for the first time. */
  touch(): Frame["data"] {
    if (this.data !== undefined) return this.data;
    this.data = this.frame.data;
    this.metadata = this.frame.metadata;
    const { buffer, byteLength } = this.data;
    this.others.push(this.data.subarray(1), new DataView(buffer, 0, byteLength), new Uint8Array(buffer));
    return this.data;
  }

  get views(): ArrayBufferView[] {
    return this.data === undefined ? [] : [this.data, this.metadata!, ...this.others];
  }

  /** The pixels without a view: what was not looked at yet stays so. */
  copied(): Uint8Array {
    this.#scratch ??= new Uint8Array(this.owner.depot.frameBytes);
    return this.frame.copyTo(this.#scratch);
  }

  check(): string | undefined {
    const { frame, frameNumber } = this;
    if (frame.released) return `frame ${show(frameNumber)} was released by another than its user`;
    if (frame.frameNumber !== frameNumber || frame.sequence !== this.sequence) return "a frame has another number";
    if (this.data === undefined || this.moved) return pixelsFlaw(this.copied(), frameNumber);
    const flaw = pixelsFlaw(this.data, frameNumber) ?? metadataFlaw(this.metadata!, frameNumber);
    if (flaw !== undefined) return flaw;
    const empty = this.others.filter((view) => view.buffer.byteLength === 0).length;
    return empty === 0 ? undefined : `${empty} views of frame ${show(frameNumber)} are empty while it is leased`;
  }
}

/** A view whose frame was dropped without a release: it stays whole until the depot object is closed. */
export class HeldView implements Holding {
  readonly owner: Owner;
  readonly frameNumber: number;
  readonly sequence: number;
  readonly data: Frame["data"];
  readonly used: boolean;

  constructor(held: HeldFrame) {
    this.owner = held.owner;
    this.used = held.used;
    this.frameNumber = held.frameNumber;
    this.sequence = held.sequence;
    this.data = held.touch().subarray(0);
  }

  check(): string | undefined {
    return pixelsFlaw(this.data, this.frameNumber);
  }
}

/** Views of a lease that has ended: empty, or whole as long as an operation of the runtime keeps them. */
export class Ended implements Holding {
  readonly owner: Owner;
  readonly frameNumber: number;
  readonly sequence: number;
  readonly views: readonly ArrayBufferView[];
  /** Whether an operation may keep the views: Bun's do. */
  readonly mayStay: boolean;
  readonly #frameBytes: number;

  constructor(held: HeldFrame | HeldView, mayStay: boolean) {
    this.owner = held.owner;
    this.frameNumber = held.frameNumber;
    this.sequence = held.sequence;
    this.views = held instanceof HeldFrame ? held.views : [held.data];
    this.mayStay = mayStay;
    this.#frameBytes = held.owner.depot.frameBytes;
  }

  /** Whether nothing of it can be reached. */
  get empty(): boolean {
    return this.views.every(({ buffer }) => buffer.byteLength === 0);
  }

  check(): string | undefined {
    if (this.views.length === 0 || this.empty) return undefined;
    if (!this.mayStay) return `a view of frame ${show(this.frameNumber)} is not empty although its lease has ended`;
    const buffer = this.views[0].buffer as ArrayBuffer;
    const at = this.owner.state === "open" ? bufferFlaw : remainsFlaw;
    return at(buffer, this.frameNumber, this.#frameBytes);
  }
}

/** A buffer that was moved away. Its slot stays leased until the depot object is closed. */
export class Moved implements Holding {
  readonly owner: Owner;
  readonly frameNumber: number;
  readonly sequence: number;
  /** Where it is now; undefined while it is on its way. */
  buffer: ArrayBuffer | undefined;
  /** It was a slot's: its user goes on writing into it, which must reach no frame. */
  readonly scribbled: boolean;
  readonly #frameBytes: number;

  constructor(of: { owner: Owner; frameNumber: number; sequence: number }, scribbled = false) {
    this.owner = of.owner;
    this.frameNumber = of.frameNumber;
    this.sequence = of.sequence;
    this.scribbled = scribbled;
    this.#frameBytes = of.owner.depot.frameBytes;
  }

  check(): string | undefined {
    if (this.buffer === undefined || this.buffer.byteLength === 0) return undefined;
    if (this.scribbled) {
      scribble(this.buffer);
      return undefined;
    }
    const at = this.owner.state === "open" ? bufferFlaw : remainsFlaw;
    return at(this.buffer, this.frameNumber, this.#frameBytes);
  }
}

/** Bytes that no frame has. */
const SCRIBBLE = 0xee;

/** Writes over the beginning and the end of a slot's memory. */
export function scribble(buffer: ArrayBuffer): void {
  const bytes = new Uint8Array(buffer);
  bytes.fill(SCRIBBLE, 0, 256);
  bytes.fill(SCRIBBLE, Math.max(0, bytes.length - 256));
}

/** The metadata of a frame as a slot wants it when its own was written in place: all of it, or undefined. */
export function wholeMetadata(frameNumber: number, metadataBytes: number): Uint8Array | undefined {
  const metadata = metadataOf(frameNumber);
  return metadata.length === metadataBytes ? metadata : undefined;
}
