/**
 * One client of the WebSocket.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { Channel, type Client } from "./channel.ts";
import type { Counts } from "./counts.ts";
import { inFull, listed } from "./depot_json.ts";
import type { Feeds } from "./feeds.ts";
import { Allowance } from "./gate.ts";
import { type ClientMessage, parseMessage } from "./messages.ts";
import type { Overview } from "./overview.ts";
import type { Codec } from "./renditions.ts";
import { roundedWidth } from "./sizes.ts";
import { type StoredFrames, storedRange } from "./stored.ts";
import type { Stills } from "./still.ts";
import type { WebSocket } from "./ws.d.ts";

/** What all clients share. */
export type Services = {
  overview: Overview;
  feeds: Feeds;
  stored: StoredFrames;
  stills: Stills;
  counts: Counts;
  /** What a page needs to know at its beginning. */
  hello: { codec: Codec; codecs: Codec[]; version: string; names: string[] | null; sharp: boolean };
};

/** The maximum of pictures that a page shows at one time. */
const MOST_CHANNELS = 64;
/** A client that does not take these bytes gets no pictures, and then no text. */
const [PICTURE_BYTES, TEXT_BYTES] = [8_000_000, 10_000_000];
/** Messages of a client: in the long run a second, and at once. */
const MESSAGES = [2000, 4000] as const;
/** A client that has not answered this many pings in a row is gone. */
const [PING_MS, PINGS] = [10_000, 3];

/** Codes with which a socket closes. */
export const CLOSE = { goingAway: 1001, policy: 1008 } as const;

/** Answers one client. */
export class Session implements Client {
  readonly services: Services;
  readonly #socket: WebSocket;
  readonly #channels = new Map<number, Channel>();
  readonly #allowance = new Allowance(...MESSAGES);
  readonly #unlisten: () => void;
  readonly #pinging: ReturnType<typeof setInterval>;
  #detail: string | undefined;
  /** What the last ping carried: a client that has not read it cannot answer it. */
  #pinged = "";
  #unanswered = 0;
  #open = true;

  constructor(socket: WebSocket, services: Services, pingMs: number = PING_MS) {
    this.#socket = socket;
    this.services = services;
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#hear(data, isBinary));
    socket.on("error", () => {}); // what was sent was wrong: the socket closes
    socket.on("close", () => this.#end());
    socket.on("pong", (data) => this.#answered(data));
    this.#pinging = setInterval(() => this.#ping(), pingMs);
    this.say({ type: "hello", ...services.hello });
    this.#unlisten = services.overview.listen(() => this.#tell());
    this.#tell();
  }

  /** Whether pictures would be taken. */
  get hasRoom(): boolean {
    return this.#open && this.#socket.bufferedAmount < PICTURE_BYTES;
  }

  say(message: object): void {
    if (this.#open && this.#socket.bufferedAmount < TEXT_BYTES) this.#socket.send(JSON.stringify(message));
  }

  /** Sends a picture: the length of its header, the header, the bytes. */
  send(header: object, bytes: Uint8Array): void {
    if (!this.#open) return;
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const message = Buffer.concat([length, text, bytes]);
    this.services.counts.send(message.length);
    this.#socket.send(message, { binary: true });
  }

  close(code: number, why: string): void {
    this.#socket.close(code, why);
    this.#end();
  }

  /** Ends it at once. */
  terminate(): void {
    this.#socket.terminate();
    this.#end();
  }

  #hear(data: Buffer, isBinary: boolean): void {
    if (!this.#open) return;
    if (!this.#allowance.take()) return this.close(CLOSE.policy, "too many messages");
    const message = isBinary ? { refused: "a message is binary" } : parseMessage(data.toString());
    if ("refused" in message) this.say({ type: "refused", text: message.refused });
    else this.#do(message);
  }

  #do(message: ClientMessage): void {
    switch (message.type) {
      case "detail":
        this.#detail = message.name;
        return void this.#tellDetail();
      case "show":
        return this.#show(message);
      case "hide":
        return this.#hide(message.channel);
    }
    const channel = this.#channels.get(message.channel); // else it was hidden meanwhile
    if (message.type === "at" || message.type === "step") void channel?.ask(message);
    else if (message.type === "shown") channel?.shown();
    else channel?.goOn();
  }

  #show({ channel: number, name, width, codec }: ClientMessage & { type: "show" }): void {
    const { overview, feeds, hello } = this.services;
    const before = this.#channels.get(number);
    if (before === undefined && this.#channels.size >= MOST_CHANNELS) {
      return this.say({ type: "refused", channel: number, text: `a client has at most ${MOST_CHANNELS} channels` });
    }
    if (!overview.serves(name)) {
      this.#hide(number);
      return this.say({ type: "gone", channel: number, why: `"${name}" is not served` });
    }
    const channel = new Channel(this, number, name, roundedWidth(width));
    this.#channels.set(number, channel);
    try {
      channel.feed = feeds.add(name, channel, channel.width, hello.codecs.includes(codec) ? codec : "jpeg");
    } catch (error) { // no depot can have this name
      this.#channels.delete(number);
      channel.gone((error as Error).message);
    }
    this.#leave(before); // after the other has joined: a depot that both show is not left
  }

  #hide(number: number): void {
    this.#leave(this.#channels.get(number));
    this.#channels.delete(number);
  }

  #leave(channel: Channel | undefined): void {
    channel?.end();
    if (channel?.feed !== undefined) this.services.feeds.remove(channel.feed, channel);
  }

  #tell(): void {
    const { overview, feeds } = this.services;
    const depots = overview.sights.map((sight) => listed(sight, feeds.newestOf(sight.info.name, sight.info.id)));
    this.say({ type: "depots", depots });
    void this.#tellDetail();
  }

  async #tellDetail(): Promise<void> {
    const name = this.#detail;
    if (name === undefined) return;
    const { overview, stored } = this.services;
    const sight = overview.serves(name) ? overview.sightOf(name) : undefined;
    if (sight === undefined) {
      return this.say({ type: "detail", name, missing: `there is no depot "${name}"` });
    }
    const isThere = sight.info.usable && !sight.info.stale;
    const range = isThere ? await stored.use(name, storedRange).catch(() => undefined) : undefined;
    if (this.#detail === name) this.say({ type: "detail", ...inFull(sight, overview.lagsOf(name), range) });
  }

  #ping(): void {
    if (this.#unanswered++ >= PINGS) return this.terminate();
    if (!this.#open) return;
    this.#pinged = randomUUID();
    this.#socket.ping(this.#pinged);
  }

  #answered(data: Buffer): void {
    if (data.toString() === this.#pinged) this.#unanswered = 0;
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#pinging);
    this.#unlisten();
    for (const number of [...this.#channels.keys()]) this.#hide(number);
  }
}
