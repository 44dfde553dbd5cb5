/**
 * `deno task bench:ideas`: ideas that were tried and not taken, or taken in part, each beside the way it is, in runs
 * that alternate.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { compile } from "../../shim/build.ts";
import { writeReadme } from "../readme.ts";
import { plot } from "../report/plot.ts";
import { machine, type Result, row, save } from "../report/result.ts";
import { table } from "../report/table.ts";

/** A way to build `ideas.c`, and what became of the idea. */
type Idea = { what: string; flags: string[]; note?: string };

const AS_IT_WAS = "as it was: every step a full barrier";
const IDEAS: readonly Idea[] = [
  { what: AS_IT_WAS, flags: [] },
  { what: "C8 and C10 as release stores", flags: ["-DRELEASE"], note: "taken" },
  {
    what: "a slot's pins in a line of their own",
    flags: ["-DPINS_APART"],
    note: "not taken: no gain through a runtime, twice the table",
  },
  { what: "eight slots claimed at once", flags: ["-DCLAIM_AHEAD=8"], note: "not taken: a death would burn eight" },
  {
    what: "the cursor stored for every eighth frame",
    flags: ["-DCURSOR_LATE=8"],
    note: "not taken: a full queue stays full longer",
  },
  { what: "a pause between two looks", flags: ["-DPAUSE"], note: "not taken" },
];
const COPIES: readonly [mode: string, what: string, baseline?: string, note?: string][] = [
  ["copy", "memcpy"],
  ["copy-past", "past the cache", "memcpy", "taken, where the ring is larger than the cache"],
  ["copy-huge", "memcpy into huge pages", "memcpy", "not taken: shared memory rarely may have them"],
  ["read", "memcpy, and another thread reads"],
  ["read-past", "past the cache, and another thread reads", "memcpy, and another thread reads", "taken"],
];
const IN_TURN = "slots in turn";
const FILLS: readonly [mode: string, what: string, note?: string][] = [
  ["fill", IN_TURN],
  ["fill-again", "the slot read last first", "not taken: no reader at 60 frames/s gains from it"],
];

const ONE_WORD = "futex on one word";
const WAITS: readonly [parameters: string[], what: string, note?: string][] = [
  [["1"], ONE_WORD],
  ...[1, 8, 32, 128].map((many): typeof WAITS[number] => [
    ["many", String(many)],
    `futex_waitv on ${many}`,
    many === 32 ? "not taken: it saves threads, not time" : undefined,
  ]),
];

const { values } = parseArgs({ options: { runs: { type: "string", default: "7" } } });
const folder = mkdtempSync(join(tmpdir(), "frames-depot-ideas-"));

function built(source: string, flags: string[] = []): string {
  const path = join(folder, source + flags.join(""));
  const compiler = (process.env.CC || "cc").split(" ");
  compile([
    ...compiler,
    "-std=gnu11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    ...flags,
    "-o",
    path,
    `../bench/ideas/${source}.c`,
    "-lpthread",
  ]);
  return path;
}

/** One figure; undefined where the system does not have what it takes. */
function ask(program: string, parameters: string[]): number | undefined {
  const { status, stdout } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status === 3) return undefined;
  if (status !== 0) throw new Error(`${program} ${parameters.join(" ")} ended with ${status}: the measurement is void`);
  return Number(stdout);
}

/** Asks all programs in turn. */
function alternate(asked: readonly [what: string, program: string, ...parameters: string[]][]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (let run = 0; run < Number(values.runs); run++) {
    for (const [what, program, ...parameters] of asked) {
      const value = ask(program, parameters);
      if (value !== undefined) found.set(what, [...found.get(what) ?? [], value]);
    }
  }
  return found;
}

function finish(result: Pick<Result, "question" | "title" | "unit" | "better" | "rows">): void {
  const whole: Result = {
    ...result,
    command: "deno task bench:ideas",
    date: new Date().toISOString(),
    machine: machine(),
  };
  save(whole);
  plot(whole);
  console.log(`\n${whole.title}\n${table(whole)}`);
}

try {
  const programs = IDEAS.map(({ flags }) => built("ideas", flags));
  for (
    const [mode, title, unit, better] of [
      ["handoff", "Ideas: the bare steps of a hand-off, in C, one process", "ns", "lower"],
      ["stream", "Ideas: the bare steps between two processes, in C", "million frames/s", "higher"],
    ] as const
  ) {
    const found = alternate(IDEAS.map(({ what }, index) => [what, programs[index], mode]));
    const rows = IDEAS.map(({ what, note }) =>
      row(what, found.get(what)!, { series: "C", note, baseline: what === AS_IT_WAS ? undefined : AS_IT_WAS })
    );
    finish({ question: `ideas_${mode}`, title, unit, better, rows });
  }
  const found = alternate(COPIES.map(([mode, what]) => [what, programs[0], mode]));
  const rows = COPIES.filter(([, what]) => found.has(what)).map(([, what, baseline, note]) =>
    row(what, found.get(what)!, { series: "C", baseline, note })
  );
  finish({
    question: "ideas_copy",
    title: "Ideas: copying 1080p RGB frames into a ring of ten",
    unit: "GB/s",
    better: "higher",
    rows,
  });
  const filled = alternate(FILLS.map(([mode, what]) => [what, programs[0], mode]));
  finish({
    question: "ideas_fill",
    title: "Ideas: 1080p frames filled by one thread and summed by another, ten slots",
    unit: "frames/s",
    better: "higher",
    rows: FILLS.map(([, what, note]) =>
      row(what, filled.get(what)!, { series: "C", note, baseline: what === IN_TURN ? undefined : IN_TURN })
    ),
  });
  const wait = built("wait");
  const waited = alternate(WAITS.map(([parameters, what]) => [what, wait, ...parameters]));
  finish({
    question: "ideas_wait",
    title: "Ideas: one sleep for many depots, a word each way between two processes",
    unit: "µs",
    better: "lower",
    rows: WAITS.filter(([, what]) => waited.has(what)).map(([, what, note]) =>
      row(what, waited.get(what)!, { series: "C", note, baseline: what === ONE_WORD ? undefined : ONE_WORD })
    ),
  });
  writeReadme();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
