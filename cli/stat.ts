/**
 * `frames-depot stat`: everything about one depot, and who holds it up.
 *
 * @module
 */
import { Command } from "commander";
import { type DepotInfo, FramesDepot } from "../mod.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { seconds } from "./parameters.ts";
import { peersTable } from "./peers_table.ts";
import { paintOutput, print, printJson } from "./terminal/output.ts";
import { bytes, count, counted, gigabytesPerSecond, rate } from "./terminal/units.ts";
import { type Rates, ratesBetween, stateOf, type Visit, visit } from "./visit.ts";

const MEASURE_SECONDS = 0.5;

const WHEN_FULL = {
  drop: "a full queue drops the new frame",
  wait: "a full queue makes producers wait",
  overwrite: "a full queue overwrites the oldest frame",
};

/** Makes the command. */
export function statCommand(): Command {
  return new Command("stat")
    .summary("show one depot: counters, peers, who blocks")
    .description("Shows all counters of a depot, each peer, and who blocks.")
    .argument("<name>", "a depot")
    .option("--seconds <number>", "how long rates are measured for; 0 does not measure", seconds, MEASURE_SECONDS)
    .option("--json", "for programs: an object")
    .addHelpText(
      "after",
      `
Of a stale depot the shape is shown, not the counters: opening it would make it live, and closing it remove it.

Examples:
  frames-depot stat camera0
  frames-depot stat camera0 --json | jq .slowest`,
    )
    .action(async (name: string, { seconds, json }: { seconds: number; json?: boolean }) => {
      using interruption = new Interruption();
      const info = FramesDepot.list().find((info) => info.name === name);
      if (info !== undefined && !info.usable) throw new Failure(info.reason, EXIT.refused);
      if (info?.stale) return json ? printJson({ ...info, state: "stale" }) : print(shape(info));
      const before = await visit(name); // where there is none, it says so
      if (seconds > 0) await interruption.sleep(seconds * 1000);
      const after = seconds > 0 ? await visit(name) : before;
      const now = FramesDepot.list().find((info) => info.name === name);
      if (now === undefined) throw new Failure(`depot "${name}" was removed just now`, EXIT.notFound);
      const rates = seconds > 0 ? ratesBetween(before, after, now.frameBytes!) : undefined;
      if (json) printJson({ ...now, state: stateOf(now), ...after.stats, metadataBytes: after.metadataBytes, rates });
      else print(shape(now, after) + counters(after, rates) + peersTable(after.stats));
    });
}

function lines(pairs: [label: string, text: string][]): string {
  const paint = paintOutput();
  return pairs.map(([label, text]) => `  ${paint.dim(label.padEnd(9))} ${text}\n`).join("");
}

function shape(info: DepotInfo, visit?: Visit): string {
  const paint = paintOutput();
  const format = info.pixelFormat ? `, ${info.pixelFormat}` : "";
  const beside = visit !== undefined && visit.metadataBytes > 0 ? ` and ${bytes(visit.metadataBytes)} of metadata` : "";
  const title = `${paint.bold(info.name)}  ${info.stale ? paint.yellow(`stale: ${info.reason}`) : paint.green("live")}`;
  return `${title}\n` + lines([
    ["frame", `${info.frameSize!.join(" × ")} ${info.elementType}${format}, ${bytes(info.frameBytes!)}${beside}`],
    ["queue", `${info.length} of ${counted(info.maxSize!, "frame")}; ${WHEN_FULL[info.whenFull!]}`],
    ["memory", bytes(info.bytes)],
  ]);
}

function counters({ stats }: Visit, rates?: Rates): string {
  const paint = paintOutput();
  const measured = (text: () => string) => rates === undefined ? "" : paint.dim(`  ${text()}`);
  return lines([
    [
      "stored",
      count(stats.stored) +
      measured(() => `${rate(rates!.frames)} frames/s, ${gigabytesPerSecond(rates!.bytes)} GB/s`),
    ],
    ["dropped", count(stats.dropped) + measured(() => `${rate(rates!.dropped)} frames/s`)],
    ["skipped", count(stats.skipped)],
    ["next", `sequence ${count(stats.head)}`],
  ]);
}
