/**
 * One far relay, as the relay beside the source sees it: what is under way to it, what has arrived, what is missing.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import type { Frame, FramesDepot, ReadMode } from "../../mod.ts";
import { bytesOf } from "../video/bytes.ts";
import type { Connection } from "./connection.ts";
import type { Codec } from "./codecs.ts";
import { describe, type Description } from "./description.ts";
import type { H264Encoder } from "./h264.ts";
import { Pacing } from "./pacing.ts";
import type { Packing } from "./packing.ts";
import { isLast, Taking } from "./taking.ts";
import {
  type Ask,
  farSubject,
  type FrameHead,
  type LastFrame,
  type Piece,
  pieceHeader,
  type State,
  WIRE_VERSION,
} from "./wire.ts";

/** What all sessions of a relay share. */
export type Shared = {
  /** The depot's name. */
  name: string;
  subject: string;
  /** This run of the relay. */
  source: string;
  mode: ReadMode;
  codec: Codec;
  connection: Connection;
  packing: Packing;
};

/** A frame of the stream, or the end of a depot. With `lossless` its bytes stay until they have arrived. */
type Item = {
  number: number;
  position: number;
  description: Description;
  frame?: Pick<Frame, "sequence" | "frameNumber" | "timestampNs" | "byteLength" | "metadata">;
  body: Uint8Array;
  lease?: Frame;
};

const NOTHING = new Uint8Array(0);

/** The frames on their way to one far relay. */
export class Session {
  /** When it was last heard of. */
  heardMs = performance.now();
  /** Whether the far relay has left, or another one has its place. */
  isOver = false;
  /** Frames that were sent, once each, and those that could not be. */
  frames = 0;
  lost = 0;
  bytes = 0;
  /** Whether all of a depot that has ended has arrived. */
  isDone = false;
  readonly #shared: Shared;
  readonly #stream = crypto.randomUUID();
  #session: string;
  #hello: number;
  #first: LastFrame | undefined;
  #epoch = 1;
  /** Of what was made last. */
  #number = 0;
  #position = 0;
  /** Of what was sent last in this epoch. */
  #sent: Pick<Item, "number" | "position"> & { isEnd: boolean } = { number: 0, position: 0, isEnd: false };
  #got = { number: 0, position: 0 };
  /** Not lossless: what went before the far relay heard this one, and is no loss of it. */
  #base = { number: 0, position: 0 };
  /** What has arrived, by its number. */
  #confirmed = 0;
  /** Lossless: what has not arrived; that before the index was sent in this epoch. */
  #window: Item[] = [];
  #cursor = 0;
  readonly #pacing = new Pacing();
  #description: Description | undefined;
  #said: Description | undefined;
  #taking: Taking | undefined;
  /** Of the depot that is described: what it has made depends on what it made before. */
  #encoder: H264Encoder | undefined;
  #wake = () => {};

  constructor(hello: Ask, shared: Shared) {
    this.#session = hello.session;
    this.#hello = hello.hello;
    this.#shared = shared;
    this.#first = this.#comparable(hello.last);
  }

