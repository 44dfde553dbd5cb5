/**
 * Which of Linux's libraries a process loads.
 */
import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import process from "node:process";
import { LIBRARY_VARIABLE, loadShim } from "../ffi/load.ts";
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
