/**
 * A depot as `multipart/x-mixed-replace`, which browsers and camera viewers show as moving pictures.
 *
 * @module
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HEADERS } from "./answer.ts";
import type { Counts } from "./counts.ts";
import type { Feed } from "./feed.ts";
import type { Feeds } from "./feeds.ts";
import type { Consumer, LivePicture } from "./renditions.ts";

const BOUNDARY = "frame";
/** A client that takes nothing for this time is gone. */
const STALLED_MS = 30_000;

/** One client. It gets a picture when it has taken the one before: a slow one loses frames. */
export class MjpegStream implements Consumer {
  static readonly type = `multipart/x-mixed-replace; boundary=${BOUNDARY}`;
  readonly #response: ServerResponse;
  readonly #counts: Counts;
  readonly #leave: () => void;
  #feed: Feed | undefined;
  #isWriting = false;
  #ended = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param leave is called at its end */
  constructor(response: ServerResponse, counts: Counts, leave: () => void) {
    this.#response = response;
    this.#counts = counts;
    this.#leave = leave;
  }

  /** @param socket of the request: its answer has none before those of earlier requests are sent */
  begin(feeds: Feeds, name: string, width: number, socket: Socket): void {
    if (socket.destroyed) return this.#end(feeds); // it has gone meanwhile, and does not say so again
    this.#response.writeHead(200, { ...HEADERS, "Content-Type": MjpegStream.type, Connection: "close" });
    this.#response.flushHeaders();
    this.#response.on("error", () => {});
    for (const gone of [this.#response, socket]) gone.once("close", () => this.#end(feeds));
    this.#feed = feeds.add(name, this, width, "jpeg");
    if (this.#ended) feeds.remove(this.#feed, this);
  }

  get wants(): boolean {
    return !this.#isWriting && !this.#ended;
  }

  take({ bytes, which: { number, timestampNs } }: LivePicture): void {
    const head = [
      `--${BOUNDARY}`,
      "Content-Type: image/jpeg",
      `Content-Length: ${bytes.length}`,
      `X-Frame-Number: ${number}`,
      `X-Timestamp: ${(Number(timestampNs / 1000n) / 1e6).toFixed(6)}`,
      "\r\n",
    ].join("\r\n");
    this.#isWriting = true;
    this.#counts.send(bytes.length);
    this.#response.write(head);
    this.#response.write(bytes);
    this.#timer = setTimeout(() => this.#response.destroy(), STALLED_MS);
    if (this.#response.write("\r\n")) this.#written();
    else this.#response.once("drain", () => this.#written());
  }

  gone(): void {} // pictures may come again
  note(): void {}

  #written(): void {
    clearTimeout(this.#timer);
    // Not in the call that gave the picture.
    setImmediate(() => {
      this.#isWriting = false;
      if (!this.#ended) this.#feed?.wake(this);
    });
  }

  #end(feeds: Feeds): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    if (this.#feed !== undefined) feeds.remove(this.#feed, this);
    this.#leave();
  }
}
