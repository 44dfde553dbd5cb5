/**
 * How a command fails: a sentence, and an exit code for scripts.
 *
 * @module
 */
import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";

/** Exit codes. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** The attempt failed, or a check found something wrong. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** There is no such depot, frame or recording, or it did not come in time. */
  notFound: 3,
  /** The depot exists, but its state forbids it: live, busy, broken, full of peers, of another shape. */
  refused: 4,
  /** The system refuses: no space, no permission, not supported. */
  system: 5,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** A failure as people and scripts see it. Nothing is printed of an empty message. */
export class Failure extends Error {
  readonly exitCode: number;

  /** @param exitCode one of {@linkcode EXIT} */
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The system's words for its error number, which name neither call nor path; other errors have their message. */
export function systemReason(error: unknown): string {
  const { message } = error as Error;
  const errno = errnoOf(error);
  return errno === undefined ? message : getSystemErrorMessage(errno);
}

/** The message of an error of the library without what helps, which is said in other words here. */
export function withoutRemedy({ message, remedy }: { message: string; remedy: string | undefined }): string {
  return remedy === undefined ? message : message.slice(0, -`; ${remedy}`.length);
}

/** The system's error number, below 0. Deno has only its name where a call has no path. */
function errnoOf(error: unknown): number | undefined {
  const { errno, code } = error as NodeJS.ErrnoException;
  if (errno !== undefined) return errno;
  const known = (constants.errno as Record<string, number>)[code ?? ""];
  return known === undefined ? undefined : -known;
}
