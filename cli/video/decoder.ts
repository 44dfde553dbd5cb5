/**
 * ffmpeg as a source of frames: any file, URL or camera that it can read. Pixels come through a pipe of our own into
 * the slots; size, format and timestamps from what it logs before each frame.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import type { Color } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import { complain, paintErrors } from "../terminal/output.ts";
import { ByteSource } from "./byte_source.ts";
import { makePipe } from "./descriptors.ts";
import { type Ending, endingOf, FfmpegLog, judge } from "./ffmpeg_log.ts";
import { FFMPEG_SPAWN, type FfmpegProgram, findFfmpeg } from "./ffmpeg_program.ts";
import { JpegStream } from "./jpeg_stream.ts";
import { type FrameLine, FrameLog } from "./frame_log.ts";
import { type FrameSource, type NextFrame, type Shape, shapeOf } from "./frame_source.ts";
import { decodedFormats } from "./pixel_formats.ts";

/** What ffmpeg does with the input. */
export type DecoderOptions = {
  /** Scales to this size. */
  size?: [width: number, height: number];
  /** Converts to this pixel format, or to JPEG (`mjpeg`); otherwise the source's own, or the nearest known here. */
  format?: string;
  /** Goes on with frames of another size; without it they are an error. */
  followFormat?: boolean;
  /** Starts again at the end, forever. */
  loop?: boolean;
  /** Anything ffmpeg takes before `-i`, as `-f v4l2`. */
  inputOptions?: string[];
  /** Takes ffmpeg's complaints as warnings. */
  tolerant?: boolean;
};

/** A complaint about times in the output, which has none: the times come from the log. */
const OF_OUTPUT = /non monotonically increasing dts to muxer/;
/** The label of JPEG pictures, what they are made of, and how good they are: 2 is the best that ffmpeg recommends. */
const JPEG = { label: "mjpeg", formats: "yuvj420p|yuvj422p|yuvj444p", quality: "2" };
/** How long a frame may be there before its line of the log. */
const LINE_MS = 10_000;
/** How long the rest of a frame's lines may take. */
const REST_MS = 500;

/** @throws {Failure} for a format that is not known */
export function checkFormat(name: string): void {
  if (name !== JPEG.label) shapeOf(name, 1, 1);
}

/** A running ffmpeg that decodes. */
export class Decoder implements FrameSource {
  readonly total?: number;
  readonly #input: string;
  readonly #options: DecoderOptions;
  readonly #ffmpeg: Ffmpeg;
  #shape: Shape;
  /** The first frame of another shape, which is not given out yet. */
  #next: FrameLine | undefined;
  #count = 0;
  #said = false;
  /** The pixel format of all bytes: ffmpeg keeps that of its first frame for the whole output. */
  readonly #format: string;
  /** Pixel formats of which it was said that they are converted. */
  readonly #converted = new Set<string>();
  #verdict: Failure | undefined;
  readonly #pictures: JpegStream | undefined;

  /**
   * Starts ffmpeg and waits for its first frame.
   *
   * @param input a file or URL; `-` is standard input
   * @throws {Failure} in ffmpeg's words, when it cannot read the input
   */
  static async start(input: string, options: DecoderOptions, signal: AbortSignal): Promise<Decoder> {
    const program = await findFfmpeg();
    if (options.followFormat && !program.keepsSizes) {
      throw new Failure(
        `--follow-format needs ffmpeg 4.4 or newer, and this is ${program.version || "an older one"}: ` +
          "it scales all frames to one size; --size says to which",
        EXIT.system,
      );
    }
    const ffmpeg = new Ffmpeg(input, options, program, signal);
    try {
      await ffmpeg.pixels.more();
      const first = await ffmpeg.line(0);
      if (first === undefined) {
        const { failure, complaints } = await ffmpeg.ending;
        throw failure ?? new Failure(
          `ffmpeg found no video frame in ${nameOf(input)}${complaints === undefined ? "" : `: ${complaints}`}`,
          EXIT.failed,
        );
      }
      return new Decoder(input, options, ffmpeg, first);
    } catch (error) {
      await ffmpeg.end();
      throw error;
    }
  }

  private constructor(input: string, options: DecoderOptions, ffmpeg: Ffmpeg, first: FrameLine) {
    this.#input = nameOf(input);
    this.#options = options;
    this.#ffmpeg = ffmpeg;
    this.#pictures = options.format === JPEG.label ? new JpegStream(ffmpeg.pixels) : undefined;
    this.#format = first.format;
    this.#shape = this.#shapeOf(first);
    const total = options.loop ? undefined : ffmpeg.log.total;
    if (total !== undefined) this.total = total;
  }

