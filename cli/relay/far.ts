/**
 * The relay on the far side: asks for frames, and fills a depot with what comes.
 *
 * @module
 */
import os from "node:os";
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import type { Address } from "./address.ts";
import { Assembly } from "./assembly.ts";
import { Connection, type ConnectOptions } from "./connection.ts";
import { FarDepot, type FarDepotOptions } from "./far_depot.ts";
import { readState } from "./messages.ts";
import type { Received } from "./received.ts";
import { type Ask, askSubject, farSubject, type Piece, readPiece, type State, WIRE_VERSION } from "./wire.ts";

/** How frames are received. */
export type ReceiveOptions = ConnectOptions & FarDepotOptions & {
  once?: boolean;
  /** Names the far relay; default: the host and the depot. */
  id?: string;
};

const BEAT_MS = 500;
/** Without a message for this long, the source has gone: it sends one at each beat. */
const SILENT_MS = 2000;

type Message = { header: string; data: Uint8Array };

/** Receives until it is interrupted. @param tell told what was received, whatever ended it */
export async function receiveFrom(
  name: string,
  address: Address,
  options: ReceiveOptions,
  interruption: Interruption,
  tell: (received: Received) => void,
): Promise<void> {
  await using place = await FarDepot.find(name, options);
  await using connection = await Connection.open(address, options, interruption.signal);
  const far = options.id ?? `${os.hostname()}/${name}`;
  const receiving = new Receiving(far, address.subject, place, connection, interruption);
  const { received } = receiving;
  try {
    await receiving.run(options.once ?? false);
    await place.whenRead(interruption);
  } finally {
    receiving.leave();
    tell({ depot: name, subject: address.subject, ...received });
  }
}

class Receiving {
  readonly received: Omit<Received, "depot" | "subject"> = { frames: 0, lost: 0, dropped: 0, bytes: 0 };
  readonly #far: string;
  readonly #subject: string;
  readonly #session = crypto.randomUUID();
  readonly #place: FarDepot;
  readonly #connection: Connection;
  readonly #interruption: Interruption;
  readonly #messages: Message[] = [];
  #wake = () => {};
  #isBusy = false;
  #heardMs = -Infinity;
  #startedMs = performance.now();
  #beatMs = this.#startedMs;
  #silenceSaid = false;
  #othersSaid = false;
  /** How often it has looked for a source. A state for an earlier hello is old. */
  #hello = 1;
  /** The source that is heard; undefined when it has gone silent, so that another one may answer. */
  #bound: string | undefined;
  /** The stream that is received, or was: the same source may come back. */
  #stream: string | undefined;
  #state: State | undefined;
  #epoch = 0;
  #got: number | undefined;
  #position = 0;
  /** In this epoch something is missing: nothing more is taken from it. */
  #isDeaf = false;
  #isEnded = false;
  /** H.264: what became of a frame before which those after it need, up to the next key frame. */
  #broken: "lost" | "dropped" | undefined;
  /** Whether the source knows what has arrived. */
  #isConfirmed = false;
  #assembly: Assembly | undefined;
  #askDue = false;

  constructor(far: string, subject: string, place: FarDepot, connection: Connection, interruption: Interruption) {
    this.#far = far;
    this.#subject = subject;
    this.#place = place;
    this.#connection = connection;
    this.#interruption = interruption;
  }

