/**
 * Files that ffmpeg encodes. Frames go to it in Matroska, with their own times, so that what it makes is what it would
 * make of the source itself.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { EXIT, Failure } from "../failure.ts";
import { ByteSink, PipeClosed } from "./byte_sink.ts";
import { colorOptions } from "./colors.ts";
import { makePipe } from "./descriptors.ts";
import { eachLine, type Ending, endingOf, FfmpegLog, judge } from "./ffmpeg_log.ts";
import { FFMPEG_SPAWN, type FfmpegProgram } from "./ffmpeg_program.ts";
import { type FrameSink, type MadeFile, nameOf, type Video } from "./frame_sink.ts";
import { matroskaFrameHead, matroskaFrameTail, matroskaHeader } from "./matroska.ts";
import { type Packing, packingOf } from "./raw_frames.ts";
import { isUrl } from "./target.ts";

/** What ffmpeg makes of the frames. */
export type Encoding = {
  /** A file, or whatever ffmpeg takes as an output, in the format of its extension. */
  output: string;
  /** Anything ffmpeg takes before an output; replaces what makes the usual containers playable everywhere. */
  options?: string[] | undefined;
  /** Which field of interlaced frames is the first, whatever the depot says. */
  fields?: "top" | "bottom" | undefined;
  /** Takes ffmpeg's complaints as warnings. */
  tolerant?: boolean | undefined;
};

/** Containers whose players expect even sizes and 4:2:0. */
const FOR_PLAYERS = /\.(mp4|m4v|mov|webm)$/i;
const EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2";
const PLAYABLE = [EVEN, "format=yuv420p"];
/** Containers that have a time for each frame, as their usual encoders do. */
const FOR_TIMES = /\.(mp4|m4v|mov|webm|mkv|nut)$/i;
/** Containers that have one, but whose usual encoders want a rate. */
const FOR_TIMES_OF_CODEC = /\.(ts|m2ts|mts|flv)$/i;
/** Encoders that take a time of any unit. */
const TIMED_CODEC =
  /^(libx26[45]|libvpx(-vp9)?|libaom-av1|libsvtav1|librav1e|ffv1|h264_\w+|hevc_\w+|av1_\w+|rawvideo|mjpeg)$/;
/**
 * Units of times in files, the best first: 1, 1000 and 1001 of it are the intervals of all usual rates, up to 480 a
 * second. The other is for encoders that count 65535 a second at the most, as mpeg4.
 */
const TIME_UNITS = ["1/720000", "1/60000"] as const;
/** How long the end of the last frame may take. */
const LAST_MS = 5000;
/** Compressed frames, by their label in a depot and their name in Matroska. */
const CODECS: Record<string, string> = {
  mjpeg: "V_MJPEG",
  jpeg: "V_MJPEG",
  h264: "V_MPEG4/ISO/AVC",
  hevc: "V_MPEGH/ISO/HEVC",
  av1: "V_AV1",
  vp8: "V_VP8",
  vp9: "V_VP9",
};

/** Whether ffmpeg can decode frames of this label. */
export function isCodec(label: string): boolean {
  return label in CODECS;
}

/** What is before compressed frames, as they travel to ffmpeg. */
export function matroskaOf(label: string, width: number, height: number): Uint8Array {
  return matroskaHeader({ width, height, codec: CODECS[label], frameNs: 40_000_000 });
}

/** How frames of a kind travel to ffmpeg. */
class Transport {
  /** Options before ffmpeg's `-i`. */
  readonly options: readonly string[];
  /** Whether frames keep their times. */
  readonly timed: boolean;
  readonly header: Uint8Array;
  readonly #packing: Packing | undefined;
  /** Nanoseconds from frame to frame, as far as they are known. */
  #intervalNs: bigint;
  #timeNs: bigint | undefined;