  #shapeOf({ width, height, ...appearance }: FrameLine): Shape {
    const shape = shapeOf(this.#format, width, height, appearance);
    if (this.#pictures === undefined) return shape;
    // No picture is as large as its pixels with their chroma whole, but a very small one.
    const frameBytes = width * height * 3 + 65536;
    return { ...shape, frameSize: [width, height, 3], pixelFormat: JPEG.label, frameBytes, variableLength: true };
  }

  get shape(): Shape {
    return this.#shape;
  }

  async next(): Promise<NextFrame | undefined> {
    const line = this.#next ?? await this.#line(this.#count);
    this.#next = undefined;
    if (line === undefined) return undefined;
    if (this.#options.followFormat && !this.#isOfShape(line)) {
      this.#next = line;
      return undefined;
    }
    const n = this.#count++;
    this.#compare(n, line);
    if (this.#pictures !== undefined) return await this.#picture(n, line, this.#pictures);
    return {
      details: { timestampNs: line.timestampNs },
      fill: async (into) => {
        if (await this.#ffmpeg.pixels.fill(into) === into.length) return;
        const { failure } = await this.#ffmpeg.ending;
        throw failure ?? new Failure(`ffmpeg ended in the middle of frame ${n}`, EXIT.failed);
      },
    };
  }

  async #picture(n: number, line: FrameLine, pictures: JpegStream): Promise<NextFrame> {
    const picture = await pictures.next();
    const limit = this.#shape.frameBytes;
    if (picture === undefined || picture.length > limit) {
      const { failure } = picture === undefined ? await this.#ffmpeg.ending : {};
      throw failure ??
        new Failure(
          `picture ${n} of ${this.#input} has ${picture?.length ?? 0} bytes, of at most ${limit}`,
          EXIT.failed,
        );
    }
    return {
      details: { timestampNs: line.timestampNs },
      byteLength: picture.length,
      // deno-lint-ignore require-await -- a promise by contract
      fill: async (into) => into.set(picture),
    };
  }

  #isOfShape({ width, height }: FrameLine): boolean {
    const { frameSize } = this.#shape;
    return width === frameSize[0] && height === frameSize[1];
  }

  goOn(): Shape | undefined {
    if (this.#next === undefined) return undefined;
    this.#said = false;
    return this.#shape = this.#shapeOf(this.#next);
  }

  /** What was logged of the next frame; undefined at the end. @throws {Failure} when ffmpeg failed */
  async #line(n: number): Promise<FrameLine | undefined> {
    if (!await this.#ffmpeg.pixels.more()) {
      await this.#end();
      return undefined;
    }
    const line = await this.#ffmpeg.line(n);
    if (line === undefined) throw new Failure(`ffmpeg wrote frame ${n} of ${this.#input} without a word`, EXIT.failed);
    return line;
  }

  /** @throws {Failure} where the frame does not fit into the depot */
  #compare(n: number, line: FrameLine): void {
    if (!this.#isOfShape(line)) this.#refuse(n, line);
    if (line.format !== this.#format && this.#pictures === undefined && !this.#converted.has(line.format)) {
      this.#converted.add(line.format);
      const kept = `ffmpeg converts them to ${this.#format}, that of the first frame`;
      warn(`from frame ${n} on, frames of ${this.#input} have the pixel format ${line.format}; ${kept}`);
    }
    const changed = this.#said ? [] : changesOf(this.#shape, line);
    if (changed.length === 0) return;
    this.#said = true;
    warn(
      `from frame ${n} on, frames of ${this.#input} have ${changed.join(", ")}; the depot keeps what its first one had`,
    );
  }

  #refuse(n: number, line: FrameLine): never {
    const before = this.#shape.frameSize.slice(0, 2).join("x");
    throw new Failure(
      `cannot store frame ${n} of ${this.#input}: its size is ${line.width}x${line.height}, that of the frames before ` +
        `${before}; --size ${before} converts all frames to one size, --follow-format goes on in a new depot`,
      EXIT.failed,
    );
  }

  /** @throws {Failure} when ffmpeg failed */
  async #end(): Promise<void> {
    const ending = await this.#ffmpeg.ending;
    if (ending.failure !== undefined) throw ending.failure;
    const missing = this.#ffmpeg.log.count - this.#count;
    if (missing > 0) throw new Failure(`ffmpeg announced ${missing} more frames than it wrote`, EXIT.failed);
    this.#verdict = judge(this.#input, ending, this.#options.tolerant);
  }

  get verdict(): Failure | undefined {
    return this.#verdict;
  }

  close(): Promise<void> {
    return this.#ffmpeg.end();
  }
}

function nameOf(input: string): string {
  return input === "-" ? "standard input" : input;
}

function warn(text: string): void {
  complain(`${paintErrors().yellow("warning:")} ${text}\n`);
}

