/**
 * `frames-depot stat`: everything about one depot, and which reader blocks it.
 *
 * @module
 */
import { Command } from "commander";
import type { DepotInspection, DepotStats } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { groupLine } from "./group_line.ts";
import { Interruption } from "./interruption.ts";
import { timerSeconds } from "./parameters.ts";
import { peersTable } from "./peers_table.ts";
import { paintOutput, print, printJson } from "./terminal/output.ts";
import { bytes, count, counted, elements, frameLength, gigabytesPerSecond, rate } from "./terminal/units.ts";
import { lookAt, type Rates, refuseMissing, type Sight, stateOf, waitsForProducer } from "./sight.ts";

const MEASURE_SECONDS = 0.5;

const WHEN_FULL = {
  drop: "a full queue drops the new frame",
  wait: "a full queue makes producers wait",
  overwrite: "a full queue overwrites the oldest frame",
};

/** Makes the command. */
export function statCommand(): Command {
  return new Command("stat")
    .summary("show one depot: counters, peers, which reader blocks")
    .description("Shows all counters of a depot, each peer, and which reader blocks the queue.")
    .argument("<name>", "a depot")
    .option("--seconds <number>", "how long to measure rates; 0 measures none", timerSeconds, MEASURE_SECONDS)
    .option("--json", "for programs: an object")
    .addHelpText(
      "after",
      `
A stale depot shows its last counters, and the processes that had it open.

Examples:
  frames-depot stat camera0
  frames-depot stat camera0 --json | jq .slowest`,
    )
    .action(async (name: string, { seconds, json }: { seconds: number; json?: boolean }) => {
      using interruption = new Interruption();
      let sight = await found(name);
      if (seconds > 0 && stateOf(sight.info) === "live") {
        await interruption.sleep(seconds * 1000);
        sight = await found(name, sight);
      }
      const { info: { stats, ...info }, rates } = sight;
      if (json) printJson(statAsJson(sight));
      else print(shape(info) + counters(stats!, waitsForProducer(sight.info), rates) + peersTable(stats!, info));
    });
}

/** Everything about a depot, as programs get it. */
export function statAsJson({ info: { stats, ...info }, rates }: Sight) {
  return { ...info, state: stateOf(info), ...stats, rates };
}

/** @throws {Failure | DepotError} where there is none, or none that can be opened */
async function found(name: string, before?: Sight): Promise<Sight> {
  const sight = lookAt(name, before);
  if (sight === undefined) {
    if (before !== undefined) throw new Failure(`depot "${name}" was removed just now`, EXIT.notFound);
    return await refuseMissing(name);
  }
  if (!sight.info.usable) throw new Failure(sight.info.reason, EXIT.refused);
  return sight;
}

/** What has become of a depot, where it is not as usual. */
function endOf({ ended, replaced, linked }: DepotStats): string | undefined {
  if (replaced) return "another depot has its name: it takes no more frames";
  if (ended) return "it takes no more frames; readers get what is left";
  return linked ? undefined : "its name has been removed";
}

function lines(pairs: [label: string, text: string][]): string {
  const paint = paintOutput();
  return pairs.map(([label, text]) => `  ${paint.dim(label.padEnd(9))} ${text}\n`).join("");
}

function shape(info: DepotInspection): string {
  const paint = paintOutput();
  const format = info.pixelFormat ? `, ${info.pixelFormat}` : "";
  const beside = info.metadataBytes! > 0 ? ` and ${bytes(info.metadataBytes!)} of metadata` : "";
  const title = `${paint.bold(info.name)}  ${info.stale ? paint.yellow(`stale: ${info.reason}`) : paint.green("live")}`;
  return `${title}\n` + lines([
    ["frame", `${elements(info)}${format}, ${frameLength(info)}${beside}`],
    ["queue", `${info.length} of ${counted(info.maxSize!, "frame")}; ${WHEN_FULL[info.whenFull!]}`],
    ["memory", bytes(info.bytes)],
  ]);
}

function counters(stats: DepotStats, gone: boolean, rates?: Rates): string {
  const paint = paintOutput();
  const measured = (text: () => string) => rates === undefined ? "" : paint.dim(`  ${text()}`);
  const flow = rates?.bytes === undefined ? "" : `, ${gigabytesPerSecond(rates.bytes)} GB/s`;
  return lines([
    [
      "stored",
      count(stats.stored) +
      measured(() => `${rate(rates!.frames)} frames/s${flow}`),
    ],
    ["dropped", count(stats.dropped) + measured(() => `${rate(rates!.dropped)} frames/s`)],
    ["skipped", count(stats.skipped)],
    ["next", `sequence ${count(stats.head)}`],
    ...endOf(stats) === undefined ? [] : [["ended", endOf(stats)!] as [string, string]],
    ...gone ? [["filled", "by none: its producers are gone, readers wait for the next one"] as [string, string]] : [],
    ...stats.groups.map((group): [string, string] => ["group", groupLine(group)]),
  ]);
}
