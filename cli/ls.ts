/**
 * `frames-depot ls`: every depot at a glance.
 *
 * @module
 */
import { Command } from "commander";
import { Interruption } from "./interruption.ts";
import { print, printJson } from "./terminal/output.ts";
import { depotColumns, notesOn } from "./depot_columns.ts";
import { table } from "./terminal/table.ts";
import { conditionOf, livePeers, lookAround, type Sight, stateOf } from "./sight.ts";

/** How long rates are measured for. */
const MEASURE_MS = 200;

/** Makes the command. */
export function lsCommand(): Command {
  return new Command("ls")
    .summary("list every depot")
    .description("Lists every depot of this user: shape, queue, rates, peers, live or stale and why.")
    .option("--no-rates", "print at once, without measuring frames and bytes a second")
    .option("--json", "for programs: an array of depots")
    .addHelpText(
      "after",
      `
Rates are measured for ${MEASURE_MS} ms. No producer waits for it, and no name is kept.

Examples:
  frames-depot ls
  frames-depot ls --json | jq -r '.[] | select(.state == "stale").name'`,
    )
    .action(async ({ rates, json }: { rates: boolean; json?: boolean }) => {
      using interruption = new Interruption();
      let sights = lookAround();
      if (rates && sights.some(({ info }) => stateOf(info) === "live")) {
        await interruption.sleep(MEASURE_MS);
        sights = lookAround(sights);
      }
      if (json) printJson(sights.map(asJson));
      else if (sights.length === 0) print("no depots\n");
      else print(table(sights, depotColumns()) + notesOn(sights));
    });
}

/** A depot as programs get it. */
export function asJson(sight: Sight) {
  const { info: { stats, ...info }, rates } = sight;
  return {
    ...info,
    state: conditionOf(sight),
    producersGone: stats?.producersGone,
    pids: livePeers({ ...info, stats }).map(({ pid }) => pid),
    framesPerSecond: rates?.frames,
    bytesPerSecond: rates?.bytes,
    droppedPerSecond: rates?.dropped,
    stored: stats?.stored,
    dropped: stats?.dropped,
    slowest: info.stale ? undefined : stats?.slowest,
  };
}
