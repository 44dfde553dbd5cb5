/**
 * Real video for the tests of the command line: clips that ffmpeg encodes, and what ffmpeg alone makes of them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { cliCommand } from "./cli.ts";
import { depotTest, HERE, type Runtime, skip } from "./harness.ts";

/** The runtime that does not run this test. */
export const OTHER: Runtime = HERE === "deno" ? "bun" : "deno";
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;

/** What a video test gets: names of depots, and a folder that is gone afterwards. */
export type Scene = { name: string; another: () => string; folder: string };

/** A test about video. Without ffmpeg it is skipped. */
export function videoTest(title: string, body: (scene: Scene) => Promise<void>): void {
  depotTest(title, async (name, another) => {
    if (!hasFfmpeg) return skip("no ffmpeg here");
    const folder = mkdtempSync(join(tmpdir(), "frames-depot-test-"));
    try {
      await body({ name, another, folder });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** Runs ffmpeg and returns what it writes to its standard output. */
export function ffmpeg(parameters: string[]): Uint8Array {
  const command = ["-nostdin", "-v", "error", ...parameters];
  const { status, stdout, stderr } = spawnSync("ffmpeg", command, { maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`ffmpeg ${parameters.join(" ")}: ${stderr}`);
  return new Uint8Array(stdout);
}

/** Puts bytes into a file, and returns its path. (Deno blocks in spawnSync with much input and much output.) */
export function fileOf(folder: string, name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Encodes a clip of a moving test picture, and returns its path. */
export function makeClip(folder: string, { size = "160x120", rate = "25", frames = 30 } = {}): string {
  const path = join(folder, "clip.mp4");
  const picture = `testsrc2=size=${size}:rate=${rate}`;
  const codec = ["-c:v", "mpeg4", "-q:v", "3", "-pix_fmt", "yuv420p"];
  ffmpeg(["-f", "lavfi", "-i", picture, "-frames:v", String(frames), ...codec, "-y", path]);
  return path;
}

/** The frames of a file as ffmpeg alone decodes them, one behind the other. */
export function decoded(path: string, options: string[] = []): Uint8Array {
  return ffmpeg(["-i", path, ...options, "-fps_mode", "passthrough", "-f", "rawvideo", "-"]);
}

/** A raw frame of the test picture in any pixel format, of any size. */
export function rawFrame(format: string, width: number, height: number, n = 0): Uint8Array {
  const filters = `select=gte(n\\,${n}),scale=${width}:${height},format=${format}`;
  return ffmpeg([
    ...["-f", "lavfi", "-i", "testsrc2=size=64x48", "-vf", filters, "-frames:v", "1", "-f", "rawvideo", "-"],
  ]);
}

/** How a command is started: the runtime, bytes for its standard input, its PATH. */
export type MoveOptions = { runtime?: Runtime; input?: Uint8Array; path?: string };

/** What a command that moves bytes answered. */
export type Moved = { code: number; out: Uint8Array; errors: string };

/** A command whose standard streams carry video. */
export class VideoCommand implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly done: Promise<Moved>;
  #ended = false;

  /** @param options `input`: bytes for its standard input; `open`: they may be written, and end, later */
  constructor(parameters: string[], options: MoveOptions & { open?: boolean } = {}) {
    const [executable, ...rest] = [...cliCommand(options.runtime ?? HERE), ...parameters];
    const path = options.path === undefined ? {} : { PATH: options.path };
    this.child = spawn(executable, rest, { env: { ...process.env, NO_COLOR: "1", ...path } });
    const out: Uint8Array[] = [];
    let errors = "";
    this.child.stdout!.on("data", (bytes: Uint8Array) => out.push(bytes));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => errors += text);
    this.child.stdin!.on("error", () => {}); // it may end before it has read everything
    if (options.input !== undefined) this.child.stdin!.write(options.input);
    if (!options.open) this.child.stdin!.end();
    this.done = new Promise((resolve) => {
      this.child.on("close", (code) => {
        this.#ended = true;
        resolve({ code: code ?? -1, out: new Uint8Array(Buffer.concat(out)), errors });
      });
    });
  }

  /** Sends a signal; not through child.kill(), which in Deno closes the pipes first. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.child.pid!, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.signal("SIGKILL");
    await this.done;
  }
}

/** Runs a command to its end. */
export async function move(parameters: string[], options: MoveOptions = {}): Promise<Moved> {
  await using command = new VideoCommand(parameters, options);
  return await command.done;
}

/** Runs both to their ends at the same time. */
export async function moveBoth(
  producer: [parameters: string[], options?: MoveOptions],
  consumer: [parameters: string[], options?: MoveOptions],
): Promise<[Moved, Moved]> {
  return await Promise.all([move(...producer), move(...consumer)]);
}

/** Whether two arrays are the same, without printing megabytes where they are not. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0;
}

/** A file's bytes. */
export function bytesOfFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}
