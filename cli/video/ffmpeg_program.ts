/**
 * Which ffmpeg there is: found, started once, and asked for its version and formats before anything depends on it.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { EXIT, Failure, systemReason } from "../failure.ts";

/** What the ffmpeg on the PATH is and can do. */
export type FfmpegProgram = {
  /** As it calls itself, as `5.1.9`; empty where it does not say. */
  version: string;
  /** The option whose values `passthrough` and `vfr` keep each frame as it is, with its own time. */
  fpsMode: "-fps_mode" | "-vsync";
  /** Whether it can give out frames in sizes of their own: `-autoscale`. */
  keepsSizes: boolean;
  /** The pixel formats that it knows; undefined where it does not say. */
  formats: ReadonlySet<string> | undefined;
};

/** libavcodec's version from which ffmpeg has `-fps_mode`: 5.1. */
const FPS_MODE_SINCE = [59, 37];
/** The version from which it has `-autoscale`: 4.4. */
const AUTOSCALE_SINCE = [58, 134];

/** How it is started: its colours off, and Ctrl-C left to this program. */
export const FFMPEG_SPAWN = {
  // Ctrl-C is ours: ffmpeg would end in the middle of a frame or of a file.
  detached: true,
  env: { ...process.env, AV_LOG_FORCE_NOCOLOR: "1" },
} as const;

/** Why ffmpeg did not start. */
export function cannotRun(error: NodeJS.ErrnoException): Failure {
  const reason = error.code === "ENOENT" ? "it is not on the PATH, install it" : systemReason(error);
  return new Failure(
    `cannot run ffmpeg: ${reason}; raw frames, Y4M, recordings and pictures work without it`,
    EXIT.system,
  );
}

/**
 * Starts the ffmpeg of the PATH once, to see that it runs and what it is.
 *
 * @throws {Failure} with exit code 5 where it is not there, or ends at once
 */
export async function findFfmpeg(): Promise<FfmpegProgram> {
  // Without -hide_banner one run tells both: the banner goes to standard error, the formats to standard output.
  const { code, out, errors } = await run(["-nostdin", "-pix_fmts"]);
  if (code !== 0) {
    const last = errors.trim().split("\n").at(-1);
    const how = code === null ? "it was killed" : `exit code ${code}`;
    throw new Failure(`cannot run ffmpeg: it ends at once, ${how}${last ? `: ${last}` : ""}`, EXIT.system);
  }
  const codec = /^\s*libavcodec\s+(\d+)\.\s*(\d+)\./m.exec(errors);
  const formats = [...out.matchAll(/^[I.][O.][H.][P.][B.] (\S+) +\d/gm)].map(([, name]) => name);
  return {
    version: /^ffmpeg version n?(\S+)/m.exec(errors)?.[1] ?? "",
    fpsMode: codec !== null && isBefore(codec, FPS_MODE_SINCE) ? "-vsync" : "-fps_mode",
    keepsSizes: codec === null || !isBefore(codec, AUTOSCALE_SINCE),
    formats: formats.length === 0 ? undefined : new Set(formats),
  };
}

function isBefore([, major, minor]: RegExpExecArray, [otherMajor, otherMinor]: readonly number[]): boolean {
  return Number(major) < otherMajor || Number(major) === otherMajor && Number(minor) < otherMinor;
}

/** Runs it with few words in and out. @throws {Failure} where it does not start */
export function run(parameters: readonly string[]): Promise<{ code: number | null; out: string; errors: string }> {
  return new Promise((resolve, reject) => {
    let [out, errors] = ["", ""];
    const child = spawn("ffmpeg", parameters, { ...FFMPEG_SPAWN, stdio: ["ignore", "pipe", "pipe"] });
    child.on("error", (error: NodeJS.ErrnoException) => reject(cannotRun(error)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors += text);
    child.on("close", (code) => resolve({ code, out, errors }));
  });
}
