/**
 * H.264: an ffmpeg for each far relay, because each has its own pace. A frame goes in, and its access unit comes out.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Color, Frame, FramesDepot } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { AccessUnits } from "../video/access_units.ts";
import { bytesOf } from "../video/bytes.ts";
import { colorOptions } from "../video/colors.ts";
import { type Ending, endingOf, FfmpegLog } from "../video/ffmpeg_log.ts";
import { FFMPEG_SPAWN } from "../video/ffmpeg_program.ts";
import { pixelFormatOf } from "../video/pixel_formats.ts";

/** Frames from one key frame to the next: after a loss, a far relay goes on at a key frame. */
const KEY_EVERY = 30;
/** Frames of one ffmpeg: times in FLV have 31 bits, in milliseconds. */
const MOST_FRAMES = 1_000_000;
/** x264's scale goes from 0, without loss, to 51. 80, the default of `--quality`, is its default, 23. */
const crfOf = (quality: number): number => Math.round(51 - quality * 0.35);

/** What the colours of frames become: RGB and gray get the matrix of HD video. */
export function colorInH264(depot: FramesDepot): Color {
  const format = pixelFormatOf(depot)!;
  const { color } = depot;
  if (!format.isYuv) return { ...color, matrix: "bt709", range: "limited" };
  return format.isFullRange ? { ...color, range: "full" } : color;
}

/** Sizes are even, as chroma is halved. */
export const sizeInH264 = ({ frameSize: [width, height] }: FramesDepot): [number, number] => [
  width + width % 2,
  height + height % 2,
];

function parametersOf(depot: FramesDepot, quality: number): string[] {
  const format = pixelFormatOf(depot)!;
  const [width, height] = depot.frameSize;
  const color = colorInH264(depot);
  const matrix = !format.isYuv ? "scale=out_color_matrix=bt709:out_range=tv," : "";
  const pixels = color.range === "full" ? "yuvj420p" : "yuv420p";
  return [
    ...["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+error"],
    ...["-f", "rawvideo", "-pix_fmt", format.name, "-s", `${width}x${height}`, "-framerate", "30"],
    ...format.isYuv ? colorOptions(color) : [],
    ...["-i", "pipe:0", "-vf", `${matrix}pad=ceil(iw/2)*2:ceil(ih/2)*2,format=${pixels}`],
    ...[
      "-c:v",
      "libx264",
      "-preset",
      "veryfast",
      "-tune",
      "zerolatency",
      "-bf",
      "0",
      "-g",
      String(KEY_EVERY),
      "-sc_threshold",
      "0",
    ],
    ...["-crf", String(crfOf(quality)), ...colorOptions(color)],
    ...["-flush_packets", "1", "-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1"],
  ];
}

/** Encodes the frames of one depot, in order. */
export class H264Encoder implements AsyncDisposable {
  readonly #depot: FramesDepot;
  readonly #quality: number;
  #running: Running | undefined;
  #count = 0;

  constructor(depot: FramesDepot, quality: number) {
    this.#depot = depot;
    this.#quality = quality;
  }

  /** The access unit of a frame. @throws {Failure} in ffmpeg's words @throws what `signal` says when it aborts */
  async encode(frame: Frame, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#count++ % MOST_FRAMES === 0) {
      await this.#running?.[Symbol.asyncDispose]();
      this.#running = new Running(parametersOf(this.#depot, this.#quality));
    }
    return await this.#running!.encode(bytesOf(frame.data).slice(), signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
  }
}

/** One ffmpeg. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ending: Promise<Ending>;
  readonly #units = new AccessUnits();
  #done: Uint8Array<ArrayBuffer>[] = [];
  #wake = () => {};

  constructor(parameters: string[]) {
    const child = this.#child = spawn("ffmpeg", parameters, { ...FFMPEG_SPAWN, stdio: ["pipe", "pipe", "pipe"] });
    this.#ending = endingOf(child, new FfmpegLog(child.stderr!));
    child.stdin!.on("error", () => {}); // it says itself why it ended
    child.stdout!.on("data", (bytes: Uint8Array) => {
      this.#done.push(...this.#units.push(bytes).map(({ bytes }) => bytes));
      this.#wake();
    });
  }

  async encode(frame: Uint8Array, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const wake = () => this.#wake();
    signal.addEventListener("abort", wake);
    const ended = this.#ending.then(({ failure, complaints }): never => {
      throw failure ?? new Failure(`ffmpeg has ended: ${complaints ?? "it says not why"}`, EXIT.system);
    });
    ended.catch(() => {}); // looked at where it is waited for
    this.#child.stdin!.write(frame);
    try {
      while (this.#done.length === 0) {
        signal.throwIfAborted();
        await Promise.race([new Promise<void>((resolve) => this.#wake = resolve), ended]);
      }
      return this.#done.shift()!;
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(pid, "SIGKILL");
    await this.#ending;
  }
}
