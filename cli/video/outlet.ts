/**
 * What `read` writes into: chosen and tried before a frame is taken, opened with the first frame.
 *
 * @module
 */
import type { Frame, FramesDepot } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import type { ByteSink } from "./byte_sink.ts";
import { bytesOf } from "./bytes.ts";
import { encoderSink, type Encoding, isCodec, keepsTimes, type Tried } from "./encoder.ts";
import { FALLBACK_RATE, gridRate, guessRate, rateMismatch } from "./frame_rate.ts";
import { type FrameSink, type MadeFile, rawSink, type Video, y4mSink } from "./frame_sink.ts";
import { type FrameRate, timeOf } from "./frame_source.ts";
import { pixelFormatOf } from "./pixel_formats.ts";
import { stepInWords, Timeline } from "./timeline.ts";
import { tryEncoding, usableRate } from "./trial.ts";
import { OF_RGB, type Y4mFrames, y4mFramesOf } from "./y4m_frames.ts";

/** What is written. */
export type OutletOptions = {
  /** Y4M instead of raw frames. */
  y4m?: boolean;
  /** One rate instead of the timestamps. */
  rate?: FrameRate;
  /** The maximum of frames to come. */
  frames?: number | undefined;
  /** A file instead of standard output. */
  encoding?: Encoding;
};

/** Frames that are kept back to learn their rate from their timestamps: their number, and where that is much, bytes. */
const [RATE_FRAMES, RATE_BYTES] = [8, 128e6];
/** How long frames that were kept back may take to go out after a signal. */
const LAST_MS = 5000;
/** Frames a second of which one hardly means them. */
const TOO_FAST = 1000;

/** Frames on their way out. */
export class Outlet {
  readonly #depot: FramesDepot;
  readonly #options: OutletOptions;
  readonly #stdout: ByteSink;
  readonly #signal: AbortSignal;
  readonly #video: Omit<Video, "rate"> | undefined;
  readonly #y4m: Y4mFrames | undefined;
  readonly #timeline: Timeline;
  readonly #kept: { bytes: Uint8Array; timeNs: bigint }[] = [];
  #tried: Tried | undefined;
  #sink: FrameSink | undefined;
  #rate: FrameRate | undefined;
  #count = 0;
  #timeNs = -1n;

  /** Tries what can be tried. @throws {Failure} where it cannot work: then no frame has been taken */
  static async open(
    depot: FramesDepot,
    options: OutletOptions,
    stdout: ByteSink,
    signal: AbortSignal,
  ): Promise<Outlet> {
    const outlet = new Outlet(depot, options, stdout, signal);
    const { encoding, rate = FALLBACK_RATE } = options;
    if (encoding !== undefined) {
      outlet.#tried = await tryEncoding({ ...outlet.#video!, rate }, encoding, options.frames ?? Infinity, signal);
    }
    return outlet;
  }

