/**
 * How the tests are run: a file that hangs is ended, and so is what it has started.
 */
import { assertEquals } from "@std/assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import process from "node:process";
import { executableOf } from "../tools/support/runtimes.ts";
import { runFile } from "../tools/support/suite.ts";
import { inFolder } from "./support/folder.ts";
import { depotTest, HERE, skip } from "./support/harness.ts";

/** Starts a process that would go on for longer than any test, tells its id, and waits for it. */
const HANGS = `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import test from "node:test";
test("hangs", () => {
  const child = spawn("sleep", ["3600"]);
  writeFileSync(new URL("pid", import.meta.url), String(child.pid));
  return new Promise((resolve) => child.on("close", resolve));
});
`;

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

depotTest("runFile ends a file that hangs, and the processes that it has started", async () => {
  if (process.platform !== "linux") return skip("needs Linux: it looks into /proc");
  await inFolder(async (folder) => {
    const path = join(folder, "hangs.test.ts");
    writeFileSync(path, HANGS);
    const job = { file: relative(process.cwd(), path), runtime: HERE };
    const outcome = await runFile(job, { executable: executableOf(HERE), env: {}, flags: [], limitMs: 5000 });
    assertEquals([outcome.code, outcome.signal], [null, "SIGKILL"]);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
