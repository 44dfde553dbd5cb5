/**
 * `top` without a terminal, and on a real one: a pseudo-terminal that Python opens.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { cutLine } from "../cli/terminal/cut_line.ts";
import { FramesDepot } from "../mod.ts";
import { runCli } from "./support/cli.ts";
import { depotTest, skip, STARTED } from "./support/harness.ts";
import { hasTerminal, onTerminal } from "./support/terminal.ts";

const SHAPE = { frameSize: [4, 2, 3] as [number, number, number], whenFull: "overwrite" as const };

depotTest("top prints once where there is no terminal, sorted as it was asked to", async (name, another) => {
  const other = another();
  await using _first = await FramesDepot.create(name, SHAPE);
  await using busy = await FramesDepot.create(other, SHAPE);
  const timer = setInterval(() => void busy.tryEnqueue({ frame: new Uint8Array(24) }), 5);
  try {
    const { code, out } = await runCli(["top", "--interval", "0.2", "--sort", "fps"]);
    assertEquals(code, 0);
    assertMatch(out, /^frames-depot {2}\d+ depots, \d+ live/);
    assert(out.indexOf(`\n${other} `) < out.indexOf(`\n${name} `), out);
    const json = await runCli(["top", "--once", "--json", "--interval", "0.2"]);
    const rows: { name: string; framesPerSecond: number }[] = JSON.parse(json.out);
    assert(rows.find((row) => row.name === other)!.framesPerSecond > 0, json.out);
    assertEquals(rows.find((row) => row.name === name)!.framesPerSecond, 0);
  } finally {
    clearInterval(timer);
  }
});

for (const runtime of STARTED) {
  depotTest(`top on a terminal sorts, pauses, helps and quits with the keys (${runtime})`, async (name) => {
    if (!hasTerminal) return skip("no pseudo-terminal here: needs python3");
    await using _depot = await FramesDepot.create(name, SHAPE);
    const { output, code, restored } = await onTerminal(runtime, ["top", "--interval", "0.1"], [
      { shows: name, keys: "f" },
      { shows: "by fps", keys: "f" },
      { shows: "by fps, reversed", keys: "?" },
      { shows: "reverses it", keys: "p" },
      { shows: "paused", keys: "q" },
    ]);
    assertEquals([code, restored], [0, true], output);
    assertGivenBack(output);
  });

  for (
    const [how, last, expected] of [["Ctrl-C", { keys: "\x03" }, 130], ["SIGTERM", { signal: "SIGTERM" }, 143]] as const
  ) {
    depotTest(`top gives the terminal back after ${how} (${runtime})`, async (name) => {
      if (!hasTerminal) return skip("no pseudo-terminal here: needs python3");
      await using _depot = await FramesDepot.create(name, SHAPE);
      const { output, code, restored } = await onTerminal(runtime, ["top"], [{ shows: name, ...last }]);
      assertEquals([code, restored], [expected, true], output);
      assertGivenBack(output);
    });
  }
}

depotTest("top on a narrow terminal cuts its lines at the edge, and none of them in the middle", async (name) => {
  if (!hasTerminal) return skip("no pseudo-terminal here: needs python3");
  await using _depot = await FramesDepot.create(name, SHAPE);
  const { output } = await onTerminal("deno", ["top"], [{ shows: name.slice(-4), keys: "q" }], 30);
  // deno-lint-ignore no-control-regex -- what is left is what is seen
  const [first] = output.split("\x1b[?7l")[1].replace(/\x1b\[[\d;]*[A-Za-z]/g, "").split(/\r+\n/);
  assertMatch(first, /^frames-depot {2}\d+ depot/);
  assertEquals(first.length, 30);
});

test("cutLine counts what is seen and keeps every colour", () => {
  assertEquals(cutLine("\x1b[1mdepot\x1b[22m camera0", 7), "\x1b[1mdepot\x1b[22m c");
  assertEquals(cutLine("\x1b[1mdepot\x1b[22m", 3), "\x1b[1mdep\x1b[22m");
  assertEquals([cutLine("4×2×3", 4), cutLine("short", 80), cutLine("", 1)], ["4×2×", "short", ""]);
});

/** Other page left, cursor shown, lines wrapped again, and nothing written afterwards. */
function assertGivenBack(output: string): void {
  const [page, after] = output.split("\x1b[?1049l");
  assertStringIncludes(page, "\x1b[?1049h");
  // Erasing behind the last column of a full line would take its last character.
  const before = page.split("\x1b[K").slice(0, -1);
  assert(before.every((text) => /[\nH]$/.test(text)), "a line is erased after it was written");
  assert(page.endsWith("\x1b[?7h\x1b[?25h"), JSON.stringify(page.slice(-40)));
  assertEquals(after, "");
}
