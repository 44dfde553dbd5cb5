/**
 * A depot without promises, for a process without an event loop: the ring's own classes, and tries that end.
 *
 * @module
 */
import { loadShim } from "../../ffi/load.ts";
import { Attachment } from "../../ring/attachment.ts";
import { Claimer } from "../../ring/claimer.ts";
import { Finder } from "../../ring/finder.ts";
import type { From } from "../../ring/from.ts";
import { Follower } from "../../ring/follower.ts";
import { FULL } from "../../ring/producer.ts";
import { joined64, type Reader } from "../../ring/reader.ts";
import type { ReaderMode } from "../../ring/reader_table.ts";
import { openSegment } from "../../ring/segment.ts";
import type { Seen } from "../support/stamp.ts";
import { sleepMs } from "./libc.ts";

/** Tries of what may be refused for a while. */
const TRIES = 1000;
/** Between two tries. */
export const PAUSE_MS = 0.2;

/** What is said of a frame beside its bytes. */
export type Details = { frameNumber: number; timestampNs: bigint; metadata: Uint8Array };

/** Tries something until it succeeds. @returns undefined when it never does */
function patiently<T>(attempt: () => T | undefined, tries = TRIES): T | undefined {
  for (let index = 0; index < tries; index++) {
    const answer = attempt();
    if (answer !== undefined) return answer;
    sleepMs(PAUSE_MS);
  }
  return undefined;
}

/** One member of a depot. */
export class RingDepot {
  readonly attachment: Attachment;
  readonly #claimer: Claimer;

  /** @param made where it has made the depot itself */
  constructor(name: string, made?: Attachment) {
    const attachment = made ?? patiently(() => {
      const outcome = openSegment(loadShim(), name, { stale: false, trustedOwners: [] });
      return outcome instanceof Attachment ? outcome : undefined;
    });
    if (attachment === undefined) throw new Error("the depot could not be opened: its membership lock is held");
    this.attachment = attachment;
    this.#claimer = new Claimer(attachment);
  }

  get frameBytes(): number {
    return this.attachment.geometry.frameBytes;
  }

  /** Takes a slot. @returns its sequence, or CLOSED; undefined when there is no room for a long time */
  claim(): number | undefined {
    return patiently(() => {
      const sequence = this.#claimer.claim();
      return sequence === FULL ? undefined : sequence;
    });
  }

  /** Copies a frame into a claimed slot. */
  copy(sequence: number, frame: Uint8Array): void {
    this.attachment.payload.write(this.attachment.producer.slotOf(sequence), frame, this.frameBytes);
  }

  /** Writes into a claimed slot itself. */
  write(sequence: number, fill: (data: Uint8Array) => void): void {
    this.#lend(this.attachment.producer.slotOf(sequence), (buffer) => fill(new Uint8Array(buffer, 0, this.frameBytes)));
  }

  /** Publishes a claimed slot. @returns false when another segment has the depot's name */
  publish(sequence: number, { frameNumber, timestampNs, metadata }: Details): boolean {
    const { payload, producer } = this.attachment;
    const length = payload.writeMetadata(producer.slotOf(sequence), metadata);
    return producer.publish(sequence, frameNumber, timestampNs, length);
  }

  #lend<T>(slot: number, use: (buffer: ArrayBuffer) => T): T {
    const { payload } = this.attachment;
    const buffer = payload.take(slot);
    try {
      return use(buffer);
    } finally {
      payload.give(slot, buffer);
    }
  }

  /** Shows a pinned frame. */
  look<T>(reader: Reader, sequence: number, use: (frame: Seen) => T): T {
    const { geometry, payload } = this.attachment;
    const slot = reader.slotOf(sequence);
    const timestampNs = joined64(reader.timestampLow(slot), reader.timestampHigh(slot));
    const metadataLength = reader.metadataLength(slot, geometry.metadataBytes);
    return this.#lend(slot, (buffer) =>
      use({
        frameNumber: reader.frameNumber(slot),
        timestampNs,
        data: new Uint8Array(buffer, 0, geometry.frameBytes),
        metadata: payload.metadataIn(buffer, metadataLength),
      }));
  }

  /** A reader with its place in the queue. */
  follow(mode: ReaderMode, from: From): Follower {
    return new Follower(this.attachment, mode, from);
  }

  /** Asks for frames by number. */
  find(): Finder {
    return new Finder(this.attachment);
  }

  /** Leaves; the memory stays mapped, as in a process that ends. */
  leave(): void {
    patiently(() => this.attachment.leave() || undefined);
  }
}

/** Takes the next frame. @returns whether there is one */
export function take(follower: Follower, tries?: number): boolean {
  return patiently(() => follower.take() >= 0 || undefined, tries) ?? false;
}

/** Passes the frame that was taken. */
export function pass({ reader, sequence }: Follower): void {
  reader.unpinAndPass(reader.slotOf(sequence), sequence + 1);
}
