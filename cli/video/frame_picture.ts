/**
 * A frame as a picture, by what its depot says of its pixels. Compressed frames are decoded by ffmpeg.
 *
 * @module
 */
import type { Color, ElementType, FrameData, FramesDepot } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { bytesOf } from "./bytes.ts";
import { decodeLast } from "./compressed_frame.ts";
import { isCodec } from "./encoder.ts";
import { beginsAnew } from "./key_units.ts";
import { pixelFormatOf } from "./pixel_formats.ts";
import { isMatrix, type Matrix, type Picture, type Sampling, toPicture } from "./to_rgb.ts";

/** What a depot says of its frames' pixels. */
export type Pixels = {
  readonly name: string;
  readonly pixelFormat: string;
  readonly elementType: ElementType;
  readonly frameSize: [width: number, height: number, channels: number];
  readonly color: Color;
};

/** Whether a frame of this label is a JPEG. */
export const isJpeg = (label: string): boolean => label === "mjpeg" || label === "jpeg";

/** Whether a frame of this label may depend on those before it. */
export const dependsOnOthers = (label: string): boolean => isCodec(label) && !isJpeg(label);

/**
 * Copies of the frames before one that may depend on them, the oldest first: of H.264 from the last one on that depends
 * on none, otherwise as many as there are.
 */
export function framesBefore(depot: FramesDepot, frameNumber: number): Uint8Array[] {
  if (!dependsOnOthers(depot.pixelFormat)) return [];
  const frames: Uint8Array[] = [];
  for (let n = 0; n < depot.maxSize; n++) {
    using frame = depot.peekFrame(frameNumber - n);
    if (frame === undefined) break;
    if (n > 0) frames.push(bytesOf(frame.copy()));
    if (depot.pixelFormat === "h264" && beginsAnew(bytesOf(frame.data))) break;
  }
  return frames.reverse();
}

/** Why frames of such pixels are no pictures; undefined where they are. */
export function whyNoPicture({ pixelFormat, elementType, frameSize, color: { matrix } }: Pixels): string | undefined {
  const format = pixelFormatOf({ pixelFormat, elementType, frameSize });
  if (format === undefined) {
    return isCodec(pixelFormat) ? undefined : `its pixel format, "${pixelFormat}", has no meaning here`;
  }
  return format.isYuv && matrix !== undefined && !isMatrix(matrix) ? `its matrix is ${matrix}` : undefined;
}

/**
 * Makes the picture of a frame.
 *
 * @param before where frames depend on each other: those before it, the oldest first
 * @param options which pixels it has, what YUV was made with, whatever the depot says, and how long ffmpeg may take
 * @throws {Failure} where its pixels mean nothing here, or ffmpeg cannot decode it
 */
export async function pictureOf(
  pixels: Pixels,
  data: FrameData,
  before: readonly Uint8Array[],
  { matrix, every, patienceMs }: Sampling & { matrix?: Matrix | undefined; patienceMs?: number | undefined } = {},
): Promise<Picture> {
  const { name, pixelFormat, frameSize, color: { matrix: made, range } } = pixels;
  const cannot = (why: string, exitCode: number = EXIT.refused) =>
    new Failure(`cannot make a picture of depot "${name}": ${why}`, exitCode);
  const format = pixelFormatOf(pixels);
  const [width, height] = frameSize;
  if (format !== undefined) {
    if (matrix !== undefined) return toPicture(data, format, width, height, { matrix, range, every });
    if (made === undefined || isMatrix(made)) {
      return toPicture(data, format, width, height, { matrix: made, range, every });
    }
    if (format.isYuv) throw cannot(`${whyNoPicture(pixels)}; --matrix takes it for another`);
    return toPicture(data, format, width, height, { every });
  }
  if (!isCodec(pixelFormat)) throw cannot(whyNoPicture(pixels)!);
  try {
    return await decodeLast(pixelFormat, frameSize, [...before, bytesOf(data)], patienceMs);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const why = `its frames are ${pixelFormat}, which ffmpeg decodes: ${error.message}`;
    throw cannot(`${why}; \`frames-depot read ${name} --frames 1\` gives them as they are`, error.exitCode);
  }
}
