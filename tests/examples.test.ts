/**
 * The programs of `examples/`: each runs by itself in both runtimes, finds the bytes at its consumer, and leaves nothing
 * behind. The pages that show a program show all of it, as it is.
 */
import { assert, assertEquals } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { FramesDepot } from "../mod.ts";
import { depotTest, executableOf, type Runtime, RUNTIMES } from "./support/harness.ts";
import { fromFileUrl } from "./support/paths.ts";

const ROOT = new URL("../", import.meta.url);
const programs = readdirSync(new URL("examples/", ROOT)).filter((name) => name.endsWith(".ts"));
const textOf = (path: string) => readFileSync(new URL(path, ROOT), "utf8").replaceAll("\r\n", "\n");

/** A worker's part of a program is not a program. */
const isJob = (program: string) => program.endsWith("_job.ts");

type Run = { code: number | null; out: string; pid: number };

/** Runs a program as its users do: in the clone, by its path. */
function run(runtime: Runtime, program: string): Promise<Run> {
  const parameters = [...runtime === "deno" ? ["run", "-A"] : [], `examples/${program}`];
  const child = spawn(executableOf(runtime), parameters, {
    cwd: fromFileUrl(ROOT),
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => out += text);
  const watchdog = setTimeout(() => process.kill(child.pid!, "SIGKILL"), 60_000);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearTimeout(watchdog);
      resolve({ code, out, pid: child.pid! });
    })
  );
}

for (const program of programs.filter((program) => !isJob(program))) {
  for (const runtime of RUNTIMES) {
    depotTest(`examples/${program} does what it says, in ${runtime}`, async () => {
      const { code, out, pid } = await run(runtime, program);
      const last = out.trimEnd().split("\n").at(-1)!;
      const lacks = /^skipped: (\w+) is not installed$/.exec(last)?.[1];
      if (lacks === undefined) assert(last.startsWith("ok: "), out);
      else assert(spawnSync(lacks, ["-version"]).error !== undefined, `${lacks} is there`);
      assertEquals(code, 0, out);
      const left = FramesDepot.list().map(({ name }) => name).filter((name) => name.endsWith(`-${pid}`));
      assertEquals(left, [], "what it left behind");
    });
  }
}

/** A link to a program, and the block of code below it. */
const SHOWN = /^\[examples\/(\w+\.ts)\]\(\.\.\/examples\/\1\)\n\n```ts\n([\s\S]*?)^```$/gm;

test("docs/handing_frames.md shows its programs whole and nothing else as code", () => {
  const page = textOf("docs/handing_frames.md");
  const shown = [...page.matchAll(SHOWN)];
  for (const [, program, code] of shown) assertEquals(code, textOf(`examples/${program}`), program);
  assertEquals(shown.length, page.split("```ts\n").length - 1, "every block of code is a program");
  const linked = [...page.matchAll(/\]\(\.\.\/examples\/(\w+\.ts)\)/g)].map(([, program]) => program);
  assertEquals(shown.map(([, program]) => program), linked);
});
