/**
 * One picture: what is made of a frame, in any thread.
 *
 * @module
 */
import { decode as decodeJpeg, encode as encodeJpeg } from "jpeg-js";
import type { FrameData } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { fitted } from "../video/fitting.ts";
import { isJpeg, pictureOf, type Pixels } from "../video/frame_picture.ts";
import { toPng } from "../video/picture_file.ts";
import { pixelFormatOf } from "../video/pixel_formats.ts";
import { findSharp, type SharpPicture } from "../video/sharp.ts";
import { type Picture, toRgba8 } from "../video/to_rgb.ts";
import { sizeOf } from "./sizes.ts";

/** What to make. Bytes may be moved to another thread. */
export type PictureJob = {
  pixels: Pixels;
  data: FrameData;
  /** Where frames depend on each other: those before it, the oldest first. */
  before: Uint8Array[];
} & Wanted;

/** A JPEG of this width, or a PNG as large as the frame. Height 0: what the frame's own size makes of the width. */
export type Wanted = { type: "jpeg"; width: number; height: number; quality: number } | { type: "png" };

/** What was made. */
export type MadePicture = { bytes: Uint8Array<ArrayBuffer>; width: number; height: number };

/** Of a compressed picture that some sender made: more pixels than a depot's frame may have are no picture. */
const MOST_MEGAPIXELS = 128;
/** How long ffmpeg may take to decode a frame: others wait for their turn. */
const PATIENCE_MS = 10_000;

/** Makes it. @throws {Failure} where no picture can be made */
export async function makePicture(job: PictureJob): Promise<MadePicture> {
  try {
    return await made(job);
  } catch (error) {
    const { name, pixelFormat } = job.pixels;
    if (error instanceof Failure || !isJpeg(pixelFormat)) throw error;
    const why = `its frame of ${job.data.byteLength} bytes is no JPEG that can be decoded: ${(error as Error).message}`;
    const how = `\`frames-depot read ${name} --frames 1\` gives frames as they are`;
    throw new Failure(`cannot make a picture of depot "${name}": ${why}; ${how}`, EXIT.refused);
  }
}

async function made(job: PictureJob): Promise<MadePicture> {
  if (job.type === "png") return pngOf(await decoded(job));
  if (job.height === 0) return await makeUnsized(job, await decoded(job)); // its depot does not say its size
  const sharp = findSharp();
  const picture = sharp === undefined ? undefined : opened(job, sharp) ?? ofPicture(await decoded(job), sharp);
  if (picture === undefined) return slowJpegOf(await decoded(job), job);
  return await encoded(picture, job);
}

async function encoded(
  picture: SharpPicture,
  { width, height, quality }: Wanted & { type: "jpeg" },
): Promise<MadePicture> {
  const bytes = await picture.resize(width, height, { fit: "fill", kernel: "linear" })
    // Tables of its own for each picture are a few percent smaller, and take three times as long.
    .jpeg({ quality, chromaSubsampling: "4:2:0", optimiseCoding: false }).toBuffer();
  return { bytes: new Uint8Array(bytes), width, height };
}

async function makeUnsized(job: PictureJob & { type: "jpeg" }, picture: Picture): Promise<MadePicture> {
  const wanted = { ...job, ...sizeOf([picture.width, picture.height], job.width) };
  const sharp = findSharp();
  return sharp === undefined ? slowJpegOf(picture, wanted) : await encoded(ofPicture(picture, sharp), wanted);
}

type Sharp = NonNullable<ReturnType<typeof findSharp>>;

/** What the encoder takes as it is: JPEG, and bytes of gray, RGB or RGBA. */
function opened({ pixels, data }: PictureJob, sharp: Sharp): SharpPicture | undefined {
  if (isJpeg(pixels.pixelFormat)) return sharp(bytesOf(data));
  const format = pixelFormatOf(pixels)?.name;
  const channels = format === undefined ? undefined : ({ gray: 1, rgb24: 3, rgba: 4 } as const)[format];
  if (channels === undefined) return undefined;
  const [width, height] = pixels.frameSize;
  return withoutAlpha(sharp(bytesOf(data), { raw: { width, height, channels } }), channels);
}

function ofPicture({ width, height, channels, data }: Picture, sharp: Sharp): SharpPicture {
  const is8 = data instanceof Uint8Array;
  const raw = { width, height, channels: is8 ? channels : 4 } as const;
  return withoutAlpha(sharp(is8 ? data : toRgba8({ width, height, channels, data }), { raw }), raw.channels);
}

const withoutAlpha = (picture: SharpPicture, channels: number) => channels === 4 ? picture.removeAlpha() : picture;

function slowJpegOf(picture: Picture, { width, height, quality }: Wanted & { type: "jpeg" }): MadePicture {
  const isWhole = width >= picture.width && height >= picture.height;
  const small = isWhole ? picture : fitted(picture, { width, height });
  const { data } = encodeJpeg({ width: small.width, height: small.height, data: toRgba8(small) }, quality);
  return { bytes: new Uint8Array(data), width: small.width, height: small.height };
}

function pngOf(picture: Picture): MadePicture {
  const { width, height } = picture;
  return { bytes: new Uint8Array(toPng(picture)), width, height };
}

async function decoded(job: PictureJob): Promise<Picture> {
  const { pixels, data, before } = job;
  const options = { every: everyOf(job), patienceMs: PATIENCE_MS };
  if (!isJpeg(pixels.pixelFormat)) return await pictureOf(pixels, data, before, options);
  const { width, height, data: rgba } = decodeJpeg(bytesOf(data), {
    useTArray: true,
    maxResolutionInMP: MOST_MEGAPIXELS,
  });
  return { width, height, channels: 4, data: rgba };
}

/** Of a frame that is made much smaller not all pixels are converted, but one and a half times as many each way. */
function everyOf(job: PictureJob): number {
  return job.type === "png" ? 1 : Math.max(1, Math.floor(job.pixels.frameSize[0] / job.width / 1.5));
}

const bytesOf = (data: FrameData): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
