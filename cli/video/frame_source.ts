/**
 * Where frames come from: raw bytes, Y4M, ffmpeg, a recording.
 *
 * @module
 */
import { type ElementType, type FrameDetails, PIXEL_FORMATS } from "../../mod.ts";
import { EXIT, Failure } from "../failure.ts";
import type { ByteSource } from "./byte_source.ts";
import type { Appearance } from "./colors.ts";
import { formatsLike } from "./pixel_formats.ts";
import { parseY4mHeader, Y4M_LINE_LIMIT, Y4M_MAGIC } from "./y4m.ts";

/** What a depot must be like to take the frames. */
export type Shape = {
  frameSize: [width: number, height: number, channels: number];
  elementType: ElementType;
  pixelFormat: string;
  /** Bytes of a frame; the most there are, where lengths vary. */
  frameBytes: number;
  variableLength: boolean;
  metadataBytes: number;
} & Appearance;

/** A frame that has begun to arrive. */
export type NextFrame = {
  details: FrameDetails;
  /** Bytes of the frame, where lengths vary. */
  byteLength?: number;
  /** Fills a slot, or any array of the frame's length. It can be called once. */
  fill(into: Uint8Array): Promise<void>;
};

/** A frame that is not as it was; the frames after it may be. */
export class DamagedFrame extends Failure {}

/** Frames, one after the other. */
export type FrameSource = {
  readonly shape: Shape;
  /** How many will come, if that is known. */
  readonly total?: number;
  /** Waits for the next one; undefined at the end, and where the shape changes. */
  next(): Promise<NextFrame | undefined>;
  /** Where `next` has returned undefined: the shape of the frames that it returns from now on; undefined at the end. */
  goOn?(): Shape | undefined;
  /** After the end: the failure with which the command ends although all frames are stored, if there is one. */
  readonly verdict?: Failure | undefined;
  /** Goes on after a frame whose `fill` found it damaged; without it the command ends there. */
  readonly leaveOut?: ((error: DamagedFrame) => void) | undefined;
  /** Closes files and processes. */
  close(): Promise<void>;
};

/** Frames a second as a fraction. */
export type FrameRate = readonly [frames: number, seconds: number];

/** The shape of frames in one of ffmpeg's formats. @throws {Failure} for a format that is not known */
export function shapeOf(
  name: string,
  width: number,
  height: number,
  { color, sampleAspectRatio, fieldOrder }: Appearance = {},
): Shape {
  const format = PIXEL_FORMATS.get(name);
  if (format === undefined) {
    const similar = formatsLike(name);
    const helps = similar.length === 0 ? "docs/video.md says which are" : `did you mean ${similar.join(" or ")}?`;
    throw new Failure(`the pixel format "${name}" is not known; ${helps}`, EXIT.usage);
  }
  const { channels, elementType } = format;
  return {
    color,
    sampleAspectRatio,
    fieldOrder,
    frameSize: [width, height, channels],
    elementType,
    pixelFormat: name,
    frameBytes: format.frameBytes(width, height),
    variableLength: false,
    metadataBytes: 0,
  };
}

/** Nanoseconds from the first frame to frame `n`. */
export function timeOf(n: number, [frames, seconds]: FrameRate): bigint {
  return BigInt(n) * BigInt(Math.round(seconds * 1e6)) * 1_000_000_000n / BigInt(Math.round(frames * 1e6));
}

/**
 * Raw frames or Y4M, told apart by the first bytes.
 *
 * @param raw what raw frames are like; Y4M says it itself
 * @param rate gives raw frames their timestamps; without it they get the time at which they are published
 * @throws {Failure} when there is nothing, or not what was announced
 */
export async function sourceOfBytes(
  bytes: ByteSource,
  raw: { size?: [width: number, height: number]; format?: string },
  rate?: FrameRate,
): Promise<FrameSource> {
  const beginning = await bytes.peek(Y4M_MAGIC.length + 1);
  if (beginning.length === 0) throw new Failure("standard input ended before the first frame", EXIT.failed);
  if (new TextDecoder().decode(beginning.subarray(0, Y4M_MAGIC.length + 1)) === `${Y4M_MAGIC} `) {
    return await y4mSource(bytes, raw, rate);
  }
  if (raw.size === undefined || raw.format === undefined) {
    throw new Failure("raw frames need --size and --format; standard input does not begin as Y4M does", EXIT.usage);
  }
  return new ByteFrames(bytes, shapeOf(raw.format, ...raw.size), rate, false);
}

async function y4mSource(
  bytes: ByteSource,
  announced: { size?: [number, number]; format?: string },
  rate: FrameRate | undefined,
): Promise<FrameSource> {
  try {
    const header = parseY4mHeader(await bytes.line(Y4M_LINE_LIMIT) ?? "");
    const { width, height, format, appearance } = header;
    for (
      const [what, wanted, found] of [["--size", announced.size?.join("x"), `${width}x${height}`], [
        "--format",
        announced.format,
        format,
      ]]
    ) {
      if (wanted !== undefined && wanted !== found) {
        throw new Failure(
          `the Y4M on standard input is ${found}, not ${what} ${wanted}; leave ${what} out`,
          EXIT.usage,
        );
      }
    }
    return new ByteFrames(bytes, shapeOf(format, width, height, appearance), rate ?? header.rate, true);
  } catch (error) {
    throw error instanceof RangeError ? new Failure(error.message, EXIT.failed) : error;
  }
}

/** Frames one behind the other. */
class ByteFrames implements FrameSource {
  readonly shape: Shape;
  readonly #bytes: ByteSource;
  readonly #rate: FrameRate | undefined;
  readonly #y4m: boolean;
  #count = 0;

  constructor(bytes: ByteSource, shape: Shape, rate: FrameRate | undefined, y4m: boolean) {
    this.shape = shape;
    this.#bytes = bytes;
    this.#rate = rate;
    this.#y4m = y4m;
  }

  async next(): Promise<NextFrame | undefined> {
    if (!await this.#bytes.more()) return undefined;
    const n = this.#count++;
    if (this.#y4m && !/^FRAME([ \r]|$)/.test(await this.#bytes.line(Y4M_LINE_LIMIT) ?? "")) {
      throw new Failure(`the Y4M on standard input has no FRAME line where frame ${n} should begin`, EXIT.failed);
    }
    return {
      details: this.#rate === undefined ? {} : { timestampNs: timeOf(n, this.#rate) },
      fill: async (into) => {
        const filled = await this.#bytes.fill(into);
        if (filled === into.length) return;
        throw new Failure(
          `standard input ended in the middle of frame ${n}: after ${filled} of ${into.length} bytes`,
          EXIT.failed,
        );
      },
    };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
