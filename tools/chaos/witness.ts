/**
 * What a reader may expect of the frames it gets one after the other.
 *
 * @module
 */
import { counterOf, lifeOf, show } from "../support/stamp.ts";

/** Sees what one reader gets. */
export class Witness {
  /** Frames seen. */
  frames = 0;
  /** By life: the counter that comes next. */
  readonly next = new Map<number, number>();
  readonly #complete: boolean;
  readonly #fromBirth: boolean;
  #sequence = -1;

  /**
   * @param complete whether it gets every frame from its first one on
   * @param fromBirth whether it was there before every life, so that it gets the first frame of each
   */
  constructor(complete: boolean, fromBirth = false) {
    this.#complete = complete;
    this.#fromBirth = fromBirth;
  }

  /** Takes the next frame. @returns what is wrong with its place */
  see({ frameNumber, sequence }: { frameNumber: number; sequence: number }): string | undefined {
    const life = lifeOf(frameNumber);
    const counter = counterOf(frameNumber);
    const expected = this.next.get(life) ?? (this.#fromBirth ? 0 : counter);
    const before = this.#sequence;
    this.#sequence = sequence;
    this.next.set(life, counter + 1);
    this.frames++;
    if (sequence <= before) return `frame ${show(frameNumber)} has sequence ${sequence} after ${before}`;
    if (this.#complete ? counter === expected : counter >= expected) return undefined;
    return `frame ${show(frameNumber)}, sequence ${sequence}, came where ${life}:${expected} was due`;
  }
}
