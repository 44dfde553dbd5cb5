/**
 * What ffmpeg writes to its standard error, line by line; the last errors are kept for the case that it fails.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { EXIT, Failure, systemReason } from "../failure.ts";

/** Why ffmpeg did not start. */
export function cannotRun(error: NodeJS.ErrnoException): Failure {
  const reason = error.code === "ENOENT" ? "it is not on the PATH" : systemReason(error);
  return new Failure(
    `cannot run ffmpeg: ${reason}; raw frames, Y4M, recordings and pictures work without it`,
    EXIT.system,
  );
}

const COMPLAINTS = 4;

/** The log of one process that runs with `-loglevel repeat+level+…`. */
export class LogTail {
  readonly #complaints: string[] = [];

  /** Reads a stream to its end. @param onLine told every line */
  follow(stream: Readable, onLine: (line: string) => void = () => {}): void {
    let unfinished = "";
    const take = (line: string) => {
      if (/\[(error|fatal|panic)\]/.test(line)) {
        this.#complaints.push(line.replace(/^(\[[^\]]*\] )*/, ""));
        if (this.#complaints.length > COMPLAINTS) this.#complaints.shift();
      }
      onLine(line);
    };
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop()!;
      lines.forEach(take);
    });
    stream.on("end", () => take(unfinished));
  }

  /** The last complaints in one line. */
  complaints(exitCode: number | null): string {
    return this.#complaints.join("; ") || (exitCode === null ? "it was killed" : `exit code ${exitCode}`);
  }
}
