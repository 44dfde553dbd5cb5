/**
 * The newest frames, kept in memory until a signal asks for them.
 *
 * @module
 */
import type { Frame } from "../../mod.ts";
import { bytesOf } from "./bytes.ts";
import type { Recordable } from "./recording_writer.ts";

type Kept = Recordable & { room: Uint8Array };

/** Keeps copies of the newest frames. */
export class LastFrames {
  readonly #limit: number;
  #kept: Kept[] = [];
  /** Memory of frames that are no longer wanted. */
  #spare: Uint8Array[] = [];

  /** @param limit frames to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Frames that are kept now. */
  get length(): number {
    return this.#kept.length;
  }

  /** Copies a frame; the oldest goes when there are more than the limit. */
  add(frame: Frame): void {
    if (this.#kept.length === this.#limit) this.#spare.push(this.#kept.shift()!.room);
    const data = bytesOf(frame.data);
    const spare = this.#spare.pop();
    const room = spare !== undefined && spare.length >= data.length ? spare : new Uint8Array(data.length);
    room.set(data);
    const bytes = room.subarray(0, data.length);
    const { sequence, frameNumber, timestampNs, lost } = frame;
    this.#kept.push({ sequence, frameNumber, timestampNs, lost, bytes, metadata: frame.metadata.slice(), room });
  }

  /** Takes out what is kept, oldest first. Until it is given back, new frames need memory of their own. */
  take(): Recordable[] {
    return this.#kept.splice(0);
  }

  /** Gives back what was taken. */
  giveBack(frames: readonly Recordable[]): void {
    const wanted = Math.max(0, this.#limit - this.#kept.length - this.#spare.length);
    this.#spare.push(...(frames as Kept[]).slice(0, wanted).map(({ room }) => room));
  }
}
