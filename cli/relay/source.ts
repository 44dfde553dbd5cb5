/**
 * The relay beside the source: hears far relays, and has a session for each.
 *
 * @module
 */
import { DepotError, FramesDepot, type ReadMode } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { counted } from "../terminal/units.ts";
import type { Address } from "./address.ts";
import type { Codec } from "./codecs.ts";
import { Connection, type ConnectOptions } from "./connection.ts";
import { type OtherVersion, readAsk } from "./messages.ts";
import { checkCodec, Packing } from "./packing.ts";
import { Session, type Shared } from "./session.ts";
import { type Ask, askSubject, farSubject, WIRE_VERSION } from "./wire.ts";

/** How a depot is sent. */
export type SendOptions = ConnectOptions & {
  mode: ReadMode;
  codec: Codec;
  quality: number;
  once?: boolean;
  /** Seconds after which a lossless far relay that is silent is given up. */
  patience?: number;
};

/** What was sent, to all far relays together. */
export type Sent = { depot: string; subject: string; relays: number; frames: number; lost: number; bytes: number };

/** A far relay says something twice a second. */
const SILENT_MS = 5000;
const LOOK_MS = 200;
/** A process that looks as late as this has stood still: what was said to it meanwhile is yet to be read. */
const STOOD_STILL_MS = 1000;

/** Sends until it is interrupted. @param tell told what was sent, whatever ended it */
export async function sendTo(
  name: string,
  address: Address,
  options: SendOptions,
  interruption: Interruption,
  tell: (sent: Sent) => void,
): Promise<void> {
  await checkCodec(options.codec);
  await using connection = await Connection.open(address, options, interruption.signal);
  const { subject } = address;
  const { mode, codec } = options;
  const source = crypto.randomUUID();
  const packing = new Packing(options.quality);
  const sending = new Sending({ name, subject, source, mode, codec, connection, packing }, options);
  try {
    await sending.run(interruption);
  } finally {
    tell({ depot: name, subject, ...sending.sum() });
    await sending.end();
  }
}

class Sending {
  readonly #shared: Shared;
  readonly #options: SendOptions;
  readonly #sessions = new Map<string, { session: Session; running: Promise<void>; silenceSaid: boolean }>();
  readonly #stop = new AbortController();
  /** Of the sessions that are over. */
  readonly #over = { relays: 0, frames: 0, lost: 0, bytes: 0, done: 0 };
  /** Runs of far relays that have given way to another of their name: what they still say counts no more. */
  readonly #former = new Set<string>();
  /** When this process could last not hear anything itself. */
  #stoodStillMs = -Infinity;
  #failure: unknown;
  #versionSaid = false;
  #fullSaid = false;

