/**
 * What clients see of one depot in one size: made once for all of them.
 *
 * @module
 */
import type { Which } from "./snapshot.ts";
import type { Size } from "./sizes.ts";

/** How pictures travel. */
export type Codec = "jpeg" | "h264";

/** A picture as it is sent. */
export type LivePicture = {
  which: Which;
  bytes: Uint8Array<ArrayBuffer>;
  size: Size;
  codec: Codec;
  /** Whether it can be shown without those before it. */
  key: boolean;
};

/** One that gets pictures. */
export type Consumer = {
  /** Whether it can take one now. */
  readonly wants: boolean;
  take(picture: LivePicture): void;
  /** Hears that there is no depot now; pictures may come again. */
  gone(why: string): void;
  /** Hears what it should know. */
  note(text: string): void;
};

/** What a consumer has got. */
type State = { last?: LivePicture; needsKey: boolean };

/** A frame that came, as one object for all sizes. */
export type Seen = { readonly id: string; readonly number: number };

/** Pictures of one depot in one size, by one encoder. */
export class Rendition {
  readonly width: number;
  readonly codec: Codec;
  readonly #consumers = new Map<Consumer, State>();
  /** Whether a picture is being made. */
  busy = false;
  /** Before this moment the next one must not begin, by `performance.now()`. */
  notBefore = 0;
  last: LivePicture | undefined;
  /** The frame of which a picture was begun last. */
  made: Seen | undefined;

  /** @param width as it is asked for; pictures are never wider than their frames */
  constructor(width: number, codec: Codec) {
    this.width = width;
    this.codec = codec;
  }

  get consumers(): MapIterator<Consumer> {
    return this.#consumers.keys();
  }

  get isEmpty(): boolean {
    return this.#consumers.size === 0;
  }

  /** Whether a picture would be taken. */
  get wants(): boolean {
    return this.#consumers.keys().some((consumer) => consumer.wants);
  }

  /** Whether one that would take a picture can show none before a key frame. */
  get needsKey(): boolean {
    return this.#consumers.entries().some(([consumer, { needsKey }]) => needsKey && consumer.wants);
  }

  add(consumer: Consumer): void {
    this.#consumers.set(consumer, { needsKey: true });
    this.catchUp(consumer);
  }

  remove(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  has(consumer: Consumer): boolean {
    return this.#consumers.has(consumer);
  }

  /** Whether a consumer shows nothing yet, or nothing that can be gone on from. */
  lacks(consumer: Consumer): boolean {
    return this.#consumers.get(consumer)?.needsKey === true;
  }

  /** A consumer has shown another picture meanwhile. */
  forget(consumer: Consumer): void {
    if (this.#consumers.has(consumer)) this.#consumers.set(consumer, { needsKey: true });
  }

  /** Gives a consumer that can take one the last picture, if it has not got it: no newer one may come. */
  catchUp(consumer: Consumer): void {
    const state = this.#consumers.get(consumer);
    if (this.last === undefined || state === undefined || state.last === this.last || !consumer.wants) return;
    if (this.last.key) this.#give(consumer, state, this.last);
  }

  /** Gives a picture to all that can take one. Where pictures depend on each other, the others wait for a key frame. */
  give(picture: LivePicture): void {
    this.last = picture;
    for (const [consumer, state] of this.#consumers) {
      if (consumer.wants && (picture.key || !state.needsKey)) this.#give(consumer, state, picture);
      else if (picture.codec !== "jpeg") state.needsKey = true;
    }
  }

  #give(consumer: Consumer, state: State, picture: LivePicture): void {
    state.last = picture;
    state.needsKey = false;
    consumer.take(picture);
  }
}
