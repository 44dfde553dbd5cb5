/**
 * Groups of readers that share frames, as `stat`, `top` and the doctor show them.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { FramesDepot } from "../mod.ts";
import { runCli } from "./support/cli.ts";
import { depotTest, STARTED } from "./support/harness.ts";

const SHAPE = { frameSize: [4, 2, 3], maxSize: 4, whenFull: "wait" } as const;
const frameOf = (frameNumber: number) => ({ frameNumber, frame: new Uint8Array(24) });

depotTest("stat and top show a group in one line each, whatever its name", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  using a = depot.frames({ group: "detectors" });
  using _b = depot.frames({ group: "detectors" });
  depot.frames({ group: "\x1b[31m", from: 7 }).release();
  for (let n = 0; n < 4; n++) await depot.enqueue(frameOf(n));
  a.tryNext();
  for (const runtime of STARTED) {
    const { code, out } = await runCli(["stat", name, "--seconds", "0"], { runtime });
    assertEquals(code, 0);
    const line = '"detectors": 2 members hold 1 frame, 3 behind; 0 redelivered, 0 dropped, 0 lost; from oldest';
    assertStringIncludes(out, `  group     ${line}\n`);
    assertStringIncludes(out, '  group     "\\u001b[31m": no members; 0 redelivered, 0 dropped, 0 lost; from 7\n');
    assertMatch(out, /member of "detectors" +1 +0 +3/);
    const top = await runCli(["top", "--once", "--interval", "0.1"], { runtime });
    assertStringIncludes(top.out, `${name}: group ${line}\n`);
  }
});

depotTest("stat --json has groups, and names a member's process as slowest", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  using _reader = depot.frames({ group: "detectors" });
  for (let n = 0; n < 4; n++) await depot.enqueue(frameOf(n));
  const { out } = await runCli(["stat", name, "--seconds", "0", "--json"]);
  const { groups, slowest } = JSON.parse(out);
  assertEquals([groups, slowest], [depot.stats().groups, { pid: process.pid, lag: 4 }]);
});
