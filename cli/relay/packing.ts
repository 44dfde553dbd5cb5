/**
 * Bodies of frames as they travel: as they are, as JPEG, or packed by zstd.
 *
 * @module
 */
import { promisify } from "node:util";
import zlib from "node:zlib";
import type { Frame, FramesDepot } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { bytesOf } from "../video/bytes.ts";
import { findFfmpeg } from "../video/ffmpeg_program.ts";
import { toJpeg } from "../video/picture_file.ts";
import { pixelFormatOf } from "../video/pixel_formats.ts";
import { isMatrix, toPicture } from "../video/to_rgb.ts";
import { H264Encoder } from "./h264.ts";
import type { Codec } from "./codecs.ts";

/** The fastest level: links are faster than the others. */
const LEVEL = 1;

/** @throws {Failure} where this runtime or this machine cannot */
export async function checkCodec(codec: Codec): Promise<void> {
  if (codec === "h264") await findFfmpeg();
  if (codec !== "zstd" || zlib.zstdCompress !== undefined) return;
  throw new Failure("--codec zstd needs zstd in node:zlib, which this runtime has not; use raw or jpeg", EXIT.system);
}

/** Packs frames; each once, for all far relays. H.264 is made in each session. */
export class Packing {
  readonly #quality: number;
  /** The newest ones, by depot and sequence. */
  readonly #done = new Map<string, Promise<Uint8Array>>();

  constructor(quality: number) {
    this.#quality = quality;
  }

  /** An encoder for the frames of one far relay. */
  h264(depot: FramesDepot): H264Encoder {
    return new H264Encoder(depot, this.#quality);
  }

  /** The body of a frame; what is `raw` is the frame's own memory, until it is released. */
  async pack(codec: Exclude<Codec, "h264">, depot: string, frame: Frame): Promise<Uint8Array> {
    if (codec === "raw") return bytesOf(frame.data);
    const key = `${depot} ${frame.sequence}`;
    let packed = this.#done.get(key);
    if (packed === undefined) {
      packed = codec === "jpeg" ? this.#toJpeg(frame) : toZstd(bytesOf(frame.data));
      this.#done.set(key, packed);
      if (this.#done.size > 4) this.#done.delete(this.#done.keys().next().value!);
    }
    return await packed;
  }

  async #toJpeg(frame: Frame): Promise<Uint8Array> {
    const { width, height, channels, elementType, pixelFormat, color } = frame;
    const format = pixelFormatOf({ frameSize: [width, height, channels], elementType, pixelFormat })!;
    const { matrix, range } = color;
    const colors = { range, matrix: matrix !== undefined && isMatrix(matrix) ? matrix : undefined };
    return await toJpeg(toPicture(frame.data, format, width, height, colors), this.#quality);
  }
}

async function toZstd(bytes: Uint8Array): Promise<Uint8Array> {
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: LEVEL };
  return new Uint8Array(await promisify(zlib.zstdCompress)(bytes.slice(), { params }));
}

/** The frame in a body that zstd has packed. @throws {Error} when it is damaged, or larger than `limit` */
export async function fromZstd(body: Uint8Array, limit: number): Promise<Uint8Array> {
  return new Uint8Array(await promisify(zlib.zstdDecompress)(body, { maxOutputLength: limit }));
}
