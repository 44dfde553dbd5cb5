/**
 * A frame that arrives in pieces: put together in the slot where it will be, and published when it is whole.
 *
 * @module
 */
import zlib from "node:zlib";
import type { FramesDepot, FrameSlot } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { bytesOf } from "../video/bytes.ts";
import { isKeyUnit } from "../video/access_units.ts";
import { fromZstd } from "./packing.ts";
import type { Codec } from "./codecs.ts";
import type { FrameHead, Piece } from "./wire.ts";

/** What a packed frame may be longer than its bytes. */
const PACKED_ROOM = 65_536;

/** One frame under way. */
export class Assembly implements Disposable {
  readonly number: number;
  readonly head: FrameHead;
  readonly #codec: Codec;
  readonly #depot: FramesDepot;
  readonly #metadata: Uint8Array;
  /** Where the body goes after the metadata. */
  readonly #body: Uint8Array;
  #slot: FrameSlot | undefined;
  #filled = 0;

  /** @returns undefined when interrupted @throws {Failure} for a frame that the depot cannot have */
  static async begin(depot: FramesDepot, codec: Codec, piece: Piece, signal: AbortSignal): Promise<Assembly> {
    const head = piece.head!;
    const { metadataBytes, bodyBytes, byteLength } = head;
    const most = codec === "zstd" ? depot.frameBytes + PACKED_ROOM : byteLength;
    const bytes = bodyBytes - metadataBytes;
    const fits = metadataBytes >= 0 && metadataBytes <= depot.metadataBytes && byteLength >= 0 &&
      byteLength <= depot.frameBytes && (codec === "zstd" ? bytes >= 0 && bytes <= most : bytes === byteLength);
    if (!fits) {
      throw new Failure(
        `the source sends a frame of ${byteLength} bytes with ${metadataBytes} of metadata in ${bodyBytes}, and depot ` +
          `"${depot.name}" has frames of up to ${depot.frameBytes} with ${depot.metadataBytes}: use one version of ` +
          "frames-depot on both sides",
        EXIT.refused,
      );
    }
    const slot = codec === "zstd" ? undefined : await claim(depot, head, signal);
    return new Assembly(depot, codec, piece, slot);
  }

  private constructor(depot: FramesDepot, codec: Codec, { number, head }: Piece, slot: FrameSlot | undefined) {
    this.number = number;
    this.head = head!;
    this.#codec = codec;
    this.#depot = depot;
    this.#slot = slot;
    const { metadataBytes, bodyBytes } = head!;
    this.#metadata = new Uint8Array(metadataBytes);
    const bytes = bodyBytes - metadataBytes;
    this.#body = slot === undefined ? new Uint8Array(bytes) : bytesOf(slot.data).subarray(0, bytes);
  }

  /** Adds a piece. @returns whether it was the next one, and undamaged */
  add({ number, offset, crc }: Piece, bytes: Uint8Array): boolean {
    const end = offset + bytes.length;
    if (number !== this.number || offset !== this.#filled || end > this.head.bodyBytes) return false;
    if (zlib.crc32(bytes) !== crc) return false;
    const ofMetadata = Math.max(0, this.#metadata.length - offset);
    if (ofMetadata > 0) this.#metadata.set(bytes.subarray(0, ofMetadata), offset);
    const rest = bytes.subarray(ofMetadata);
    if (rest.length > 0) this.#body.set(rest, Math.max(0, offset - this.#metadata.length));
    this.#filled = end;
    return true;
  }

  /** Whether it is H.264 that depends on nothing before it. */
  get isKeyUnit(): boolean {
    return isKeyUnit(this.#body);
  }

  get isWhole(): boolean {
    return this.#filled === this.head.bodyBytes;
  }

  /** Publishes it. @returns whether the depot has taken it; undefined where what was packed is damaged */
  async publish(signal: AbortSignal): Promise<boolean | undefined> {
    const { byteLength } = this.head;
    if (this.#codec === "zstd") {
      const frame = await fromZstd(this.#body, this.#depot.frameBytes).catch(() => undefined);
      if (frame?.length !== byteLength) return undefined;
      this.#slot = await claim(this.#depot, this.head, signal);
      if (this.#slot !== undefined) bytesOf(this.#slot.data).set(frame);
    }
    if (this.#slot === undefined) return false;
    this.#slot.publish({ byteLength, metadata: this.#metadata });
    return true;
  }

  /** Gives the slot back, unless it is published. */
  [Symbol.dispose](): void {
    this.#slot?.release();
  }
}

/** @returns undefined where the depot drops the frame */
async function claim(
  depot: FramesDepot,
  { frameNumber, timestampNs }: FrameHead,
  signal: AbortSignal,
): Promise<FrameSlot | undefined> {
  return await depot.claim({ frameNumber, timestampNs, signal });
}
