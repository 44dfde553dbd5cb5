/**
 * `frames-depot rm`: removes depots.
 *
 * @module
 */
import { Command } from "commander";
import { DepotError, type DepotInfo, FramesDepot } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { removeAny, removeDead, strangerAt } from "./removal.ts";
import { complain, paintErrors, print, printJson } from "./terminal/output.ts";
import { bytes, counted } from "./terminal/units.ts";
import { stateOf, whyMissing } from "./sight.ts";

type Options = { stale?: boolean; force?: boolean; dryRun?: boolean; json?: boolean };
type Outcome = {
  name: string;
  outcome: "removed" | "would be removed" | "refused" | "missing";
  reason: string;
  bytes: number;
};
/** What became of a name, and the exit code that this gives. */
type Result = { outcome: Outcome; exitCode: number };

/** Makes the command. */
export function rmCommand(): Command {
  return new Command("rm")
    .summary("remove depots that no process holds")
    .description("Removes depots that no live process holds.")
    .argument("[names...]", "depots")
    .option("--stale", "every depot that only dead processes held")
    .option("--force", "also live depots: their processes keep the memory, and no other process finds it")
    .option("-n, --dry-run", "only say what would be removed")
    .option("--json", "for programs: an array of what became of each")
    .addHelpText(
      "after",
      `
A name is removed only if the kernel says that no live process holds it. Each
name is tried. The exit code is that of the first one that was not removed:
3 it is not there, 4 a process holds it or it is no depot, 5 the system
refuses. With a name that no depot can have (2), nothing is removed.

Examples:
  frames-depot rm camera0
  frames-depot rm --stale --dry-run`,
    )
    .action(async (names: string[], options: Options, command: Command) => {
      const { stale = false, force = false, json } = options;
      if (stale === names.length > 0) command.error("error: give either names or --stale");
      if (stale && force) command.error("error: --force is for names: --stale never touches a live depot");
      const results = stale
        ? FramesDepot.list().filter((info) => info.stale).map((info) => remove(info, options))
        : await removeNamed(names, options);
      const outcomes = results.map(({ outcome }) => outcome);
      if (json) printJson(outcomes);
      else say(outcomes, stale);
      const failed = results.find(({ exitCode }) => exitCode !== EXIT.ok);
      if (failed !== undefined) throw new Failure("", failed.exitCode);
    });
}

/** @throws {RangeError} for a name that no depot can have, before anything is removed */
async function removeNamed(names: string[], options: Options): Promise<Result[]> {
  for (const name of names) FramesDepot.inspect(name);
  const all = FramesDepot.list();
  const results: Result[] = [];
  for (const name of new Set(names)) {
    const info = all.find((info) => info.name === name);
    results.push(info === undefined ? notThere(name, await whyMissing(name)) : remove(info, options));
  }
  return results;
}

function notThere(name: string, why: Failure | DepotError): Result {
  if (why instanceof DepotError) return refused(name, why.message, exitCodeOf(why), 0);
  return { outcome: { name, outcome: "missing", reason: why.message, bytes: 0 }, exitCode: why.exitCode };
}

const refused = (name: string, reason: string, exitCode: number, bytes: number): Result => ({
  outcome: { name, outcome: "refused", reason, bytes },
  exitCode,
});

const exitCodeOf = ({ code }: DepotError) =>
  code === "PERMISSION" || code === "UNSUPPORTED" ? EXIT.system : EXIT.refused;

function remove(info: DepotInfo, { force, dryRun }: Options): Result {
  const { name, bytes } = info;
  const stranger = strangerAt(name);
  const because = stranger === undefined ? `${stateOf(info)}: ${info.reason}` : `${stranger}, which is no depot`;
  if (stranger !== undefined && !force) {
    return refused(name, `${because}; --force removes it, and nothing that it leads to`, EXIT.refused, bytes);
  }
  if (dryRun) {
    if (stateOf(info) === "live" && !force) return refused(name, because, EXIT.refused, bytes);
    return { outcome: { name, outcome: "would be removed", reason: because, bytes }, exitCode: EXIT.ok };
  }
  const removal = force ? removeAny(name) : removeDead(name);
  if (removal === "removed") return { outcome: { name, outcome: removal, reason: because, bytes }, exitCode: EXIT.ok };
  if (removal === "live") {
    return refused(name, "live: a process holds it; --force removes it anyway", EXIT.refused, bytes);
  }
  return refused(name, removal.refused.message, exitCodeOf(removal.refused), bytes);
}

const isLeft = (outcome: Outcome["outcome"]) => outcome === "refused" || outcome === "missing";

function say(outcomes: Outcome[], stale: boolean): void {
  for (const { name, outcome, reason } of outcomes) {
    if (isLeft(outcome)) complain(`${paintErrors().red("not removed")} ${name}  ${reason}\n`);
    else print(`${outcome} ${name}  ${reason}\n`);
  }
  const gone = outcomes.filter(({ outcome }) => !isLeft(outcome));
  if (!stale) return;
  if (outcomes.length === 0) print("no stale depots\n");
  else print(`${counted(gone.length, "name")}, ${bytes(gone.reduce((sum, { bytes }) => sum + bytes, 0))}\n`);
}
