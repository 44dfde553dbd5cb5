/**
 * What is printed of a failure: the sentence, and what helps. The parts of commands import neither this nor the
 * packages that it needs.
 *
 * @module
 */
import { constants } from "node:os";
import process from "node:process";
import { CommanderError } from "commander";
import { DepotError, type DepotErrorCode, type DepotInspection, FramesDepot } from "../mod.ts";
import { EXIT, Failure, systemReason, withoutRemedy } from "./failure.ts";
import { complain, OutputRefused, paintErrors } from "./terminal/output.ts";

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

/** What is printed of a DepotError: what is wrong, and what helps. */
function explained(error: DepotError): [wrong: string, helps?: string] {
  const { code, depot, errno, remedy } = error;
  const info = depot === undefined ? undefined : inspected(depot);
  if (code === "NOT_FOUND" && info?.stale) {
    return [
      `cannot open depot "${depot}": the processes that held it are dead`,
      `\`frames-depot stat ${depot}\` shows what they counted; \`--timeout SECONDS\` waits for a new producer`,
    ];
  }
  const wrong = withoutRemedy(error);
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