  private constructor(depot: FramesDepot, options: OutletOptions, stdout: ByteSink, signal: AbortSignal) {
    this.#depot = depot;
    this.#options = options;
    this.#stdout = stdout;
    this.#signal = signal;
    const isRaw = options.encoding === undefined && !options.y4m;
    this.#video = isRaw ? undefined : videoOf(depot, options);
    this.#y4m = options.y4m && options.encoding === undefined ? y4mOf(depot, this.#video!) : undefined;
    this.#timeline = new Timeline((stepNs, framesAgo) => {
      const n = this.#count - 1 - framesAgo;
      if (!isRaw) warn(`${stepInWords(stepNs)} before frame ${n}: what is written goes on without the gap`);
    });
  }

  /** Takes a frame; the first ones are kept back. */
  async take(frame: Frame): Promise<void> {
    const bytes = bytesOf(frame.data);
    const timeNs = this.#timeOf(frame);
    if (this.#sink === undefined && this.#video !== undefined && this.#options.rate === undefined) {
      this.#kept.push({ bytes: bytes.slice(), timeNs });
      const isEnough = this.#kept.length === RATE_FRAMES || this.#kept.length * bytes.length > RATE_BYTES;
      if (isEnough && this.#kept.length > 1) await this.#openKept(this.#signal);
      return;
    }
    this.#sink ??= await this.#open(this.#options.rate ?? FALLBACK_RATE, this.#signal);
    await this.#sink.write(bytes, timeNs);
  }

  /** From the first frame, and growing: containers want that. */
  #timeOf(frame: Frame): bigint {
    const n = this.#count++;
    const { rate } = this.#options;
    const timeNs = rate === undefined ? this.#timeline.add(frame.timestampNs) : timeOf(n, rate);
    return this.#timeNs = timeNs > this.#timeNs ? timeNs : this.#timeNs + 2000n;
  }

  async #openKept(signal: AbortSignal): Promise<void> {
    this.#sink = await this.#open(await this.#rateOfKept(signal), signal);
    for (const { bytes, timeNs } of this.#kept.splice(0)) await this.#sink.write(bytes, timeNs);
  }

  /** The rate where the output has one only, or is begun with one. */
  async #rateOfKept(signal: AbortSignal): Promise<FrameRate> {
    const times = this.#kept.map(({ timeNs }) => timeNs);
    const { encoding, frames = Infinity } = this.#options;
    if (encoding === undefined) return guessRate(times) ?? FALLBACK_RATE;
    const rate = gridRate(times) ?? FALLBACK_RATE;
    if (this.#tried!.fit.unit !== undefined) return rate;
    return await usableRate({ ...this.#video!, rate }, encoding, this.#tried!, frames, signal);
  }

  /** What ffmpeg has made of the frames, once it is closed. */
  get made(): MadeFile | undefined {
    return this.#sink?.made;
  }

  #open(rate: FrameRate, signal: AbortSignal): Promise<FrameSink> | FrameSink {
    this.#rate = rate;
    if (this.#video === undefined) return rawSink(this.#stdout);
    const { encoding } = this.#options;
    const video = { ...this.#video, rate };
    if (encoding !== undefined) return encoderSink(video, encoding, this.#tried!, signal);
    return y4mSink(this.#stdout, video, this.#y4m!);
  }

  /** Completes what was written. @returns the failure with which the command ends although it is complete */
  async finish(): Promise<Failure | undefined> {
    if (this.#kept.length > 0) await this.#openKept(this.#signal);
    const verdict = await this.#sink?.finish();
    if (this.#options.rate !== undefined || this.#video === undefined || this.#sink === undefined) return verdict;
    const timed = this.#options.encoding !== undefined && keepsTimes({ ...this.#video, rate: this.#rate! });
    const mismatch = timed ? tooFast(this.#count, this.#timeNs) : rateMismatch(this.#count, this.#timeNs, this.#rate!);
    if (mismatch !== undefined) warn(mismatch);
    return verdict;
  }

  /** Closes files and processes, which completes a file of ffmpeg's: also where a signal came before it was begun. */
  async close(): Promise<void> {
    try {
      const isFile = this.#options.encoding !== undefined;
      if (isFile && this.#sink === undefined && this.#kept.length > 0) {
        await this.#openKept(AbortSignal.timeout(LAST_MS));
      }
    } finally {
      await this.#sink?.close();
    }
  }
}

/** Whether a file's frames follow each other faster than anything plays, because they were stored so. */
function tooFast(frames: number, timeNs: bigint): string | undefined {
  const perSecond = (frames - 1) * 1e9 / Number(timeNs);
  if (frames < 2 || perSecond < TOO_FAST) return undefined;
  return `by their timestamps there are ${perSecond.toFixed(0)} frames a second; \`--rate 25\` gives them one rate`;
}

function warn(text: string): void {
  complain(`${paintErrors().yellow("warning:")} ${text}\n`);
}

/** What the frames are. @throws {Failure} where it is not known */
function videoOf(depot: FramesDepot, { encoding }: OutletOptions): Omit<Video, "rate"> {
  const [width, height] = depot.frameSize;
  const { color, sampleAspectRatio, fieldOrder, pixelFormat, name } = depot;
  const appearance = { color, sampleAspectRatio, fieldOrder };
  const format = pixelFormatOf(depot);
  if (format !== undefined) return { width, height, format, appearance };
  if (!isCodec(pixelFormat)) {
    throw new Failure(
      `cannot encode depot "${name}": its pixel format, "${pixelFormat}", is not known; ` +
        "without --y4m and --output its frames are read raw",
      EXIT.refused,
    );
  }
  if (encoding === undefined) {
    throw new Failure(
      `Y4M has no place for ${pixelFormat}; this line has ffmpeg decode it:\n` +
        `frames-depot read ${name} | ffmpeg -f ${pixelFormat} -i - -f yuv4mpegpipe -`,
      EXIT.usage,
    );
  }
  return { width, height, format: pixelFormat, appearance };
}

/** What frames become for Y4M. @throws {Failure} that has a line which converts them */
function y4mOf(depot: FramesDepot, video: Omit<Video, "rate">): Y4mFrames {
  const { width, height, format, appearance } = video;
  const frames = typeof format === "string" ? undefined : y4mFramesOf(format, width, height);
  if (frames === undefined || typeof format === "string") throw withoutY4m(depot.name, video);
  if (!format.isYuv && frames.format.isYuv) appearance.color = OF_RGB;
  return frames;
}

/** Why there is no Y4M, and a line that makes it. */
function withoutY4m(name: string, { format, width, height }: Omit<Video, "rate">): Failure {
  const label = typeof format === "string" ? format : format.name;
  const deep = typeof format === "string" || format.elementType !== "uint8";
  return new Failure(
    `Y4M has no place for ${label}; this line has ffmpeg convert it:\nframes-depot read ${name} | ` +
      `ffmpeg -f rawvideo -pixel_format ${label} -video_size ${width}x${height} -i - ` +
      `-pix_fmt ${deep ? "yuv444p16le -strict -1" : "yuv444p"} -f yuv4mpegpipe - | ffplay -`,
    EXIT.usage,
  );
}
