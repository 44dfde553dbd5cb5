/**
 * A video as raw pixels: ffmpeg decodes it into a pipe, as fast as the pipe is read and from the start again at its
 * end. What comes out of the pipe is put straight into a slot.
 *
 * @module
 */
import { spawn, spawnSync } from "node:child_process";
import { UsageError } from "./options.ts";

/** How much of ffmpeg's complaints is kept. */
const COMPLAINT_LENGTH = 2000;

/** Width and height of a video, for which ffprobe is asked. @throws {UsageError} */
export function sizeOfVideo(file: string): [width: number, height: number] {
  const probe = spawnSync("ffprobe", [
    ...["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of", "json"],
    ...["-i", file],
  ], { encoding: "utf8", windowsHide: true });
  if (probe.error !== undefined) {
    throw new UsageError(
      `--video needs ffmpeg and ffprobe on the PATH: ffprobe cannot be run (${probe.error.message})`,
    );
  }
  if (probe.status !== 0) throw new UsageError(`--video cannot be read: ${probe.stderr.trim()}`);
  const [stream] = JSON.parse(probe.stdout).streams ?? [];
  if (!(stream?.width > 0 && stream.height > 0)) throw new UsageError(`--video has no picture in it: ${file}`);
  const encoder = spawnSync("ffmpeg", ["-version"], { windowsHide: true });
  if (encoder.error !== undefined) {
    throw new UsageError(`--video needs ffmpeg on the PATH: it cannot be run (${encoder.error.message})`);
  }
  return [stream.width, stream.height];
}

/** A running ffmpeg. */
export class VideoFile implements AsyncDisposable {
  readonly #ffmpeg: ReturnType<typeof spawn>;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #ended: Promise<string>;
  readonly #signal: AbortSignal;
  #complaint = "";
  /** What the pipe gave beyond the end of a frame. */
  #rest: Uint8Array = new Uint8Array(0);

  /** @param options `signal` ends it; `scaleTo` is for another size than the video's own */
  constructor(file: string, options: { scaleTo?: [width: number, height: number]; signal: AbortSignal }) {
    const { scaleTo, signal } = options;
    this.#ffmpeg = spawn("ffmpeg", [
      // Upright or not does not matter here, but the size must be the one that ffprobe says.
      ...["-nostdin", "-v", "error", "-noautorotate", "-stream_loop", "-1", "-i", file, "-map", "0:v:0"],
      ...(scaleTo === undefined ? [] : ["-vf", `scale=${scaleTo.join(":")}:flags=fast_bilinear`]),
      ...["-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
    ], {
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      // Ctrl-C is for the demo, which then ends ffmpeg: otherwise it would end first, in the middle of a frame.
      detached: true,
    });
    this.#ffmpeg.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-COMPLAINT_LENGTH);
    });
    this.#ended = new Promise((resolve) => {
      this.#ffmpeg.on("error", (error) => resolve(error.message));
      this.#ffmpeg.on("close", (code) => resolve(code === 0 ? "" : `exit code ${code}: ${this.#complaint.trim()}`));
    });
    this.#chunks = this.#ffmpeg.stdout![Symbol.asyncIterator]();
    this.#signal = signal;
    signal.addEventListener("abort", this.#kill);
  }

  /**
   * Fills `pixels` with the next frame.
   *
   * @returns false when there is none: the signal has been given, or the video cannot be repeated
   * @throws {Error} with ffmpeg's words when it failed
   */
  async fill(pixels: Uint8Array): Promise<boolean> {
    for (let filled = 0; filled < pixels.length;) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (this.#signal.aborted) return false;
        if (done) return this.#atEnd(filled);
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, pixels.length - filled);
      pixels.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return true;
  }

  async #atEnd(filled: number): Promise<boolean> {
    const failure = await this.#ended;
    if (failure !== "") throw new Error(`ffmpeg failed: ${failure}`);
    if (filled > 0) throw new Error(`ffmpeg ended in the middle of a frame, after ${filled} bytes of it`);
    return false;
  }

  #kill = () => {
    this.#ffmpeg.kill("SIGKILL");
  };

  /** Ends ffmpeg if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#kill);
    this.#kill();
    // What is left in the pipe; otherwise it would not count as closed.
    this.#ffmpeg.stdout!.destroy();
    await this.#ended;
  }
}
