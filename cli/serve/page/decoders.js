// @ts-check
/**
 * From the bytes of a picture to what a canvas can draw. Both decoders take pictures in order, and give each back in
 * the same order, or undefined for one that cannot be drawn.
 *
 * @module
 */
/** @import { Picture } from "./messages.js" */

/** @typedef {ImageBitmap | VideoFrame} Image */

/** @param {Picture} picture @returns {Promise<Image>} */
export function decodeJpeg({ bytes }) {
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
}

/** Whether this browser decodes H.264. It does so on pages of the same machine, and over https, alone. */
export const hasVideoDecoder = "VideoDecoder" in globalThis;

/** Decodes H.264, one picture after the other. */
export class H264Decoder {
  /** @type {VideoDecoder | undefined} */
  #decoder;
  #configured = "";
  /**
   * Those under way, by what the decoder calls their timestamps.
   *
   * @type {Map<number, (image: Image | undefined) => void>}
   */
  #waiting = new Map();
  #count = 0;

  /** @param {Picture} picture @returns {Promise<Image | undefined>} */
  decode({ header, bytes }) {
    const decoder = this.#decoderFor(header);
    if (decoder === undefined) return Promise.resolve(undefined); // no key frame yet
    const timestamp = this.#count++;
    return new Promise((resolve) => {
      this.#waiting.set(timestamp, resolve);
      decoder.decode(
        new EncodedVideoChunk({
          type: header.key ? "key" : "delta",
          timestamp,
          data: bytes,
        }),
      );
    });
  }

  close() {
    if (this.#decoder?.state !== "closed") this.#decoder?.close();
    this.#decoder = undefined;
    this.#configured = "";
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  /** @param {Picture["header"]} header */
  #decoderFor({ key, width, height, codecString = "" }) {
    const wanted = `${codecString} ${width} ${height}`;
    if (this.#decoder?.state === "configured" && (!key || wanted === this.#configured)) return this.#decoder;
    if (!key) return undefined;
    this.close();
    const decoder = new VideoDecoder({
      output: (frame) => this.#give(frame.timestamp, frame),
      error: () => this.#decoder === decoder && this.close(), // the next key frame begins anew
    });
    decoder.configure({
      codec: codecString,
      codedWidth: width,
      codedHeight: height,
      optimizeForLatency: true,
    });
    this.#configured = wanted;
    return this.#decoder = decoder;
  }

  /** @param {number} timestamp @param {VideoFrame} frame */
  #give(timestamp, frame) {
    const resolve = this.#waiting.get(timestamp);
    this.#waiting.delete(timestamp);
    if (resolve === undefined) frame.close();
    else resolve(frame);
  }
}
