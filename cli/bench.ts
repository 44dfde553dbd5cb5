/**
 * `frames-depot bench`: how fast this machine copies, hands off and wakes, each figure beside its floor.
 *
 * @module
 */
import os from "node:os";
import process from "node:process";
import { Command } from "commander";
import { measureCopy } from "./bench/copy.ts";
import { floorOf } from "./bench/floor.ts";
import { pingPong } from "./bench/ping_pong.ts";
import type { Summary } from "./bench/samples.ts";
import { EXIT, Failure } from "./failure.ts";
import { Interruption } from "./interruption.ts";
import { seconds } from "./parameters.ts";
import { complain, paintErrors, paintOutput, print, printJson } from "./terminal/output.ts";
import { table } from "./terminal/table.ts";
import { duration, gigabytesPerSecond } from "./terminal/units.ts";

/** With fewer round trips no ratio is shown: the two processes rarely ran at the same time. */
const FEW = 20;

/** One thing measured, and its floor. */
type Line = {
  what: string;
  unit: "bytesPerSecond" | "nanoseconds";
  depot: Summary;
  floor: Summary;
  /** The depot's time as a multiple of the floor's; 1 is the best possible. */
  ratio: number;
  /** What the floor is. */
  beside: string;
};

/** Makes the command. */
export function benchCommand(): Command {
  return new Command("bench")
    .summary("measure this machine: copy, hand-off and wake, beside their floors")
    .description("Measures copy, hand-off and wake on this machine for half a minute, each beside its floor.")
    .option("--seconds <number>", "how long to measure", seconds, 30)
    .option("--json", "for programs: an object")
    .addHelpText(
      "after",
      `
copy      a 1080p frame is enqueued; floor: TypedArray.set into ordinary memory
hand-off  a small frame goes to another process while both poll;
          floor: two threads that spin on a word
wake      a small frame goes to another process while both sleep;
          floor: two threads in Atomics.wait

Other work on the machine changes all figures, the ratios least.

Examples:
  frames-depot bench
  frames-depot bench --seconds 10 --json`,
    )
    .action(async ({ seconds, json }: { seconds: number; json?: boolean }) => {
      using interruption = new Interruption();
      const { signal } = interruption;
      if (os.availableParallelism() < 2) {
        throw new Failure(
          "cannot measure: two processes hand frames to each other, which needs 2 processors, and 1 is available; " +
            "give this machine or container another one",
          EXIT.system,
        );
      }
      const [load] = os.loadavg();
      if (load > os.availableParallelism()) {
        complain(
          `${paintErrors().yellow("busy:")} the load is ${
            load.toFixed(1)
          } on ${os.availableParallelism()} processors, ` +
            "so the figures are worse than usual\n",
        );
      }
      if (process.stderr.isTTY) complain(paintErrors().dim(`measuring for ${seconds} s ...\n`));
      const name = `bench-${process.pid}`;
      const each = Math.max(100, seconds * 1000 / 6);
      const copy = await measureCopy(`${name}-copy`, 2 * each, signal);
      const handOff = {
        floor: await floorOf("spins", each, signal),
        depot: await pingPong(`${name}-spin`, "spins", each, signal),
      };
      const wake = {
        floor: await floorOf("sleeps", each, signal),
        depot: await pingPong(`${name}-wake`, "sleeps", each, signal),
      };
      const time = (what: string, { depot, floor }: Record<"depot" | "floor", Summary>, beside: string): Line => (
        { what, unit: "nanoseconds", depot, floor, ratio: depot.p50 / floor.p50, beside }
      );
      const lines: Line[] = [
        {
          what: "copy",
          unit: "bytesPerSecond",
          ...copy,
          ratio: copy.floor.p50 / copy.depot.p50,
          beside: "TypedArray.set into ordinary memory",
        },
        time("hand-off", handOff, "two threads that spin on a word"),
        time("wake", wake, "two threads in Atomics.wait"),
      ];
      const machine = { cpu: os.cpus()[0]?.model ?? "unknown", cpus: os.availableParallelism(), runtime: runtime() };
      if (json) printJson({ machine, lines });
      else print(drawn(lines) + paintOutput().dim(`\n${machine.runtime}, ${machine.cpus} × ${machine.cpu}\n`));
    });
}

function runtime(): string {
  const { bun, deno, node } = process.versions;
  return bun !== undefined ? `bun ${bun}` : deno !== undefined ? `deno ${deno}` : `node ${node}`;
}

function drawn(lines: Line[]): string {
  const figure = ({ unit }: Line, value: number) =>
    unit === "nanoseconds" ? duration(value / 1e6) : `${gigabytesPerSecond(value)} GB/s`;
  return table(lines, [
    { title: "", text: ({ what }) => what },
    { title: "DEPOT", text: (line) => figure(line, line.depot.p50), align: "right", style: paintOutput().bold },
    { title: "FLOOR", text: (line) => figure(line, line.floor.p50), align: "right" },
    {
      title: "× FLOOR",
      text: ({ unit, depot, ratio }) => unit === "nanoseconds" && depot.count < FEW ? "too busy" : ratio.toFixed(2),
      align: "right",
    },
    // The slow end of a rate is its low end, which p99 does not show.
    { title: "P99", text: (line) => line.unit === "nanoseconds" ? figure(line, line.depot.p99) : "", align: "right" },
    { title: "THE FLOOR IS", text: ({ beside }) => beside, spare: 1 },
  ]);
}
