/**
 * `frames-depot rm`: removes depots.
 *
 * @module
 */
import { Command } from "commander";
import { type DepotInfo, FramesDepot } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { type Removal, removeDead } from "./removal.ts";
import { complain, paintErrors, print, printJson } from "./terminal/output.ts";
import { bytes, counted } from "./terminal/units.ts";
import { refuseMissing, stateOf } from "./sight.ts";

type Options = { stale?: boolean; force?: boolean; dryRun?: boolean; json?: boolean };
type Outcome = { name: string; outcome: "removed" | "would be removed" | "refused"; reason: string; bytes: number };

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
A name is removed only if the kernel says that no live process holds it.
Exit code 4: at least one name was not removed.

Examples:
  frames-depot rm camera0
  frames-depot rm --stale --dry-run`,
    )
    .action(async (names: string[], options: Options, command: Command) => {
      const { stale = false, force = false, json } = options;
      if (stale === names.length > 0) command.error("error: give either names or --stale");
      if (stale && force) command.error("error: --force is for names: --stale never touches a live depot");
      const outcomes = (await chosen(names, stale)).map((info) => remove(info, options));
      if (json) printJson(outcomes);
      else say(outcomes, stale);
      if (outcomes.some(({ outcome }) => outcome === "refused")) throw new Failure("", EXIT.refused);
    });
}

/** @throws {Failure | DepotError} for a name that is not there, before anything is removed */
async function chosen(names: string[], stale: boolean): Promise<DepotInfo[]> {
  const all = FramesDepot.list();
  if (stale) return all.filter((info) => info.stale);
  const found: DepotInfo[] = [];
  for (const name of new Set(names)) {
    found.push(all.find((info) => info.name === name) ?? await refuseMissing(name, ", so none is removed"));
  }
  return found;
}

function remove(info: DepotInfo, { force, dryRun }: Options): Outcome {
  const { name, bytes } = info;
  const because = `${stateOf(info)}: ${info.reason}`;
  if (dryRun) {
    const refused = stateOf(info) === "live" && !force;
    return { name, outcome: refused ? "refused" : "would be removed", reason: because, bytes };
  }
  const removal: Removal = force && FramesDepot.unlink(name) ? "removed" : removeDead(name);
  if (removal === "removed") return { name, outcome: "removed", reason: because, bytes };
  const reason = removal === "live" ? "live: a process holds it; --force removes it anyway" : removal.refused;
  return { name, outcome: "refused", reason, bytes };
}

function say(outcomes: Outcome[], stale: boolean): void {
  for (const { name, outcome, reason } of outcomes) {
    if (outcome === "refused") complain(`${paintErrors().red("not removed")} ${name}  ${reason}\n`);
    else print(`${outcome} ${name}  ${reason}\n`);
  }
  const gone = outcomes.filter(({ outcome }) => outcome !== "refused");
  if (!stale) return;
  if (outcomes.length === 0) print("no stale depots\n");
  else print(`${counted(gone.length, "name")}, ${bytes(gone.reduce((sum, { bytes }) => sum + bytes, 0))}\n`);
}