  /** @param once whether the end of a depot ends it */
  async run(once: boolean): Promise<void> {
    const { signal } = this.#interruption;
    const wake = () => this.#wake();
    const subscription = this.#connection.subscribe(farSubject(this.#subject, this.#session), (header, { data }) => {
      this.#messages.push({ header, data });
      this.#wake();
    });
    const beat = setInterval(() => this.#beat(), BEAT_MS);
    signal.addEventListener("abort", wake);
    try {
      this.#ask({ beat: true });
      while (!(once && this.#isOver)) {
        signal.throwIfAborted();
        this.#connection.throwIfClosed();
        const message = this.#messages.shift();
        if (message === undefined) await new Promise<void>((resolve) => this.#wake = resolve);
        else await this.#take(message);
      }
    } finally {
      clearInterval(beat);
      signal.removeEventListener("abort", wake);
      subscription.unsubscribe();
      this.#drop();
    }
  }

  /** All has come, and the source knows it, or has gone. */
  get #isOver(): boolean {
    return this.#isEnded && (this.#isConfirmed || this.#bound === undefined);
  }

  /** Says that it leaves, with what has arrived. */
  leave(): void {
    this.#ask({ bye: true });
  }

  async #take({ header, data }: Message): Promise<void> {
    this.#isBusy = true;
    try {
      const piece = header === "state" ? undefined : readPiece(header);
      if (header === "state") await this.#hear(readState(data));
      else if (piece !== undefined && this.#isDue(piece)) await this.#takePiece(piece, data);
    } finally {
      this.#isBusy = false;
      this.#heardMs = performance.now();
      this.#silenceSaid = false;
    }
  }

  async #hear(state: ReturnType<typeof readState>): Promise<void> {
    if (state !== undefined && !("otherVersion" in state)) return await this.#takeState(state);
    if (state === undefined || this.#bound !== undefined) return;
    throw new Failure(
      `the relay at ${this.#subject} speaks version ${state.otherVersion} of the messages, and this one ` +
        `${WIRE_VERSION}: use the same version of frames-depot on both sides`,
      EXIT.refused,
    );
  }

  async #takeState(state: State): Promise<void> {
    if (this.#isOther(state)) return;
    if (state.replaced) {
      throw new Failure(
        `another relay has taken the place of this one as "${this.#far}": give one of them another --id`,
        EXIT.refused,
      );
    }
    if (state.hello !== this.#hello) return;
    if (this.#bound === undefined) this.#bind(state);
    if (state.stream !== this.#stream || state.epoch < this.#epoch) return;
    this.#state = state;
    const { description, mode } = state;
    if (description !== undefined && description.id !== this.#place.id) {
      this.#drop();
      await this.#place.change(description, mode, this.#interruption);
      this.#isEnded = false;
      this.received.depots = (this.received.depots ?? 0) + 1;
    }
    if (state.epoch !== this.#epoch) {
      [this.#epoch, this.#isDeaf] = [state.epoch, false];
      this.#drop();
    }
    if (state.sent > this.#got!) this.#miss(state);
    this.#isConfirmed = state.arrived >= this.#got!;
  }

  /** Whether a state is of a second source, beside the one that is heard. */
  #isOther({ source }: State): boolean {
    const isOther = this.#bound !== undefined && source !== this.#bound;
    if (isOther && !this.#othersSaid) {
      const warning = paintErrors().yellow("warning:");
      complain(`${warning} two relays send to ${this.#subject}: only the first is heard; give each its own subject\n`);
      this.#othersSaid = true;
    }
    return isOther;
  }

  /** Hears a source: goes on with the stream, or begins another one. */
  #bind({ source, stream, first, base, mode }: State): void {
    this.#bound = source;
    if (stream === this.#stream) return;
    this.#stream = stream;
    [this.#got, this.#position, this.#epoch, this.#isDeaf] = [first - 1, base, 0, false];
    this.#broken = mode !== "lossless" && first > 1 ? "lost" : undefined;
    this.#drop();
  }

  /** The source has gone silent. What still comes from it is old: another one may have heard what has arrived. */
  #unbind(): void {
    if (this.#bound === undefined) return;
    this.#bound = undefined;
    this.#hello++;
    this.#drop();
  }

  /** All that the source has sent should be here by now, and is not. */
  #miss({ sent, position, mode, ended }: State): void {
    if (mode === "lossless") return this.#askAgain();
    this.#drop();
    this.received.lost += position - this.#position;
    [this.#got, this.#position, this.#broken] = [sent, position, "lost"];
    if (ended) this.#end();
    this.#askSoon();
  }

  /** Whether a piece is of what is expected. */
  #isDue({ stream, epoch, depot, number, head, kind }: Piece): boolean {
    if (this.#bound === undefined || stream !== this.#stream || this.#got === undefined) return false;
    if (epoch !== this.#epoch || this.#isDeaf || number <= this.#got) return false;
    const isNext = this.#state!.mode !== "lossless" || number === this.#got + 1;
    const fits = depot === this.#place.id && isNext &&
      (kind === "end" || head !== undefined || this.#assembly !== undefined);
    if (!fits) this.#damaged();
    return fits;
  }

  async #takePiece(piece: Piece, data: Uint8Array): Promise<void> {
    const { number, kind, head, offset } = piece;
    const { signal } = this.#interruption;
    if (kind === "end") {
      this.received.lost += offset - this.#position;
      [this.#got, this.#position] = [number, offset];
      this.#end();
      return this.#askSoon();
    }
    if (head !== undefined) {
      this.#drop();
      const codec = this.#state!.description!.codec;
      this.#assembly = await Assembly.begin(this.#place.depot!, codec, piece, signal);
    }
    const assembly = this.#assembly!;
    if (!assembly.add(piece, data)) return this.#damaged();
    if (!assembly.isWhole) return;
    const became = await this.#store(assembly);
    if (became === undefined) return this.#damaged();
    const { position, bodyBytes, metadataBytes } = assembly.head;
    this.#drop();
    this.received.lost += position - this.#position - 1;
    [this.#got, this.#position] = [number, position];
    this.received[became]++;
    this.received.bytes += bodyBytes - metadataBytes;
    this.#askSoon();
  }

  /** @returns what became of a whole frame; undefined where it is damaged */
  async #store(assembly: Assembly): Promise<"frames" | "lost" | "dropped" | undefined> {
    const isH264 = this.#state!.description!.codec === "h264";
    if (isH264 && assembly.number > this.#got! + 1) this.#broken ??= "lost";
    if (isH264 && this.#broken !== undefined && !assembly.isKeyUnit) return this.#broken;
    const stored = await assembly.publish(this.#interruption.signal);
    if (stored === undefined) return undefined;
    this.#place.note(assembly.head);
    this.#broken = stored ? undefined : "dropped";
    return stored ? "frames" : "dropped";
  }

  #end(): void {
    this.#drop();
    this.#isEnded = true;
    const { depot } = this.#place;
    if (depot !== undefined && !depot.ended) depot.end();
  }

  /** A piece is missing, or is not what was sent. */
  #damaged(): void {
    this.#drop();
    if (this.#state!.mode === "lossless") this.#askAgain();
  }

  /** Asks for what comes after what has arrived. */
  #askAgain(): void {
    if (this.#isDeaf) return;
    this.#isDeaf = true;
    this.#drop();
    this.#ask({ beat: true });
  }

  /** No frame is half delivered: its slot goes back. */
  #drop(): void {
    this.#assembly?.[Symbol.dispose]();
    this.#assembly = undefined;
  }

  /** One answer for all that has arrived meanwhile. */
  #askSoon(): void {
    if (this.#askDue) return;
    this.#askDue = true;
    setImmediate(() => {
      this.#askDue = false;
      this.#ask(this.#isEnded ? { beat: true } : {});
    });
  }

  #beat(): void {
    const nowMs = performance.now();
    if (nowMs - this.#beatMs > 2 * BEAT_MS) this.#startedMs = nowMs; // it stood still: what came is yet to be read
    this.#beatMs = nowMs;
    const silentMs = performance.now() - Math.max(this.#heardMs, this.#startedMs);
    const isWaiting = this.#isBusy || this.#messages.length > 0; // for readers of the depot
    if (!isWaiting && silentMs > SILENT_MS && this.#connection.isUp) {
      this.#unbind();
      if (!this.#silenceSaid) complain(`waiting for a relay that sends to ${this.#subject}\n`);
      this.#silenceSaid = true;
    }
    this.#ask({ beat: !isWaiting });
    this.#wake(); // for what the connection has to say
  }

  #ask(more: Partial<Ask> = {}): void {
    const ask: Ask = {
      ...{ version: WIRE_VERSION, far: this.#far, session: this.#session, hello: this.#hello, source: this.#bound },
      ...{ got: this.#got, of: this.#stream },
      ...this.#bound === undefined ? { last: this.#place.last() } : {},
      ...this.#isDeaf ? { gap: this.#epoch } : {},
      ...more,
    };
    this.#connection.send(askSubject(this.#subject), "ask", new TextEncoder().encode(JSON.stringify(ask)));
  }
}