  constructor(video: Video, fields?: "top" | "bottom") {
    const { width, height, format, rate: [frames, seconds], appearance: { color, sampleAspectRatio } } = video;
    const fieldOrder = fields === undefined
      ? video.appearance.fieldOrder
      : ({ top: "tt", bottom: "bb" } as const)[fields];
    const codec = typeof format === "string" ? CODECS[format] : "V_UNCOMPRESSED";
    this.#packing = typeof format === "string" ? undefined : packingOf(format, width, height);
    this.timed = typeof format === "string" || this.#packing !== undefined;
    const range = typeof format !== "string" && format.isFullRange ? { range: "full" as const } : {};
    this.options = [
      ...(this.timed
        ? ["-f", "matroska"]
        : ["-f", "rawvideo", "-pix_fmt", nameOf(format), "-s", `${width}x${height}`, "-r", `${frames}/${seconds}`]),
      ...(this.timed || fieldOrder === undefined ? [] : ["-field_order", fieldOrder]),
      ...colorOptions({ ...range, ...color }),
    ];
    this.#intervalNs = BigInt(Math.round(seconds / frames * 1e9));
    this.header = this.timed
      ? matroskaHeader({
        ...{ width, height, codec, fieldOrder, sampleAspectRatio, fourCc: this.#packing?.fourCc },
        frameNs: seconds / frames * 1e9,
      })
      : new Uint8Array(0);
  }

  /** What is written for one frame: also the end of the one before. */
  parts(frame: Uint8Array, timeNs: bigint): Uint8Array[] {
    if (!this.timed) return [frame];
    const packed = this.#packing?.convert?.(frame) ?? frame;
    if (this.#timeNs !== undefined) this.#intervalNs = timeNs - this.#timeNs;
    const before = this.tail();
    this.#timeNs = timeNs;
    return [...before, matroskaFrameHead(timeNs, packed.length), packed];
  }

  /** The end of the last frame, which lasts as long as the one before. */
  tail(): Uint8Array[] {
    return this.#timeNs === undefined ? [] : [matroskaFrameTail(this.#intervalNs)];
  }
}

/** Whether frames of a format keep their times in a file. */
export function keepsTimes({ format, width, height }: Video): boolean {
  return typeof format === "string" || packingOf(format, width, height) !== undefined;
}

/** What an encoder wants that its name does not tell: found by trying. */
export type Fit = {
  /** The unit of times; without it frames get a rate. */
  unit: string | undefined;
  /** Sizes are made even. */
  even: boolean;
};

/** Ways to encode, the best first. */
export function fitsOf(video: Video, { output, options }: Encoding): Fit[] {
  const { width, height } = video;
  const { timed } = new Transport(video);
  const units = timed && takesTimes(output, options) ? [...TIME_UNITS, undefined] : [undefined];
  const isOdd = width % 2 !== 0 || height % 2 !== 0;
  const sizes = options === undefined && isOdd && !FOR_PLAYERS.test(output) ? [false, true] : [false];
  return units.flatMap((unit) => sizes.map((even) => ({ unit, even })));
}

function parametersOf(
  video: Video,
  transport: Transport,
  { output, options }: Encoding,
  { program, fit }: Tried,
  target: string,
): string[] {
  const { sampleAspectRatio: aspect } = video.appearance;
  const filters = [
    ...(aspect === undefined ? [] : [`setsar=sar=${aspect.join("/")}:max=${Math.max(...aspect)}`]),
    ...(fit.even ? [EVEN] : []),
    ...(options === undefined && FOR_PLAYERS.test(output) ? PLAYABLE : []),
  ];
  return [
    ...["-nostdin", "-hide_banner", "-nostats", "-progress", "pipe:1", "-loglevel", "repeat+level+error"],
    ...[...transport.options, "-i", "pipe:0"],
    ...(filters.length === 0 ? [] : ["-vf", filters.join(",")]),
    ...(fit.unit === undefined ? [] : [program.fpsMode, "vfr", "-enc_time_base", fit.unit]),
    ...options ?? [],
    ...["-y", target],
  ];
}

/** Whether the encoder takes times as they are; others want a rate, and ffmpeg gives them one. */
function takesTimes(output: string, options: readonly string[] = []): boolean {
  if (options.some((option) => /^-(r|r:v|fpsmax|vsync|fps_mode|enc_time_base)$/.test(option))) return false;
  const at = options.findIndex((option) => /^-(c|c:v|c:v:0|codec|codec:v|vcodec)$/.test(option));
  if (at < 0) return FOR_TIMES.test(output);
  return (FOR_TIMES.test(output) || FOR_TIMES_OF_CODEC.test(output)) && TIMED_CODEC.test(options[at + 1] ?? "");
}

/** The ffmpeg that works, and the way in which it does. */
export type Tried = { program: FfmpegProgram; fit: Fit };

/** Starts ffmpeg for frames that were tried with blank ones. */
export function encoderSink(
  video: Video,
  encoding: Encoding,
  tried: Tried,
  signal: AbortSignal,
): FrameSink {
  const { output, tolerant } = encoding;
  const encoder = new Encoder(video, encoding, tried, output, signal);
  let made: MadeFile | undefined;
  const verdict = (ending: Ending) => {
    if (made !== undefined) return undefined;
    const { failure, complaints } = ending;
    made = { frames: encoder.encoded, whole: failure === undefined && (complaints === undefined || !!tolerant) };
    if (!made.whole) removeEmpty(output);
    return judge(output, ending, tolerant);
  };
  return {
    write: (frame, timeNs) => encoder.write(frame, timeNs),
    async finish() {
      const ending = await encoder.close();
      const failure = verdict(ending);
      if (ending.failure !== undefined) throw ending.failure;
      return failure;
    },
    close: async () => void verdict(await encoder.close()),
    get made() {
      return made;
    },
  };
}

/** Removes what is no video and would be in the way of the next attempt. */
function removeEmpty(output: string): void {
  if (isUrl(output)) return;
  const found = fs.statSync(output, { throwIfNoEntry: false });
  if (found?.isFile() && found.size === 0) fs.rmSync(output, { force: true });
}

/** The process. */
export class Encoder {
  readonly #transport: Transport;
  readonly #process: ChildProcess;
  readonly #ending: Promise<Ending>;
  readonly #bytes: ByteSink;
  readonly #writeFd: number;
  #begun = false;
  /** Whether all of each frame has gone into the pipe. */
  #whole = false;
  #open = true;
  #encoded = 0;

  constructor(video: Video, encoding: Encoding, tried: Tried, target: string, signal: AbortSignal) {
    this.#transport = new Transport(video, encoding.fields);
    const { readFd, writeFd } = makePipe();
    this.#writeFd = writeFd;
    this.#process = spawn("ffmpeg", parametersOf(video, this.#transport, encoding, tried, target), {
      ...FFMPEG_SPAWN,
      stdio: [readFd, "pipe", "pipe"],
    });
    fs.closeSync(readFd);
    eachLine(this.#process.stdout!, (line) => {
      if (line.startsWith("frame=")) this.#encoded = Number(line.slice("frame=".length));
    });
    this.#ending = endingOf(this.#process, new FfmpegLog(this.#process.stderr!));
    this.#bytes = new ByteSink(writeFd, signal);
  }

  /** How many frames ffmpeg has encoded, as it says each half second and at its end. */
  get encoded(): number {
    return this.#encoded;
  }

  async write(frame: Uint8Array, timeNs: bigint): Promise<void> {
    try {
      if (!this.#begun) {
        this.#begun = true;
        await this.#bytes.write(this.#transport.header);
      }
      this.#whole = false;
      for (const part of this.#transport.parts(frame, timeNs)) await this.#bytes.write(part);
      this.#whole = true;
    } catch (error) {
      if (!(error instanceof PipeClosed)) throw error;
      const { complaints } = await this.end(); // throws ffmpeg's own reason, if it has one
      // It has what it wants, as with `-t` or `-frames:v`, unless it complains.
      throw complaints === undefined ? error : new Failure(`ffmpeg ended early: ${complaints}`, EXIT.failed);
    }
  }

  async #closePipe(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#bytes[Symbol.dispose]();
    try {
      // Also after a signal: the file gets its last frame, unless ffmpeg stands still.
      const last = new ByteSink(this.#writeFd, AbortSignal.timeout(LAST_MS));
      for (const part of this.#whole ? this.#transport.tail() : []) await last.write(part);
    } catch { // it has gone, or the time is up: its ending tells
    } finally {
      fs.closeSync(this.#writeFd);
    }
  }

  /** Lets it complete the file. @throws {Failure} when it failed */
  async end(): Promise<Ending> {
    const ending = await this.close();
    if (ending.failure !== undefined) throw ending.failure;
    return ending;
  }

  /** Lets it complete the file, whatever comes of it. */
  async close(): Promise<Ending> {
    await this.#closePipe(); // at which ffmpeg completes the file
    return await this.#ending;
  }

  /** Ends it if it still runs. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.pid !== undefined) this.#process.kill("SIGKILL");
    await this.close();
  }
}
