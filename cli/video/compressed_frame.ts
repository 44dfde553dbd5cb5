/**
 * A picture of a depot whose frames are compressed: ffmpeg decodes it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { EXIT, Failure } from "../failure.ts";
import { matroskaOf } from "./encoder.ts";
import { endingOf, FfmpegLog } from "./ffmpeg_log.ts";
import { FFMPEG_SPAWN, findFfmpeg } from "./ffmpeg_program.ts";
import { matroskaFrameHead, matroskaFrameTail } from "./matroska.ts";
import type { Picture } from "./to_rgb.ts";

/** Nothing but their order counts. */
const FRAME_NS = 40_000_000n;

/**
 * Decodes frames, and returns the last one as a picture of 8 bits.
 *
 * @param label what they are, as `mjpeg`
 * @param frames in order; where they depend on each other, from a key frame on
 * @param patienceMs how long ffmpeg may take; without it, as long as it takes
 * @throws {Failure} where there is no ffmpeg, or it cannot decode them
 */
export async function decodeLast(
  label: string,
  [width, height]: readonly [number, number, ...number[]],
  frames: readonly Uint8Array[],
  patienceMs?: number,
): Promise<Picture> {
  await findFfmpeg();
  const ffmpeg = spawn("ffmpeg", [
    ...["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+error"],
    ...["-f", "matroska", "-i", "pipe:0", "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "pipe:1"],
  ], { ...FFMPEG_SPAWN, stdio: ["pipe", "pipe", "pipe"] });
  const ending = endingOf(ffmpeg, new FfmpegLog(ffmpeg.stderr));
  let isLate = false;
  const timer = patienceMs === undefined ? undefined : setTimeout(() => {
    isLate = true;
    ffmpeg.kill("SIGKILL");
  }, patienceMs);
  const out: Uint8Array[] = [];
  ffmpeg.stdout.on("data", (bytes: Uint8Array) => out.push(bytes));
  ffmpeg.stdin.on("error", () => {}); // it says itself why it ended
  ffmpeg.stdin.write(matroskaOf(label, width, height));
  for (const [n, frame] of frames.entries()) {
    ffmpeg.stdin.write(matroskaFrameHead(BigInt(n) * FRAME_NS, frame.length));
    ffmpeg.stdin.write(frame);
    ffmpeg.stdin.write(matroskaFrameTail(FRAME_NS));
  }
  ffmpeg.stdin.end();
  const { failure, complaints } = await ending;
  clearTimeout(timer);
  if (isLate) throw new Failure(`ffmpeg has not decoded it in ${patienceMs! / 1000} s`, EXIT.failed);
  const picture = lastOf(new Uint8Array(Buffer.concat(out)));
  if (picture !== undefined) return picture;
  throw failure ?? new Failure(`ffmpeg found no picture in it: ${complaints ?? "there is no key frame"}`, EXIT.failed);
}

/** The last of several PPM pictures. */
function lastOf(bytes: Uint8Array): Picture | undefined {
  let last: Picture | undefined;
  for (let at = 0; at < bytes.length;) {
    const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(new TextDecoder("latin1").decode(bytes.subarray(at, at + 64)));
    if (head === null) return last;
    const [width, height] = [Number(head[1]), Number(head[2])];
    const begin = at + head[0].length;
    at = begin + width * height * 3;
    if (at <= bytes.length) last = { width, height, channels: 3, data: bytes.slice(begin, at) };
  }
  return last;
}
