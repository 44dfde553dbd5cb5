/**
 * One picture on a client's page: live with two under way, or paused on a stored frame.
 *
 * @module
 */
import type { FramesDepot } from "../../mod.ts";
import type { Feed } from "./feed.ts";
import type { Consumer, LivePicture } from "./renditions.ts";
import { ageMs, type Which } from "./snapshot.ts";
import type { Stills } from "./still.ts";
import { neighbourOf, type StoredFrames, storedRange } from "./stored.ts";

/** Pictures that may be under way to a client. */
const CREDITS = 2;
/** Time between two looks at whether a client takes what it has asked for. */
const ROOM_MS = 100;

/** What a channel needs of its client. */
export type Client = {
  /** Whether pictures would be taken. */
  readonly hasRoom: boolean;
  say(message: object): void;
  /** Sends a picture. */
  send(header: object, bytes: Uint8Array): void;
  readonly services: { stored: StoredFrames; stills: Stills };
};

/** What a paused channel asks for: a stored frame, or the one before or after it. */
export type Asked = { number: number; by?: -1 | 1 };

/** What a client shows in one place. */
export class Channel implements Consumer {
  readonly number: number;
  readonly name: string;
  readonly width: number;
  readonly #client: Client;
  feed: Feed | undefined;
  #credits = CREDITS;
  #paused = false;
  #asked: Asked | undefined;
  #isAsking = false;
  #noted: string | undefined;
  #ended = false;

  constructor(client: Client, number: number, name: string, width: number) {
    this.#client = client;
    this.number = number;
    this.name = name;
    this.width = width;
  }

  get wants(): boolean {
    return !this.#paused && this.#credits > 0 && this.#client.hasRoom;
  }

  take(picture: LivePicture): void {
    this.#credits--;
    this.#noted = undefined;
    this.#send(picture.which, picture);
  }

  gone(why: string): void {
    this.#client.say({ type: "gone", channel: this.number, why });
  }

  note(text: string): void {
    if (this.#noted === text) return;
    this.#noted = text;
    this.#client.say({ type: "note", channel: this.number, text });
  }

  /** The client has shown a picture. */
  shown(): void {
    this.#credits = Math.min(CREDITS, this.#credits + 1);
    this.feed?.wake(this);
  }

  goOn(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#asked = undefined;
    this.feed?.again(this);
  }

  /** The client shows it no more: what is still being made for it is not sent. */
  end(): void {
    this.#ended = true;
    this.#asked = undefined;
  }

  /**
   * Pauses, and sends a stored frame when the client has room for it. Of requests that come while one is answered, the
   * last counts.
   */
  async ask(asked: Asked): Promise<void> {
    this.#paused = true;
    this.#asked = asked;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      for (let next; (next = this.#asked) !== undefined;) {
        if (!this.#client.hasRoom) {
          await new Promise((resolve) => setTimeout(resolve, ROOM_MS));
          continue;
        }
        this.#asked = undefined;
        await this.#answer(next);
      }
    } finally {
      this.#isAsking = false;
    }
  }

  async #answer(asked: Asked): Promise<void> {
    const { services: { stored, stills } } = this.#client;
    const channel = this.number;
    try {
      const number = await stored.use(this.name, (depot) => numberOf(asked, depot));
      const still = number === undefined
        ? undefined
        : await stills.of(this.name, number, { type: "jpeg", width: this.width });
      if (this.#ended) return;
      if (still !== undefined) {
        return this.#send(still.which, { ...still.picture, size: still.picture, codec: "jpeg", key: true }, true);
      }
      const range = await stored.use(this.name, storedRange);
      if (!this.#ended) this.#client.say({ type: "missing", channel, number: asked.number, range });
    } catch (error) {
      if (this.#ended) return;
      this.#client.say({ type: "missing", channel, number: asked.number, why: (error as Error).message });
    }
  }

  #send(which: Which, picture: Pick<LivePicture, "bytes" | "size" | "codec" | "key"> & object, asked = false): void {
    const { bytes, size: { width, height }, codec, key } = picture;
    const { codecString } = picture as { codecString?: string };
    const { name, id, number, sequence, timestampNs, fullWidth, fullHeight } = which;
    this.#client.send({
      ...{ channel: this.number, name, id, number, sequence, timestampNs: String(timestampNs) },
      ...{ width, height, fullWidth, fullHeight, codec, codecString, key, ageMs: ageMs(which) },
      asked: asked || undefined,
    }, bytes);
  }
}

/** The number that is wanted, or undefined where there is no such frame. */
function numberOf({ number, by }: Asked, depot: FramesDepot): number | undefined {
  return by === undefined ? number : neighbourOf(depot, number, by);
}
