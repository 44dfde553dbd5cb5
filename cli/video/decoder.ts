/**
 * ffmpeg as a source of frames: any file, URL or camera that it can read. Pixels come through a pipe of our own into
 * the slots; size, format and timestamps from the lines that its `showinfo` filter logs before each frame.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import process from "node:process";
import { PIXEL_FORMATS } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { ByteSource } from "./byte_source.ts";
import { makePipe } from "./descriptors.ts";
import { cannotRun, LogTail } from "./ffmpeg_log.ts";
import { type Appearance, colorOfLog } from "./colors.ts";
import { type FrameSource, type NextFrame, type Shape, shapeOf } from "./frame_source.ts";
import { DECODED } from "./pixel_formats.ts";

/** What ffmpeg does with the input. */
export type DecoderOptions = {
  /** Scales to this size. */
  size?: [width: number, height: number];
  /** Converts to this pixel format; otherwise the source's own, or the nearest that is known here. */
  format?: string;
  /** Starts again at the end, forever. */
  loop?: boolean;
  /** Anything ffmpeg takes before `-i`, as `-f v4l2`. */
  inputOptions?: string[];
};

const TIME_BASE = /\bconfig in time_base: (\d+)\/(\d+)/;
const FRAME = /\bn: *(\d+) pts: *(-?\d+|NOPTS) .*\bfmt:(\S+) .*\bsar:(\d+)\/(\d+) s:(\d+)x(\d+)/;
/** Each frame's second line. */
const COLOR = /\bcolor_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)/;
const DURATION = /^ *Duration: (\d+):(\d+):([\d.]+)/;
const RATE = /Video: .* ([\d.]+) fps/;

/** A running ffmpeg that decodes. */
export class Decoder implements FrameSource {
  readonly shape: Shape;
  readonly total?: number;
  readonly #ffmpeg: Ffmpeg;
  #count = 0;

  /**
   * Starts ffmpeg and waits for its first frame.
   *
   * @param input a file or URL
   * @throws {Failure} in ffmpeg's words, when it cannot read the input
   */
  static async start(input: string, options: DecoderOptions, signal: AbortSignal): Promise<Decoder> {
    const ffmpeg = new Ffmpeg(input, options, signal);
    try {
      const first = await ffmpeg.line(0);
      if (first === undefined) throw new Failure(`ffmpeg found no video frame in ${input}`, EXIT.failed);
      return new Decoder(
        ffmpeg,
        shapeOf(first.format, first.width, first.height, first),
        options.loop ? undefined : ffmpeg.total,
      );
    } catch (error) {
      await ffmpeg.end();
      throw error;
    }
  }

  private constructor(ffmpeg: Ffmpeg, shape: Shape, total: number | undefined) {
    this.#ffmpeg = ffmpeg;
    this.shape = shape;
    if (total !== undefined) this.total = total;
  }

  async next(): Promise<NextFrame | undefined> {
    if (!await this.#ffmpeg.pixels.more()) {
      await this.#ffmpeg.ended();
      return undefined;
    }
    const n = this.#count++;
    const line = await this.#ffmpeg.line(n);
    const [width, height] = this.shape.frameSize;
    if (line !== undefined && (line.width !== width || line.height !== height)) {
      throw new Failure(
        `cannot store frame ${n}: its size is ${line.width}x${line.height}, that of the frames before ` +
          `${width}x${height}; --size scales all frames to one size`,
        EXIT.failed,
      );
    }
    return {
      details: line?.timestampNs === undefined ? {} : { timestampNs: line.timestampNs },
      fill: async (into) => {
        if (await this.#ffmpeg.pixels.fill(into) === into.length) return;
        await this.#ffmpeg.ended();
        throw new Failure(`ffmpeg ended in the middle of frame ${n}`, EXIT.failed);
      },
    };
  }

  close(): Promise<void> {
    return this.#ffmpeg.end();
  }
}

type FrameLine = Appearance & { format: string; width: number; height: number; timestampNs: bigint | undefined };

/** The process, and what it logs. */
class Ffmpeg {
  readonly pixels: ByteSource;
  /** Frames to come, as the input's header estimates it. */
  total: number | undefined;
  readonly #readFd: number;
  readonly #process: ChildProcess;
  readonly #log = new LogTail();
  readonly #signal: AbortSignal;
  readonly #lines = new Map<number, FrameLine>();
  /** The frame whose second line has not come yet. */
  #begun: { n: number; line: FrameLine } | undefined;
  #wake = () => {};
  #timeBase = [1n, 1n];
  #origin: bigint | undefined;
  #seconds: number | undefined;
  readonly #exit: Promise<void>;
  #exited = false;
  #failure: Failure | undefined;

