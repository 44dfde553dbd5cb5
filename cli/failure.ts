/**
 * How a command ends when it cannot do what it was asked: one sentence, what helps, and a code for scripts.
 *
 * @module
 */
import { getSystemErrorMessage } from "node:util";
import { CommanderError } from "commander";
import { DepotError, type DepotErrorCode, FramesDepot } from "../mod.ts";
import { complain, paintErrors } from "./terminal/output.ts";

/** What the process answers to whoever started it. */
export const EXIT = {
  /** Done. */
  ok: 0,
  /** It was tried and failed, or a check found something wrong. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** There is no such depot, frame or recording, or it did not come in time. */
  notFound: 3,
  /** The depot is there, but its state forbids it: live, busy, broken, full of peers, of another shape. */
  refused: 4,
  /** The system refuses: no space, no permission, not supported. */
  system: 5,
  /** Ended by Ctrl-C. */
  interrupted: 130,
  /** Ended by SIGTERM. */
  terminated: 143,
} as const;

/** The end of a command, as people and scripts should see it. An empty message says nothing. */
export class Failure extends Error {
  readonly exitCode: number;

  /** @param exitCode one of {@linkcode EXIT} */
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What each cause of a DepotError answers, and what helps where the message does not say it. */
const CAUSES: Record<DepotErrorCode, { exitCode: number; remedy?: string }> = {
  NOT_FOUND: {
    exitCode: EXIT.notFound,
    remedy: "`frames-depot ls` shows what is there; `--timeout SECONDS` waits, where a command has it",
  },
  EXISTS: {
    exitCode: EXIT.refused,
    remedy: "choose another name, or end the processes that `frames-depot stat` shows",
  },
  NOT_READY: { exitCode: EXIT.refused, remedy: "try again; if it stays so, `frames-depot doctor` says why" },
  INCOMPATIBLE: {
    exitCode: EXIT.refused,
    remedy: "`frames-depot stat` shows its shape; `frames-depot doctor` compares the versions",
  },
  CORRUPT: { exitCode: EXIT.refused, remedy: "`frames-depot rm` removes it if no process that is alive holds it" },
  TOO_MANY_PEERS: {
    exitCode: EXIT.refused,
    remedy: "end a reader that `frames-depot stat` shows, or make the depot with more maxReaders",
  },
  CLOSED: { exitCode: EXIT.failed },
  BUSY: { exitCode: EXIT.failed },
  NO_SPACE: { exitCode: EXIT.system, remedy: "`frames-depot doctor` shows what takes the space" },
  PERMISSION: { exitCode: EXIT.system, remedy: "run as the user that made it; Deno needs --allow-ffi" },
  UNSUPPORTED: { exitCode: EXIT.system, remedy: "`frames-depot doctor` says what this machine lacks" },
};

/** The system's words for its error number, which name neither call nor path; other errors have their message. */
export function systemReason(error: unknown): string {
  const { errno, message } = error as NodeJS.ErrnoException;
  return errno === undefined ? message : getSystemErrorMessage(errno);
}

/** What to say of a depot, and what helps. A name that only dead processes held has its own text: `open()` does not. */
function explained({ code, depot, message }: DepotError): [message: string, remedy?: string] {
  if (code === "NOT_FOUND" && depot !== undefined && FramesDepot.inspect(depot)?.stale) {
    return [
      `cannot open depot "${depot}": the processes that held it are dead`,
      `\`frames-depot stat ${depot}\` shows what they counted; \`--timeout SECONDS\` waits for a new producer`,
    ];
  }
  return [message, CAUSES[code].remedy];
}

/** Says why a command failed, and answers with its exit code. Only a fault of this program shows a stack. */
export function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage; // it has spoken already
  const paint = paintErrors();
  const say = (message: string) => complain(`${paint.red("error:")} ${message}\n`);
  if (error instanceof Failure) {
    if (error.message !== "") say(error.message);
    return error.exitCode;
  }
  if (error instanceof DepotError) {
    const [message, remedy] = explained(error);
    say(message);
    if (remedy !== undefined) complain(`${paint.dim(remedy)}\n`);
    return CAUSES[error.code].exitCode;
  }
  if (error instanceof RangeError) { // an argument that only the library could judge
    say(error.message);
    return EXIT.usage;
  }
  if (error instanceof Error && error.name === "NotCapable") {
    say(`${error.message}; these commands need -A`);
    return EXIT.system;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof Error && code !== undefined && syscall !== undefined) { // of what other messages do not name
    say(`cannot ${syscall}: ${systemReason(error)}`);
    return EXIT.system;
  }
  say(error instanceof Error ? error.stack ?? error.message : String(error));
  return EXIT.failed;
}
