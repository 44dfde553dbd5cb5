/**
 * The depot on the far side: made as the source's is described, joined after a restart, replaced when that one is.
 *
 * @module
 */
import zlib from "node:zlib";
import { DepotError, FramesDepot, type ReadMode, type WhenFull } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import type { Interruption } from "../interruption.ts";
import { bytesOf } from "../video/bytes.ts";
import { fillerOf } from "../video/place.ts";
import { type Description, optionsOf } from "./description.ts";
import type { FrameHead, LastFrame } from "./wire.ts";

/** How the far depot is made where the source does not say it. */
export type FarDepotOptions = { maxSize?: number; whenFull?: WhenFull; maxReaders?: number; replace?: boolean };

/** Time between two looks at whether a depot has been read. */
const LOOK_MS = 20;

/** The depot of the present description. */
export class FarDepot implements AsyncDisposable {
  readonly #name: string;
  readonly #options: FarDepotOptions;
  /** What an earlier relay has left: held, so that its frames stay until it is known whether it fits. */
  #found: FramesDepot | undefined;
  #depot: FramesDepot | undefined;
  /** Of the source's depot. */
  #id: string | undefined;
  /** What came last in this run. */
  #noted: LastFrame | undefined;

  /** @throws {Failure} where another process fills the name */
  static async find(name: string, options: FarDepotOptions): Promise<FarDepot> {
    const found = await FramesDepot.open(name, { stale: true }).catch((error): undefined => {
      if (!(error instanceof DepotError && error.code === "NOT_FOUND")) throw error;
    });
    try {
      if (found !== undefined && !options.replace) refuseFilled(found);
    } catch (error) {
      await found?.close();
      throw error;
    }
    return new FarDepot(name, options, found);
  }

  private constructor(name: string, options: FarDepotOptions, found: FramesDepot | undefined) {
    this.#name = name;
    this.#options = options;
    this.#found = found;
  }

  get depot(): FramesDepot | undefined {
    return this.#depot;
  }

  /** Of the source's depot, whose frames these are. */
  get id(): string | undefined {
    return this.#id;
  }

  /** A frame has come. */
  note({ frameNumber, timestampNs }: FrameHead): void {
    this.#noted = { frameNumber, timestampNs: String(timestampNs), crc: -1, depot: this.#id };
  }

  /** The newest frame, by which a source knows what need not be sent again. */
  last(): LastFrame | undefined {
    const depot = this.#depot ?? this.#found;
    if (depot === undefined) return undefined;
    if (this.#depot?.whenFull === "drop") return this.#noted; // one that is looked at keeps nothing for its first reader
    using frame = depot.latest();
    if (frame === undefined) return undefined;
    const { frameNumber, timestampNs, data } = frame;
    return { frameNumber, timestampNs: String(timestampNs), crc: zlib.crc32(bytesOf(data)), depot: this.#id };
  }

  /** Goes on with the depot of a description. @throws {Failure | DepotError} */
  async change(description: Description, mode: ReadMode, interruption: Interruption): Promise<void> {
    const before = this.#depot;
    const { maxSize = description.maxSize, whenFull = defaultPolicy(mode), maxReaders, replace } = this.#options;
    const options = { ...optionsOf(description), maxSize, whenFull, maxReaders };
    if (before === undefined) {
      this.#depot = await FramesDepot.createOrOpen(this.#name, { ...options, replace, stale: true });
      await this.#found?.close();
      this.#found = undefined;
      if (!replace) refuseFilled(this.#depot);
    } else {
      await this.whenRead(interruption);
      this.#depot = await FramesDepot.create(this.#name, { ...options, replace: true });
      await before.close();
    }
    this.#id = description.id;
    this.#noted = undefined;
  }

  /** Waits until a depot that waits has been read: readers that come later find only the one after it. */
  async whenRead(interruption: Interruption): Promise<void> {
    while (this.#depot !== undefined && this.#depot.whenFull === "wait" && this.#depot.stats().length > 0) {
      await interruption.sleep(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#depot?.close();
    await this.#found?.close();
  }
}

/** A far depot waits where nothing may be lost; otherwise the newest frame gets in. */
const defaultPolicy = (mode: ReadMode): WhenFull => mode === "lossless" ? "wait" : "overwrite";

function refuseFilled(depot: FramesDepot): void {
  const other = fillerOf(depot);
  if (other === undefined) return;
  throw new Failure(
    `cannot fill depot "${depot.name}": process ${other} fills it; choose another name, or take it with --replace`,
    EXIT.refused,
  );
}