  get #isLossless(): boolean {
    return this.#shared.mode === "lossless";
  }

  /** What the far depot has can be compared only where frames arrive as they are. */
  #comparable(last: LastFrame | undefined): LastFrame | undefined {
    const isSame = this.#shared.codec === "raw" || this.#shared.codec === "zstd";
    return last === undefined || isSame ? last : { ...last, crc: -1 };
  }

  /** The run of the far relay that is heard. */
  get run(): string {
    return this.#session;
  }

  /** Another run of the far relay takes over, in a session of its own. */
  giveWay(): void {
    this.#sayState({ replaced: true });
    this.leave();
  }

  /** The far relay has left, or is given up. */
  leave(): void {
    this.isOver = true;
    this.#wake();
  }

  /** Takes in what the far relay says. */
  hear(ask: Ask): void {
    this.heardMs = performance.now();
    if (ask.session !== this.#session) this.#goOnWith(ask);
    else if (ask.hello > this.#hello) this.#meetAgain(ask);
    else if (ask.hello === this.#hello) this.#hasGot(ask);
    if (this.#isLossless && ask.gap === this.#epoch) this.#sendAgain();
    if (ask.bye) this.isOver = true;
    else if (ask.beat) this.#sayState();
    this.#wake();
  }

  /** Another run of the far relay: what its depot has got is not sent again. */
  #goOnWith({ session, hello, last }: Ask): void {
    this.#sayState({ replaced: true });
    [this.#session, this.#hello] = [session, hello];
    this.#hasLast(last);
    this.#sendAgain();
  }

  /** The far relay has heard nothing for long, or another source: what it has got since is not sent again. */
  #meetAgain(ask: Ask): void {
    this.#hello = ask.hello;
    if (ask.of === this.#stream) this.#hasGot(ask);
    else if (this.#isLossless) this.#hasLast(ask.last);
    else this.#base = this.#sent;
    if (this.#isLossless) this.#sendAgain();
  }

  #hasGot({ got, of }: Ask): void {
    if (got !== undefined && of === this.#stream) this.#arrived(Math.min(got, this.#number));
  }

  #hasLast(last: LastFrame | undefined): void {
    const comparable = this.#comparable(last);
    const index = comparable === undefined ? -1 : this.#window.findLastIndex((item) => isOf(item, comparable));
    if (index >= 0) this.#arrived(this.#window[index].number);
  }

  #arrived(number: number): void {
    this.#pacing.arrived(number);
    this.#confirmed = Math.max(this.#confirmed, number);
    let passed: Item | undefined;
    while (this.#window.length > 0 && this.#window[0].number <= number) {
      passed = this.#window.shift()!;
      this.#cursor = Math.max(0, this.#cursor - 1);
      passed.lease?.release();
      this.#got = passed;
      if (passed.frame === undefined) this.isDone = true;
      else void this.#taking?.arrived(passed.description.id, passed.frame.sequence);
    }
    if (!this.#isLossless && number === this.#sent.number && this.#sent.isEnd) this.isDone = true;
  }

  #sendAgain(): void {
    this.#epoch++;
    this.#cursor = 0;
    this.#sent = { ...this.#got, isEnd: false };
    this.#pacing.reset();
    this.#said = undefined;
    this.#sayState();
  }

  /** Sends frames until the far relay has left. @throws what the depot and the connection throw */
  async send(signal: AbortSignal): Promise<void> {
    const { connection, name, mode } = this.#shared;
    const wake = () => this.#wake();
    signal.addEventListener("abort", wake);
    try {
      await using taking = this.#taking = new Taking(name, mode, this.#first, signal);
      while (!this.isOver) {
        signal.throwIfAborted();
        await connection.up(signal);
        if (!this.#pacing.open || this.#isBarred) await new Promise<void>((resolve) => this.#wake = resolve);
        else if (this.#cursor < this.#window.length) this.#publish(this.#window[this.#cursor++]);
        else await this.#take(taking, signal);
      }
    } finally {
      signal.removeEventListener("abort", wake);
      for (const { lease } of this.#window) lease?.release();
      await this.#encoder?.[Symbol.asyncDispose]();
    }
  }

  /**
   * Whether what comes next is of another depot than what has not arrived. A far relay replaces its depot then, and one
   * that comes after it would not know what had arrived before.
   */
  get #isBarred(): boolean {
    const [before, next] = [this.#window[this.#cursor - 1], this.#window[this.#cursor]];
    return before !== undefined && next !== undefined && before.description !== next.description;
  }

  async #take(taking: Taking, signal: AbortSignal): Promise<void> {
    const taken = await taking.next();
    if (taken === undefined) return;
    const { depot, frame, lost } = taken;
    if (this.#description?.id !== depot.id) await this.#describe(depot);
    const item = frame === undefined ? this.#endItem() : await this.#frameItem(depot, frame, lost, signal);
    if (this.#isLossless) this.#window.push(item); // it is sent in its turn
    else this.#publish(item);
  }

  async #describe(depot: FramesDepot): Promise<void> {
    const description = this.#description = describe(depot, this.#shared.codec);
    await this.#encoder?.[Symbol.asyncDispose]();
    this.#encoder = description.codec === "h264" ? this.#shared.packing.h264(depot) : undefined;
  }

  #endItem(): Item {
    const description = this.#description!;
    return { number: ++this.#number, position: this.#position, description, body: NOTHING };
  }

  async #frameItem(depot: FramesDepot, frame: Frame, lost: number, signal: AbortSignal): Promise<Item> {
    const description = this.#description!;
    const { codec } = description;
    const body = codec === "h264"
      ? await this.#encoder!.encode(frame, signal)
      : await this.#shared.packing.pack(codec, depot.id, frame);
    const { sequence, frameNumber, timestampNs, metadata } = frame;
    const byteLength = codec === "jpeg" || codec === "h264" ? body.length : frame.byteLength;
    this.isDone = false;
    this.frames++;
    this.lost += lost;
    this.bytes += body.length;
    this.#position += lost + 1;
    const number = ++this.#number;
    const details = { sequence, frameNumber, timestampNs, byteLength, metadata: metadata.slice() };
    const item: Item = { number, position: this.#position, description, frame: details, body };
    if (!this.#isLossless || codec !== "raw") return item;
    const lease = frame.clone();
    return { ...item, lease, body: bytesOf(lease.data) };
  }

  #publish(item: Item): void {
    const { number, position, description, frame, body } = item;
    if (description !== this.#said) {
      this.#said = description;
      this.#sayState();
    }
    const common = { number, stream: this.#stream, epoch: this.#epoch, depot: description.id };
    if (frame !== undefined) {
      this.#publishFrame(common, { ...frame, position, metadataBytes: frame.metadata.length }, frame.metadata, body);
    } else {
      const { connection, subject } = this.#shared;
      const end = pieceHeader({ ...common, kind: "end", offset: position, crc: 0 });
      connection.send(farSubject(subject, this.#session), end, NOTHING);
    }
    this.#sent = { number, position, isEnd: frame === undefined };
    this.#pacing.sent(number, (frame?.metadata.length ?? 0) + body.length);
  }

  /** Sends all pieces at once, so that nothing comes between them. */
  #publishFrame(
    common: Pick<Piece, "number" | "stream" | "epoch" | "depot">,
    head: Omit<FrameHead, "bodyBytes">,
    metadata: Uint8Array,
    body: Uint8Array,
  ): void {
    const { connection, subject } = this.#shared;
    const to = farSubject(subject, this.#session);
    const bodyBytes = metadata.length + body.length;
    const step = connection.pieceBytes;
    for (let offset = 0; offset === 0 || offset < bodyBytes; offset += step) {
      const piece = part(metadata, body, offset, offset + step);
      const first = offset === 0 ? { head: { ...head, bodyBytes } } : {};
      const header = pieceHeader({ ...common, ...first, kind: "piece", offset, crc: zlib.crc32(piece) });
      connection.send(to, header, piece);
    }
  }

  #sayState(more: Partial<State> = {}): void {
    const { subject, source, mode, connection } = this.#shared;
    const kept = this.#isLossless ? this.#got : this.#base;
    const { number, position, isEnd } = this.#sent;
    const state: State = {
      ...{ version: WIRE_VERSION, source, stream: this.#stream, mode, hello: this.#hello, epoch: this.#epoch },
      ...{ first: kept.number + 1, base: kept.position, sent: number, position, arrived: this.#confirmed },
      ...{ description: this.#said ?? this.#window[0]?.description ?? this.#description },
      ended: isEnd,
      ...more,
    };
    connection.send(farSubject(subject, this.#session), "state", new TextEncoder().encode(JSON.stringify(state)));
  }
}

/** A part of two byte sequences, one after the other; a copy only where it is of both. */
function part(metadata: Uint8Array, body: Uint8Array, from: number, to: number): Uint8Array {
  const before = metadata.length;
  if (from >= before) return body.subarray(from - before, to - before);
  return Buffer.concat([metadata.subarray(from, to), body.subarray(0, Math.max(0, to - before))]);
}

/** Whether an item is the frame that the far depot has got last. */
function isOf({ frame, body, description }: Item, last: LastFrame): boolean {
  if (frame === undefined || last.depot !== undefined && last.depot !== description.id) return false;
  const crc = description.codec === "zstd" ? -1 : last.crc; // what was packed has another
  return isLast({ ...frame, data: body as Uint8Array<ArrayBuffer> }, { ...last, crc });
}
