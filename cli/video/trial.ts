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
import { findFfmpeg } from "./ffmpeg_program.ts";
import type { Video } from "./frame_sink.ts";
import { timeOf } from "./frame_source.ts";

/** Frames that are encoded beside the output: some containers take one and no second one. */
const TRIAL_FRAMES = 2;
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
  const program = await findFfmpeg();
  const { output, options } = encoding;
  const isFile = !/^[a-z][a-z0-9+.-]+:/i.test(output) && output !== "-" &&
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
