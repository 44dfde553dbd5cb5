/**
 * The programs of `examples/`: each runs by itself in every runtime, finds the bytes at its consumer, and leaves
 * nothing behind. What a page shows of a program is in the program.
 */
import { assert, assertEquals } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { FramesDepot } from "../mod.ts";
import { installPackages } from "../tools/support/node_packages.ts";
import { RUN } from "../tools/support/runtimes.ts";
import { depotTest, executableOf, type Runtime, RUNTIMES, skip } from "./support/harness.ts";

const ROOT = new URL("../", import.meta.url);
const programs = readdirSync(new URL("examples/", ROOT)).filter((name) => name.endsWith(".ts"));
const textOf = (path: string) => readFileSync(new URL(path, ROOT), "utf8").replaceAll("\r\n", "\n");

/** A worker's part of a program is not a program. */
const isJob = (program: string) => program.endsWith("_job.ts");

type Run = { code: number | null; out: string; pid: number };

/** The longest one starts a hundred processes. */
const WATCHDOG_MS = 300_000;

/** Runs a program as its users do: in the clone, by its path. */
function run(runtime: Runtime, program: string): Promise<Run> {
  const parameters = [...runtime === "deno" ? ["run", "-A"] : RUN[runtime], `examples/${program}`];
  const child = spawn(executableOf(runtime), parameters, {
    cwd: fileURLToPath(ROOT),
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => out += text);
  const watchdog = setTimeout(() => process.kill(child.pid!, "SIGKILL"), WATCHDOG_MS);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearTimeout(watchdog);
      resolve({ code, out, pid: child.pid! });
    })
  );
}

if (RUNTIMES.includes("node")) installPackages();

for (const program of programs.filter((program) => !isJob(program))) {
  for (const runtime of RUNTIMES) {
    depotTest(`examples/${program} does what it says, in ${runtime}`, async () => {
      const { code, out, pid } = await run(runtime, program);
      const last = out.trimEnd().split("\n").at(-1)!;
      const lacks = /^skipped: (\w+) is not installed$/.exec(last)?.[1];
      if (lacks === undefined) assert(last.startsWith("ok: "), out);
      else {
        assert(spawnSync(lacks, ["-version"]).error !== undefined, `${lacks} is there`);
        skip(`${lacks} is not installed`);
      }
      assertEquals(code, 0, out);
      const left = FramesDepot.list().map(({ name }) => name).filter((name) => name.endsWith(`-${pid}`));
      assertEquals(left, [], "what it left behind");
    }, { watchdogMs: WATCHDOG_MS });
  }
}

/** A link to a program, or a block of code. */
const LINK_OR_CODE = /\]\(\.\.\/(examples\/\w+\.ts)\)|^```ts\n([\s\S]*?)^```$/gm;

/** The lines of a text, without their indentation. */
const linesOf = (text: string) => `\n${text.split("\n").map((line) => line.trim()).join("\n")}\n`;

test("docs/handing_frames.md shows nothing but lines of the program that it has linked to", () => {
  const linked = new Set<string>();
  let program: string | undefined;
  for (const [, path, code] of textOf("docs/handing_frames.md").matchAll(LINK_OR_CODE)) {
    if (path !== undefined) linked.add(program = path);
    else assert(program && linesOf(textOf(program)).includes(linesOf(code.trimEnd())), `${program} has not:\n${code}`);
  }
  assert(linked.size >= 8, [...linked].join());
});

test("examples/README.md has a line for each program", () => {
  const page = textOf("examples/README.md");
  const lacking = programs.filter((program) => !isJob(program) && !page.includes(`](${program})`));
  assertEquals(lacking, []);
});
