/**
 * Dying, or standing still, right after a named step of docs/internals/protocol.md: those of a hand-off are in C, the
 * others in TypeScript.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { C_FLAGS, compile, SYSTEMS } from "../../shim/build.ts";
import { trace } from "../../ring/trace.ts";
import { openLibrary } from "../support/native.ts";
import type { Runtime } from "../support/runtimes.ts";

/** Where it is to end. */
export type Step = { step: string; count: number };
/** A double written into a file the moment before. */
export type Note = { file: string; at: number; value: number };

type Arm = (
  step: Uint8Array,
  count: number,
  file: Uint8Array,
  noteAt: number,
  note: number,
  freezes: number,
) => number;

const SIGNATURE = { parameters: ["buffer", "i32", "buffer", "f64", "f64", "i32"], result: "i32" } as const;
/** By hand: in a fork the fewer parts of the runtime are asked, the better. */
const cString = (text: string) => Uint8Array.from(`${text}\0`, (character) => character.charCodeAt(0));

/** What a thread's end calls, each a step of it. */
const ENDS = ["fd_sleepers_end", "fd_segment_retire_all", "fd_system_unlock_peers", "fd_system_close"];

const built = new Map<string, string>();

/**
 * The compiler for what a runtime loads: `FRAMES_DEPOT_TEST_CC_BUN` names one for Bun. A runtime may be of another
 * system than the rest of this machine, and a library is for one C library.
 */
const compilerFor = (runtime: Runtime): string =>
  process.env[`FRAMES_DEPOT_TEST_CC_${runtime.toUpperCase()}`] ?? (process.env.CC || "cc");

/** The library with its steps announced, built once a process; give it to a child as `FRAMES_DEPOT_LIB`. */
export function tracedLibrary(runtime: Runtime): string {
  const compiler = compilerFor(runtime);
  const there = built.get(compiler);
  if (there !== undefined) return there;
  const folder = mkdtempSync(join(tmpdir(), "frames-depot-traced-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "frames_depot.so");
  const { sources, flags, libraries } = SYSTEMS.linux;
  const ends = ENDS.map((symbol) => `-Wl,--wrap=${symbol}`);
  const all = [...flags, "-DFD_TRACE", ...ends, "-o", path, ...sources, "../tools/chaos/steps.c", ...libraries];
  compile([...compiler.split(" "), ...C_FLAGS, "-fvisibility=hidden", ...all]);
  built.set(compiler, path);
  return path;
}

let arm: Arm | undefined;

function armed(): Arm {
  const path = process.env.FRAMES_DEPOT_LIB;
  if (path === undefined) throw new Error("FRAMES_DEPOT_LIB must name the traced library");
  return openLibrary<{ fd_trace: Arm }>(path, { fd_trace: SIGNATURE }).fd_trace;
}

/** Loads and compiles what {@linkcode endAt} needs; before a fork, because a fork may do neither any more. */
export function prepareToEnd(): void {
  if (arm !== undefined) return;
  arm = armed();
  goOn();
}

/** Arms this process. `end` is called at steps in TypeScript; C writes the note and ends by itself. */
export function endAt({ step, count }: Step, freezes: boolean, note: Note | undefined, end: () => void): void {
  prepareToEnd();
  if (arm!(cString(step), count, cString(note?.file ?? ""), note?.at ?? 0, note?.value ?? 0, freezes ? 1 : 0) < 0) {
    throw new Error(`there is no step ${step}`);
  }
  let left = count;
  trace.at = (name) => {
    if (name === step && --left === 0) end();
  };
}

/** Disarms it. */
export function goOn(): void {
  trace.at = undefined;
  arm?.(cString(""), 0, cString(""), 0, 0, 0);
}
