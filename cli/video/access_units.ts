/**
 * Access units of H.264 out of the FLV that ffmpeg writes. FLV says how long each one is before it comes; in other
 * containers the next one tells where it ends.
 *
 * @module
 */

/** What is before the first tag: the file's header, and the size of the tag before, of which there is none. */
const FILE_HEAD = 13;
const [TAG_HEAD, TAG_TAIL] = [11, 4];
const VIDEO = 9;
/** Of the body of a video tag: frame type and codec, kind of packet, three bytes of time. */
const VIDEO_HEAD = 5;
const KEY_FRAME = 1;
const START_CODE = Uint8Array.of(0, 0, 0, 1);
/** Kinds of units in H.264, from their first byte. */
const SPS = 7;

/** A picture, in Annex B: a key frame has its parameter sets in front. */
export type AccessUnit = {
  bytes: Uint8Array<ArrayBuffer>;
  /** Whether it can be decoded without those before it. */
  key: boolean;
  /** The codec for WebCodecs (RFC 6381), with profile and level. */
  codecString: string;
};

/** Whether an access unit can be decoded without those before it: parameter sets are at the front of those alone. */
export function isKeyUnit(unit: Uint8Array): boolean {
  return unit.length > 4 && unit[0] === 0 && unit[1] === 0 && unit[2] === 0 && unit[3] === 1 && (unit[4] & 31) === SPS;
}

/** Takes access units out of a stream of bytes. */
export class AccessUnits {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  #isBegun = false;
  /** Parameter sets, in front of each key frame, so that a reader may begin at any of them. */
  #parameters: Uint8Array[] = [];
  #codecString = "";

  /** Takes in what has come. @returns the access units that are whole now, with start codes */
  push(bytes: Uint8Array): AccessUnit[] {
    this.#append(bytes);
    const units: AccessUnit[] = [];
    let at = 0;
    if (!this.#isBegun && this.#length >= FILE_HEAD) [at, this.#isBegun] = [FILE_HEAD, true];
    while (this.#isBegun && at + TAG_HEAD <= this.#length) {
      const size = uint24(this.#bytes, at + 1);
      const end = at + TAG_HEAD + size + TAG_TAIL;
      if (end > this.#length) break;
      const body = this.#bytes.subarray(at + TAG_HEAD, at + TAG_HEAD + size);
      const unit = this.#bytes[at] === VIDEO ? this.#take(body) : undefined;
      if (unit !== undefined) units.push(unit);
      at = end;
    }
    this.#bytes.copyWithin(0, at, this.#length);
    this.#length -= at;
    return units;
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  #take(body: Uint8Array): AccessUnit | undefined {
    const [key, packet, rest] = [body[0] >> 4 === KEY_FRAME, body[1], body.subarray(VIDEO_HEAD)];
    if (packet === 0) {
      this.#parameters = parametersIn(rest);
      this.#codecString = `avc1.${[...rest.subarray(1, 4)].map(hexByte).join("")}`;
    }
    if (packet !== 1) return undefined;
    return { bytes: joined([...key ? this.#parameters : [], ...unitsIn(rest)]), key, codecString: this.#codecString };
  }
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, "0").toUpperCase();

const uint24 = (bytes: Uint8Array, at: number): number => bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];

/** The parameter sets in a decoder's configuration, as ISO/IEC 14496-15 has it. */
function parametersIn(bytes: Uint8Array): Uint8Array[] {
  const sets: Uint8Array[] = [];
  let at = 5;
  for (const mask of [31, 255]) { // sequences, then pictures
    for (let count = bytes[at++] & mask; count > 0; count--) {
      const length = bytes[at] << 8 | bytes[at + 1];
      sets.push(bytes.slice(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return sets;
}

/** Units that each have their length before them, in four bytes. */
function unitsIn(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = (bytes[at] << 24 | uint24(bytes, at + 1)) >>> 0;
    units.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return units;
}

/** Units with a start code before each. */
function joined(units: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(units.reduce((sum, { length }) => sum + START_CODE.length + length, 0));
  let at = 0;
  for (const unit of units) {
    all.set(START_CODE, at);
    all.set(unit, at + START_CODE.length);
    at += START_CODE.length + unit.length;
  }
  return all;
}
