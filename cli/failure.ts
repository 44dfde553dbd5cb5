/**
 * How a command fails: a sentence, what helps, and an exit code for scripts.
 *
 * @module
 */
import { constants } from "node:os";
import process from "node:process";
import { getSystemErrorMessage } from "node:util";
import { CommanderError } from "commander";
import { DepotError, type DepotErrorCode, type DepotInspection, FramesDepot } from "../mod.ts";
import { complain, OutputRefused, paintErrors } from "./terminal/output.ts";

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

/** The exit code of each cause, and what helps at the command line where the library names its calls and options. */
const CAUSES: Record<DepotErrorCode, { exitCode: number; remedy?: string }> = {
  NOT_FOUND: {
    exitCode: EXIT.notFound,
    remedy: "`frames-depot ls` lists the depots; a command with `--timeout` can wait for one",
  },
  EXISTS: {
    exitCode: EXIT.refused,
    remedy: "choose another name, end the processes that `frames-depot stat` shows, or take it with `--replace`",
  },
  NOT_READY: { exitCode: EXIT.refused },
  INCOMPATIBLE: { exitCode: EXIT.refused },
  CORRUPT: { exitCode: EXIT.refused },
  TOO_MANY_PEERS: {
    exitCode: EXIT.refused,
    remedy: "end a process that `frames-depot stat` shows, or make the depot with a larger `--max-readers`",
  },
  CLOSED: { exitCode: EXIT.failed },
  ENDED: { exitCode: EXIT.refused, remedy: "`frames-depot write` makes the next one of that name" },
  REPLACED: { exitCode: EXIT.refused, remedy: "`frames-depot stat` shows the depot that has the name now" },
  BUSY: { exitCode: EXIT.failed },
  NO_SPACE: { exitCode: EXIT.system },
  PERMISSION: { exitCode: EXIT.system },
  UNSUPPORTED: { exitCode: EXIT.system },
};

/** The system's words for its error number, which name neither call nor path; other errors have their message. */
export function systemReason(error: unknown): string {
  const { message } = error as Error;
  const errno = errnoOf(error);
  return errno === undefined ? message : getSystemErrorMessage(errno);
}

/** The system's error number, below 0. Deno has only its name where a call has no path. */
function errnoOf(error: unknown): number | undefined {
  const { errno, code } = error as NodeJS.ErrnoException;
  if (errno !== undefined) return errno;
  const known = (constants.errno as Record<string, number>)[code ?? ""];
  return known === undefined ? undefined : -known;
}

/** What is printed of a DepotError: what is wrong, and what helps. */
function explained({ code, depot, errno, message, remedy }: DepotError): [wrong: string, helps?: string] {
  const info = depot === undefined ? undefined : inspected(depot);
  if (code === "NOT_FOUND" && info?.stale) {
    return [
      `cannot open depot "${depot}": the processes that held it are dead`,
      `\`frames-depot stat ${depot}\` shows what they counted; \`--timeout SECONDS\` waits for a new producer`,
    ];
  }
  const wrong = remedy === undefined ? message : message.slice(0, -`; ${remedy}`.length);
  // Where it could be looked at, its mode lets this user in.
  const isDistrusted = code === "PERMISSION" && errno === constants.errno.EACCES;
  if (isDistrusted && info?.owner !== undefined) return [wrong, asOwner(info.owner)];
  return [wrong, CAUSES[code].remedy ?? remedy];
}

/** What has a name, where it can be looked at. */
function inspected(depot: string): DepotInspection | undefined {
  try {
    return FramesDepot.inspect(depot);
  } catch {
    return undefined;
  }
}

const asOwner = (owner: number) =>
  `only its owner fills and reads it here: \`sudo -u '#${owner}' frames-depot …\`; \`ls\`, \`stat\` and \`top\` show it`;

/** Prints why a command failed; only a fault of this program shows a stack. @returns the exit code */
export function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // commander has printed it
  const paint = paintErrors();
  const say = (message: string) => complain(`${paint.red("error:")} ${message}\n`);
  if (error instanceof Failure) {
    if (error.message !== "") say(error.message);
    return error.exitCode;
  }
  if (error instanceof DepotError) {
    const [wrong, helps] = explained(error);
    say(wrong);
    if (helps !== undefined) complain(`${paint.dim(helps)}\n`);
    return CAUSES[error.code].exitCode;
  }
  if (error instanceof RangeError) { // an argument that only the library checks
    say(error.message);
    return EXIT.usage;
  }
  if (error instanceof OutputRefused) {
    say(`cannot write standard output: ${systemReason(error.cause)}`);
    return EXIT.system;
  }
  if (error instanceof Error && error.name === "NotCapable") {
    say(`${error.message}; run frames-depot with -A`);
    return EXIT.system;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof Error && code !== undefined && syscall !== undefined) { // no other message names the call
    say(`cannot ${syscall}: ${systemReason(error)}`);
    return EXIT.system;
  }
  say(error instanceof Error ? error.stack ?? error.message : String(error));
  return EXIT.failed;
}

/** Ends the process when its output takes no more: without an error where its reader has stopped, as `head` does. */
export function endWithOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      process.exit(error.code === "EPIPE" ? EXIT.ok : report(new OutputRefused(error)));
    });
  }
}
