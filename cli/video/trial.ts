/**
 * Trying an output before a frame is taken for it.
 *
 * @module
 */
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { PIXEL_FORMATS, type PixelFormat } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { PipeClosed } from "./byte_sink.ts";
import { Encoder, type Encoding, fitsOf, type Tried } from "./encoder.ts";
import { type FfmpegProgram, findFfmpeg } from "./ffmpeg_program.ts";
import type { Video } from "./frame_sink.ts";
import { type FrameRate, timeOf } from "./frame_source.ts";
import { isUrl } from "./target.ts";

/** Frames that are encoded beside the output: some containers take one and no second one. */
const TRIAL_FRAMES = 2;
/** Sizes of which every encoder takes one: of .3gp, and of .dv. */
const USUAL_SIZES = [[176, 144], [720, 576]] as const;
/** Rates that encoders take which do not take every one, as those of MPEG-2. */
const USUAL_RATES = [24, 25, 30, 50, 60] as const;
/** Width and height where compressed frames do not say theirs. */
const BLANK_PIXELS = 64;

/**
 * Encodes blank frames beside the output, as the frames to come will be: what does not work is found before a frame is
 * taken from a depot. An output that is no file, as a URL, is not tried.
 *
 * @param frames how many are to come at the most
 * @throws {Failure} in ffmpeg's words, or because there is none
 */
export async function tryEncoding(
  video: Video,
  encoding: Encoding,
  frames: number,
  signal: AbortSignal,
): Promise<Tried> {
  return await tryFits(video, encoding, await findFfmpeg(), frames, signal);
}

async function tryFits(
  video: Video,
  encoding: Encoding,
  program: FfmpegProgram,
  frames: number,
  signal: AbortSignal,
): Promise<Tried> {
  const { output, options } = encoding;
  const isFile = !isUrl(output) && output !== "-" &&
    (fs.statSync(output, { throwIfNoEntry: false })?.isFile() ?? true);
  const blank = blankOf(video);
  const fits = fitsOf(blank, encoding);
  // Options for compressed frames may keep them as they are, which pixels cannot be.
  if (!isFile || blank !== video && options !== undefined) return { program, fit: fits[0] };
  let folder: string | undefined;
  try {
    folder = fs.mkdtempSync(join(dirname(output), ".frames-depot-"));
  } catch { // ffmpeg says why not
  }
  const target = folder === undefined ? output : join(folder, basename(output));
  try {
    let first: unknown;
    for (const fit of fits) {
      try {
        await encodeBlank(blank, encoding, { program, fit }, target, Math.min(frames, TRIAL_FRAMES), signal);
        return { program, fit };
      } catch (error) {
        first ??= error;
        if (!(error instanceof Failure && error.exitCode === EXIT.failed)) break;
      }
    }
    if (!(first instanceof Failure)) throw first;
    throw new Failure(first.message.replaceAll(target, output), first.exitCode);
  } finally {
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Tries an output before its frames are known: the extension, and ffmpeg itself.
 *
 * @throws {Failure} where it takes none of the usual kinds of video
 */
export async function tryExtension(encoding: Encoding, signal: AbortSignal): Promise<void> {
  if (encoding.options !== undefined) return void await findFfmpeg(); // what they make of it, its frames tell
  const format = PIXEL_FORMATS.get("yuv420p")!;
  let first: unknown;
  for (const [width, height] of USUAL_SIZES) {
    try {
      return void await tryEncoding({ width, height, format, rate: [25, 1], appearance: {} }, encoding, 1, signal);
    } catch (error) {
      first ??= error;
      if (!(error instanceof Failure && error.exitCode === EXIT.failed)) break;
    }
  }
  throw first;
}

/**
 * A rate that the encoder takes: the given one, or a usual one above it, which has a place for each frame, too.
 *
 * @returns the given one where no other works, so that ffmpeg says why
 */
export async function usableRate(
  video: Video,
  encoding: Encoding,
  { program }: Tried,
  frames: number,
  signal: AbortSignal,
): Promise<FrameRate> {
  const [per, seconds] = video.rate;
  const others = USUAL_RATES.filter((rate) => rate > per / seconds).map((rate): FrameRate => [rate, 1]);
  for (const rate of [video.rate, ...others]) {
    try {
      await tryFits({ ...video, rate }, encoding, program, frames, signal);
      return rate;
    } catch (error) {
      if (!(error instanceof Failure && error.exitCode === EXIT.failed)) throw error;
    }
  }
  return video.rate;
}

/** What is tried: pixels. */
function blankOf(video: Video): Video & { format: PixelFormat } {
  const { format, width, height } = video;
  if (typeof format !== "string") return video as Video & { format: PixelFormat };
  const decoded = PIXEL_FORMATS.get("yuv420p")!;
  return { ...video, format: decoded, width: width || BLANK_PIXELS, height: height || BLANK_PIXELS };
}

async function encodeBlank(
  video: Video & { format: PixelFormat },
  encoding: Encoding,
  tried: Tried,
  target: string,
  frames: number,
  signal: AbortSignal,
): Promise<void> {
  const run = new Encoder(video, encoding, tried, target, signal);
  try {
    const frame = new Uint8Array(video.format.frameBytes(video.width, video.height));
    for (let n = 0; n < frames; n++) await run.write(frame, timeOf(n, video.rate));
    await run.end();
  } catch (error) {
    if (!(error instanceof PipeClosed)) throw error; // it took what it wanted
  } finally {
    await run.kill();
  }
}
