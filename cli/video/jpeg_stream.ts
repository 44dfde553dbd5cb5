/**
 * JPEG pictures one behind the other, as `ffmpeg -f mjpeg` writes them.
 *
 * @module
 */
import { EXIT, Failure } from "../failure.ts";
import type { ByteSource } from "./byte_source.ts";
import { jpegLength } from "./jpeg_length.ts";

/** Takes pictures out of a stream. */
export class JpegStream {
  readonly #bytes: ByteSource;
  #room = new Uint8Array(1 << 18);
  #length = 0;

  constructor(bytes: ByteSource) {
    this.#bytes = bytes;
  }

  /** The next picture, until it is asked for another; undefined at the end. @throws {Failure} where one is cut off */
  async next(): Promise<Uint8Array | undefined> {
    for (this.#length = 0;;) {
      const there = (await this.#bytes.peek(1)).length;
      if (there === 0 && this.#length === 0) return undefined;
      if (there === 0) throw new Failure("ffmpeg ended in the middle of a picture", EXIT.failed);
      const before = this.#length;
      this.#grow(before + there);
      const length = lengthOf(this.#withPeeked(before, await this.#bytes.peek(1)));
      const taken = length === undefined ? there : length - before;
      await this.#bytes.fill(this.#room.subarray(before, before + taken));
      this.#length += taken;
      if (length !== undefined) return this.#room.subarray(0, length);
    }
  }

  #withPeeked(before: number, peeked: Uint8Array): Uint8Array {
    this.#room.set(peeked, before);
    return this.#room.subarray(0, before + peeked.length);
  }

  #grow(length: number): void {
    if (length <= this.#room.length) return;
    const larger = new Uint8Array(length * 2);
    larger.set(this.#room);
    this.#room = larger;
  }
}

function lengthOf(bytes: Uint8Array): number | undefined {
  try {
    return jpegLength(bytes);
  } catch (error) {
    throw new Failure(`cannot tell ffmpeg's pictures apart: ${(error as Error).message}`, EXIT.failed);
  }
}
