/**
 * H.264 of one depot in one size, by one ffmpeg, picture by picture.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { EXIT, Failure } from "../failure.ts";
import { type AccessUnit, AccessUnits } from "../video/access_units.ts";
import { colorOptions } from "../video/colors.ts";
import { cannotRun, FFMPEG_SPAWN, findFfmpeg, run } from "../video/ffmpeg_program.ts";
import { isJpeg, type Pixels } from "../video/frame_picture.ts";
import { pixelFormatOf } from "../video/pixel_formats.ts";
import { evenSize, type Size } from "./sizes.ts";
import type { Snapshot } from "./snapshot.ts";

/** A picture of H.264. */
export type Encoded = AccessUnit & { size: Size };

const ENCODER = "libx264";
/** Frames from one key frame to the next, where no client needs one before. */
const KEY_EVERY = 60;
/** A client that needs a key frame gets one by starting ffmpeg anew: not more often than this. */
const KEY_MS = 1000;
/** How long ffmpeg may take for one picture. */
const PATIENCE_MS = 10_000;

/** @throws {Failure} where there is no ffmpeg that makes H.264 */
export async function checkEncoder(): Promise<void> {
  await findFfmpeg();
  const { out } = await run(["-nostdin", "-hide_banner", "-encoders"]);
  if (out.includes(` ${ENCODER} `)) return;
  throw new Failure(
    `--codec h264 needs an ffmpeg with ${ENCODER}, which this one is without; leave it out`,
    EXIT.system,
  );
}

/** What is running, and what frames it takes. */
type Process = { child: ChildProcess; takes: string; begunMs: number; complaint: string };

/** One ffmpeg at a time. */
export class H264Encoder {
  #process: Process | undefined;
  #waiter: { resolve: (unit: AccessUnit) => void; reject: (error: Error) => void } | undefined;

  /** Whether frames of such pixels can be encoded. */
  static takes(pixels: Pixels): boolean {
    return !isJpeg(pixels.pixelFormat) && pixelFormatOf(pixels) !== undefined;
  }

  /**
   * Encodes a frame. One at a time.
   *
   * @param needsKey whether a client can show nothing before the next key frame
   * @throws {Failure} when ffmpeg fails
   */
  async encode({ pixels, data }: Snapshot, wanted: Size, needsKey: boolean): Promise<Encoded> {
    const size = evenSize(wanted);
    const takes = JSON.stringify([pixels.pixelFormat, pixels.elementType, pixels.frameSize, pixels.color, size]);
    const isOld = this.#process !== undefined && performance.now() - this.#process.begunMs > KEY_MS;
    if (this.#process?.takes !== takes || needsKey && isOld) this.#start(pixels, size, takes);
    const unit = new Promise<AccessUnit>((resolve, reject) => this.#waiter = { resolve, reject });
    const timer = setTimeout(() => this.#fail("ffmpeg does not encode"), PATIENCE_MS);
    this.#process!.child.stdin!.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    try {
      return { ...await unit, size };
    } finally {
      clearTimeout(timer);
      this.#waiter = undefined;
    }
  }

  #start(pixels: Pixels, { width, height }: Size, takes: string): void {
    this.end();
    const format = pixelFormatOf(pixels)!;
    const child = spawn("ffmpeg", [
      ...["-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", "-probesize", "32", "-analyzeduration", "0"],
      ...[...colorOptions(pixels.color), "-f", "rawvideo", "-pix_fmt", format.name],
      ...["-s", pixels.frameSize.slice(0, 2).join("x"), "-framerate", "30", "-i", "pipe:0"],
      ...["-vf", `scale=${width}:${height}:flags=fast_bilinear,format=yuv420p`],
      ...["-c:v", ENCODER, "-preset", "ultrafast", "-tune", "zerolatency", "-crf", "24", "-g", String(KEY_EVERY)],
      ...["-flush_packets", "1", "-f", "flv", "pipe:1"],
    ], { ...FFMPEG_SPAWN, stdio: ["pipe", "pipe", "pipe"] });
    const process: Process = { child, takes, begunMs: performance.now(), complaint: "" };
    this.#process = process;
    const units = new AccessUnits();
    const isPresent = () => this.#process === process;
    child.stdout!.on("data", (bytes: Uint8Array) => {
      for (const unit of units.push(bytes)) if (isPresent()) this.#waiter?.resolve(unit);
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => process.complaint ||= text.split("\n")[0]);
    child.stdin!.on("error", () => {}); // it says itself why it ended
    child.on("error", (error: NodeJS.ErrnoException) => isPresent() && this.#fail(cannotRun(error).message));
    child.on("close", () => isPresent() && this.#fail(`ffmpeg ended: ${process.complaint || "it does not say why"}`));
  }

  #fail(why: string): void {
    this.#waiter?.reject(new Failure(`cannot encode H.264: ${why}`, EXIT.failed));
    this.end();
  }

  /** Ends ffmpeg; the next frame starts another. */
  end(): void {
    this.#waiter?.reject(new Failure("cannot encode H.264: no client wants it any more", EXIT.failed));
    const { child } = this.#process ?? {};
    this.#process = undefined;
    if (child === undefined) return;
    child.stdin!.destroy();
    if (child.exitCode === null && child.pid !== undefined) child.kill("SIGKILL");
  }
}
