/**
 * How a command ends when it cannot do what it was asked: one sentence, what helps, and a code for scripts.
 *
 * @module
 */
import { CommanderError } from "commander";
import { DepotError, type DepotErrorCode } from "../mod.ts";
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
const CAUSES: Record<DepotErrorCode, [exitCode: number, remedy?: string]> = {
  NOT_FOUND: [
    EXIT.notFound,
    "`frames-depot ls` shows what is there; `--timeout SECONDS` waits, where a command has it",
  ],
  EXISTS: [EXIT.refused, "choose another name, or end the processes that `frames-depot stat` shows"],
  NOT_READY: [EXIT.refused, "try again; if it stays so, `frames-depot doctor` says why"],
  INCOMPATIBLE: [EXIT.refused, "`frames-depot stat` shows its shape; `frames-depot doctor` compares the versions"],
  CORRUPT: [EXIT.refused, "`frames-depot rm` removes it if no process that is alive holds it"],
  TOO_MANY_PEERS: [EXIT.refused, "end a reader that `frames-depot stat` shows, or make the depot with more maxReaders"],
  CLOSED: [EXIT.failed],
  BUSY: [EXIT.failed],
  NO_SPACE: [EXIT.system, "`frames-depot doctor` shows what takes the space"],
  PERMISSION: [EXIT.system, "run as the user that made it; Deno needs --allow-ffi"],
  UNSUPPORTED: [EXIT.system, "`frames-depot doctor` says what this machine lacks"],
};

/** What the system says of a file, without the code before it and the path after it. */
export function systemReason(error: unknown): string {
  return (error as Error).message.replace(/^E[A-Z0-9]+: /, "").replace(/, \w+( '.*')?$/s, "");
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
    const [exitCode, remedy] = CAUSES[error.code];
    say(error.message.replace("; `stale: true` opens what they left", "")); // an option of the library's
    if (remedy !== undefined) complain(`${paint.dim(remedy)}\n`);
    return exitCode;
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