/** What a frame says of colours, pixels and fields that the depot does not. */
function changesOf({ color = {}, sampleAspectRatio, fieldOrder }: Shape, line: FrameLine): string[] {
  const said = Object.entries(line.color ?? {}).filter(([part, name]) => color[part as keyof Color] !== name);
  const changed = said.map(([part, name]) => `${part} ${name}`);
  const aspect = line.sampleAspectRatio?.join(":");
  if (aspect !== undefined && aspect !== sampleAspectRatio?.join(":")) changed.push(`pixels of ${aspect}`);
  if (line.fieldOrder !== fieldOrder) changed.push(`fields ${line.fieldOrder}`);
  return changed;
}

/** The process, and what it logs. */
class Ffmpeg {
  readonly pixels: ByteSource;
  readonly log: FrameLog;
  readonly ending: Promise<Ending>;
  readonly #readFd: number;
  readonly #process: ChildProcess;
  readonly #signal: AbortSignal;
  #wake = () => {};
  #exited = false;

  constructor(input: string, options: DecoderOptions, program: FfmpegProgram, signal: AbortSignal) {
    const { readFd, writeFd } = makePipe();
    this.#readFd = readFd;
    this.#signal = signal;
    this.pixels = new ByteSource(readFd, signal);
    this.log = new FrameLog(() => this.#wake());
    signal.addEventListener("abort", () => this.#wake());
    this.#process = spawn("ffmpeg", this.#parameters(input, options, program), {
      ...FFMPEG_SPAWN,
      stdio: [input === "-" ? 0 : "ignore", writeFd, "pipe"],
    });
    fs.closeSync(writeFd);
    const log = new FfmpegLog(this.#process.stderr!, (line) => this.log.read(line), OF_OUTPUT);
    this.ending = endingOf(this.#process, log);
    this.ending.then(() => {
      this.#exited = true;
      this.#wake();
    });
  }

  #parameters(input: string, options: DecoderOptions, { fpsMode, formats }: FfmpegProgram): string[] {
    const { size, format, followFormat, loop, inputOptions = [] } = options;
    const filters = [
      ...(size === undefined ? [] : [`scale=${size.join(":")}`]),
      // Of a list, ffmpeg takes the source's own format or the one that loses least.
      `format=pix_fmts=${format === JPEG.label ? JPEG.formats : format ?? decodedFormats(formats).join("|")}`,
      this.log.filter,
    ];
    return [
      ...["-nostdin", "-hide_banner", "-nostats", "-loglevel", "repeat+level+info"],
      ...(loop ? ["-stream_loop", "-1"] : []),
      ...inputOptions,
      // Without -map ffmpeg takes the default-flagged or largest stream of moving pictures, no cover art.
      ...["-i", input === "-" ? "pipe:0" : input, "-an", "-sn", "-dn", "-map_metadata", "-1", "-vf", filters.join(",")],
      ...(followFormat ? ["-noautoscale"] : []), // otherwise ffmpeg scales all to the size of the first
      // Every frame as it was decoded: none is repeated or left out to keep a rate, and no time is rounded to one.
      ...[fpsMode, "passthrough", "-enc_time_base", "1/1000000000"],
      ...(format === JPEG.label ? ["-c:v", "mjpeg", "-q:v", JPEG.quality, "-f", "mjpeg"] : ["-f", "rawvideo"]),
      "pipe:1",
    ];
  }

  /**
   * What was logged of frame `n`, once its bytes have begun to come, or all have ended.
   *
   * @returns undefined where there is no such frame
   * @throws {Failure} where the frame is there without its line
   */
  async line(n: number): Promise<FrameLine | undefined> {
    let line = this.log.get(n);
    if (line === undefined) {
      await this.#until(() => (line = this.log.get(n)) !== undefined, LINE_MS);
      if (line === undefined && !this.#exited) {
        throw new Failure(`cannot follow ffmpeg: frame ${n} is there, but nothing was logged of it`, EXIT.system);
      }
    }
    if (line !== undefined) await this.#until(() => line!.complete, REST_MS);
    return line;
  }

  /** Waits until something is so, the process has ended or the time is up. @throws when interrupted */
  async #until(done: () => boolean, limitMs: number): Promise<void> {
    if (done() || this.#exited) return;
    const timer = setTimeout(() => this.#wake(), limitMs);
    const end = performance.now() + limitMs;
    try {
      while (!done() && !this.#exited && performance.now() < end) {
        this.#signal.throwIfAborted();
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it if it still runs. */
  async end(): Promise<void> {
    if (!this.#exited) this.#process.kill("SIGKILL");
    await this.ending;
    this.pixels[Symbol.dispose]();
    if (!this.pixels.reading) fs.closeSync(this.#readFd);
  }
}
