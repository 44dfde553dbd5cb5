/**
 * H.264 out of FLV, the only container of ffmpeg's that ends a picture with the picture: others wait for the next one.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A picture of H.264, in Annex B: a key frame with its parameter sets before it. */
export type AccessUnit = { bytes: Uint8Array<ArrayBuffer>; key: boolean; codecString: string };

const FILE_HEADER = 9;
const TAG_HEADER = 11;
const SIZE_AFTER_TAG = 4;
const VIDEO = 9;
const KEY = 1;
/** Kinds of video tags. */
const PARAMETERS = 0;
const PICTURE = 1;
/** Before the bytes of a video tag. */
const VIDEO_HEADER = 5;
const START = [0, 0, 0, 1];

/** Takes pictures out of a stream. */
export class FlvPictures {
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;
  #parameters: number[] = [];
  #codecString = "";

  /** @returns the pictures that these bytes complete */
  take(chunk: Uint8Array): AccessUnit[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const found: AccessUnit[] = [];
    if (!this.#begun) {
      if (this.#rest.length < FILE_HEADER + SIZE_AFTER_TAG) return found;
      this.#rest = this.#rest.subarray(FILE_HEADER + SIZE_AFTER_TAG);
      this.#begun = true;
    }
    while (this.#rest.length >= TAG_HEADER) {
      const end = TAG_HEADER + this.#rest.readUIntBE(1, 3);
      if (this.#rest.length < end + SIZE_AFTER_TAG) break;
      const unit = (this.#rest[0] & 0x1f) === VIDEO ? this.#unit(this.#rest.subarray(TAG_HEADER, end)) : undefined;
      if (unit !== undefined) found.push(unit);
      this.#rest = this.#rest.subarray(end + SIZE_AFTER_TAG);
    }
    return found;
  }

  #unit(tag: Buffer): AccessUnit | undefined {
    const data = tag.subarray(VIDEO_HEADER);
    if (tag[1] === PARAMETERS) this.#configure(data);
    if (tag[1] !== PICTURE) return undefined;
    const key = tag[0] >> 4 === KEY;
    return { bytes: annexB(data, key ? this.#parameters : []), key, codecString: this.#codecString };
  }

  /** Parameter sets, as ISO/IEC 14496-15 has them (avcC). */
  #configure(data: Buffer): void {
    this.#codecString = `avc1.${data.toString("hex", 1, 4).toUpperCase()}`;
    this.#parameters = [];
    let at = 5;
    for (const mask of [0x1f, 0xff]) {
      for (let left = data[at++] & mask; left > 0; left--) {
        const length = data.readUInt16BE(at);
        this.#parameters.push(...START, ...data.subarray(at + 2, at + 2 + length));
        at += 2 + length;
      }
    }
  }
}

/** Each length of four bytes becomes a start code of four bytes. */
function annexB(units: Buffer, before: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(before.length + units.length);
  bytes.set(before);
  bytes.set(units, before.length);
  for (let at = 0; at + 4 <= units.length;) {
    bytes.set(START, before.length + at);
    at += 4 + units.readUInt32BE(at);
  }
  return bytes;
}
