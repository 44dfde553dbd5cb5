/**
 * Which of Linux's libraries a process loads, and how `deno task platforms` starts a runtime of another system.
 */
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { LIBRARY_VARIABLE, loadShim } from "../ffi/load.ts";
import { starter } from "../tools/platforms/packages.ts";
import { depotTest, skip } from "./support/harness.ts";

depotTest("loadShim takes the library for musl where the process runs on musl, and the one for glibc elsewhere", () => {
  if (process.platform !== "linux") return skip("Linux alone has two of these libraries");
  if (process.env[LIBRARY_VARIABLE]) return skip(`${LIBRARY_VARIABLE} names another library`);
  const maps = readFileSync("/proc/self/maps", "utf8");
  const isMusl = maps.includes("/ld-musl-");
  assertEquals(isMusl, !/\/libc(?:-[\d.]+)?\.so(?:\.6)?$/m.test(maps), maps);
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const { source } = loadShim();
  assert(source.startsWith(`linux ${machine}${isMusl ? " musl" : ""}`), source);
  assertEquals(source.includes("musl"), isMusl);
});

depotTest("starter gives a runtime its environment, and its flags behind run and test or before all others", (name) => {
  if (process.platform === "win32") return skip("starters are scripts for a POSIX shell");
  const says = ["sh", "-c", 'echo "$SYSTEM:" "$@"', "sh"],
    start = { command: says, env: { SYSTEM: "a b" }, flags: ["-f"] };
  for (
    const [behindVerb, parameters, expected] of [
      [true, ["run", "x y"], "a b: run -f x y"],
      [true, ["test"], "a b: test -f"],
      [true, ["-p", "run"], "a b: -p run"],
      [false, ["run", "x"], "a b: -f run x"],
    ] as const
  ) {
    const path = starter(name, { ...start, behindVerb });
    try {
      const { stdout } = spawnSync(path, parameters, { encoding: "utf8", env: { PATH: process.env.PATH } });
      assertEquals(stdout.trim(), expected);
    } finally {
      rmSync(path);
    }
  }
});