  constructor(input: string, { size, format, loop, inputOptions = [] }: DecoderOptions, signal: AbortSignal) {
    const { readFd, writeFd } = makePipe();
    this.#readFd = readFd;
    this.#signal = signal;
    this.pixels = new ByteSource(readFd, signal);
    signal.addEventListener("abort", () => this.#wake());
    const filters = [
      ...(size === undefined ? [] : [`scale=${size.join(":")}`]),
      // Of a list, ffmpeg takes the source's own format or the one that loses least.
      `format=pix_fmts=${format ?? DECODED.join("|")}`,
      "showinfo=checksum=0",
    ];
    this.#process = spawn("ffmpeg", [
      ...["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+info"],
      ...(loop ? ["-stream_loop", "-1"] : []),
      ...inputOptions,
      ...["-i", input, "-map", "0:v:0", "-vf", filters.join(",")],
      // Every frame as it was decoded: none is repeated or left out to keep a rate.
      ...["-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"],
    ], {
      stdio: ["ignore", writeFd, "pipe"],
      // Ctrl-C is ours: ffmpeg would end in the middle of a frame.
      detached: true,
      env: { ...process.env, AV_LOG_FORCE_NOCOLOR: "1" },
    });
    fs.closeSync(writeFd);
    this.#log.follow(this.#process.stderr!, (line) => this.#read(line));
    this.#exit = new Promise<void>((resolve) => {
      this.#process.on("error", (error: NodeJS.ErrnoException) => {
        this.#failure = cannotRun(error);
        resolve();
      });
      this.#process.on("close", (code) => {
        if (code !== 0) this.#failure ??= new Failure(`ffmpeg failed: ${this.#log.complaints(code)}`, EXIT.failed);
        resolve();
      });
    }).then(() => {
      this.#exited = true;
      this.#wake();
    });
  }

  #read(line: string): void {
    const frame = FRAME.exec(line);
    if (frame !== null) {
      const [n, aspectWidth, aspectHeight, width, height] = [1, 4, 5, 6, 7].map((group) => Number(frame[group]));
      const [, , pts, format] = frame;
      const timestampNs = pts === "NOPTS" ? undefined : this.#nanoseconds(BigInt(pts));
      const sampleAspectRatio = aspectWidth > 0 ? [aspectWidth, aspectHeight] as const : undefined;
      this.#begun = { n, line: { format, width, height, timestampNs, sampleAspectRatio } };
      return;
    }
    const color = COLOR.exec(line);
    if (color !== null && this.#begun !== undefined) {
      const { n, line } = this.#begun;
      this.#begun = undefined;
      this.#lines.set(n, {
        ...line,
        color: colorOfLog(color.slice(1), PIXEL_FORMATS.get(line.format)?.isYuv ?? false),
      });
      return this.#wake();
    }
    const base = TIME_BASE.exec(line);
    if (base !== null) this.#timeBase = [BigInt(base[1]), BigInt(base[2])];
    const duration = DURATION.exec(line.replace("[info]", "").trimStart());
    if (duration !== null) this.#seconds = Number(duration[1]) * 3600 + Number(duration[2]) * 60 + Number(duration[3]);
    const rate = RATE.exec(line);
    if (rate !== null && this.#seconds !== undefined) this.total ??= Math.round(this.#seconds * Number(rate[1]));
  }

  /** Time since the first frame; a depot's timestamps cannot be negative. */
  #nanoseconds(pts: bigint): bigint {
    this.#origin ??= pts;
    const since = (pts - this.#origin) * this.#timeBase[0] * 1_000_000_000n / this.#timeBase[1];
    return since < 0n ? 0n : since;
  }

  /** What was logged of a frame. It is logged before the frame is written. @throws {Failure} when ffmpeg failed */
  async line(n: number): Promise<FrameLine | undefined> {
    while (!this.#lines.has(n) && !this.#exited) {
      this.#signal.throwIfAborted();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const line = this.#lines.get(n);
    if (line === undefined && this.#failure !== undefined) throw this.#failure;
    if (n > 0) this.#lines.delete(n);
    return line;
  }

  /** Waits for its end. @throws {Failure} when it failed */
  async ended(): Promise<void> {
    await this.#exit;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends it if it still runs. */
  async end(): Promise<void> {
    if (!this.#exited) this.#process.kill("SIGKILL");
    await this.#exit;
    this.pixels[Symbol.dispose]();
    if (!this.pixels.reading) fs.closeSync(this.#readFd);
  }
}