  constructor(shared: Shared, options: SendOptions) {
    this.#shared = shared;
    this.#options = options;
    shared.connection.subscribe(askSubject(shared.subject), (_, { data }) => this.#hear(data));
  }

  async run(interruption: Interruption): Promise<void> {
    const { name } = this.#shared;
    if (FramesDepot.inspect(name) === undefined) complain(`waiting for depot "${name}"\n`); // or the name is wrong
    for (let lookedMs = performance.now();;) {
      await interruption.sleep(LOOK_MS);
      const nowMs = performance.now();
      if (nowMs - lookedMs > STOOD_STILL_MS) this.#stoodStillMs = nowMs;
      lookedMs = nowMs;
      this.#shared.connection.throwIfClosed();
      if (this.#failure !== undefined) throw this.#failure;
      for (const far of [...this.#sessions.keys()]) this.#look(far);
      const sessions = [...this.#sessions.values()].map(({ session }) => session);
      const isDone = sessions.every(({ isDone }) => isDone) && sessions.length + this.#over.done > 0;
      if (this.#options.once && isDone) return;
    }
  }

  #hear(data: Uint8Array): void {
    const ask = readAsk(data);
    if (ask === undefined) return;
    if ("otherVersion" in ask) return this.#refuse(ask);
    if (ask.source !== undefined && ask.source !== this.#shared.source) return;
    if (this.#former.has(ask.session)) return;
    const known = this.#sessions.get(ask.far);
    if (known?.session.run === ask.session) {
      if (!known.session.isOver) known.session.hear(ask);
      return;
    }
    if (ask.bye || ask.source !== undefined) return; // what it has got is not known: it will say hello
    if (known !== undefined) this.#former.add(known.session.run);
    const goesOn = known !== undefined && !known.session.isOver && this.#shared.mode === "lossless";
    if (goesOn) return known.session.hear(ask);
    known?.session.giveWay();
    this.#begin(ask);
  }

  /** Says which version this one speaks: a relay of another one ends with it. */
  #refuse({ otherVersion, far, session }: OtherVersion): void {
    const { connection, subject, source } = this.#shared;
    const said = new TextEncoder().encode(JSON.stringify({ version: WIRE_VERSION, source }));
    connection.send(farSubject(subject, session), "state", said);
    if (this.#versionSaid) return;
    this.#versionSaid = true;
    complain(
      `${paintErrors().yellow("warning:")} relay "${far}" gets nothing: it speaks version ${otherVersion} of the ` +
        `messages, and this one ${WIRE_VERSION}; use the same version of frames-depot on both sides\n`,
    );
  }

  #begin(hello: Ask): void {
    const session = new Session(hello, this.#shared);
    const running = session.send(this.#stop.signal).catch((error) => {
      if (this.#stop.signal.aborted) return;
      if (error instanceof DepotError && error.code === "TOO_MANY_PEERS") this.#isFull(hello.far, error);
      else this.#failure ??= error;
    }).finally(() => {
      if (this.#sessions.get(hello.far)?.session === session) this.#sessions.delete(hello.far);
      add(this.#over, session);
      if (session.isDone) this.#over.done++;
    });
    this.#sessions.set(hello.far, { session, running, silenceSaid: false });
    session.hear(hello);
  }

  /** The depot has no room for another reader: those that have one go on, and this one is tried again. */
  #isFull(far: string, error: DepotError): void {
    if (!this.#fullSaid) complain(`${paintErrors().yellow("warning:")} relay "${far}" has to wait: ${error.message}\n`);
    this.#fullSaid = true;
  }

  /** Gives up a far relay that is silent; a lossless one is waited for. */
  #look(far: string): void {
    const known = this.#sessions.get(far)!;
    const silentMs = performance.now() - Math.max(known.session.heardMs, this.#stoodStillMs);
    const { mode, name } = this.#shared;
    const patienceMs = mode === "lossless" ? (this.#options.patience ?? Infinity) * 1000 : SILENT_MS;
    if (silentMs > patienceMs) return known.session.leave();
    if (silentMs < SILENT_MS) known.silenceSaid = false;
    if (silentMs < SILENT_MS || known.silenceSaid) return;
    known.silenceSaid = true;
    complain(
      `relay "${far}" is silent: depot "${name}" keeps its place until it is back; --patience SECONDS gives it up\n`,
    );
  }

  sum(): Pick<Sent, "relays" | "frames" | "lost" | "bytes"> {
    const { done: _, ...sum } = this.#over;
    for (const { session } of this.#sessions.values()) add(sum, session);
    return sum;
  }

  async end(): Promise<void> {
    this.#stop.abort(new Failure("", EXIT.interrupted));
    await Promise.all([...this.#sessions.values()].map(({ running }) => running));
  }
}

function add(sum: Pick<Sent, "relays" | "frames" | "lost" | "bytes">, { frames, lost, bytes }: Session): void {
  sum.relays++;
  sum.frames += frames;
  sum.lost += lost;
  sum.bytes += bytes;
}

/** `12 frames sent to 1 relay, 3 lost`. */
export function sentInWords({ depot, relays, frames, lost }: Sent): string {
  return `${counted(frames, "frame")} of ${depot} sent to ${counted(relays, "relay")}${
    lost > 0 ? `, ${lost} lost` : ""
  }`;
}
