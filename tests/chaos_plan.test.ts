/** The kill list names only steps that are announced: at another name nothing ever dies, and a run passes. */
import { assertEquals } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { BLOCKING, ENDING_STEPS, STARTED_STEPS, STEPS, THREAD_STEPS } from "../tools/chaos/plan.ts";
import { SHARING_STEPS } from "../tools/chaos/sharing.ts";
import { HELD_STEPS, TAKING_STEPS } from "../tools/chaos/taking_plan.ts";

const HERE = new URL("../", import.meta.url);

/** What a pattern finds in a file, or in the files of a folder. */
function namesIn(place: string, pattern: RegExp): string[] {
  const files = place.endsWith("/") ? readdirSync(new URL(place, HERE)).map((name) => place + name) : [place];
  return files.filter((path) => /\.(?:ts|c)$/.test(path)).flatMap((path) =>
    [...readFileSync(new URL(path, HERE), "utf8").matchAll(pattern)].map(([, name]) => name)
  );
}

const TRACE = /trace\.at\?\.\("([^"]+)"\)/g;
const IN_C = namesIn("shim/", /FD_STEP\(([^)]+)\)/g);
const IN_TYPESCRIPT = namesIn("ring/", TRACE);
const IN_THREADS = [...IN_TYPESCRIPT, ...namesIn("tools/chaos/work.ts", TRACE)];

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();
const all = (lists: Record<string, readonly string[]>) => Object.values(lists).flat();
const unknown = (names: string[], announced: string[]) => sorted(names).filter((name) => !announced.includes(name));

test("STARTED_STEPS, TAKING_STEPS and SHARING_STEPS have every step of shim/ and ring/, and no other", () => {
  const sharing = SHARING_STEPS.map(([step]) => step);
  const planned = [...all(STARTED_STEPS), ...all(TAKING_STEPS), ...sharing];
  assertEquals(sorted(planned), sorted([...IN_C, ...IN_TYPESCRIPT]));
  assertEquals(unknown([...HELD_STEPS], all(TAKING_STEPS)), []);
});

test("STEPS and BLOCKING name no other steps", () => {
  assertEquals(unknown([...all(STEPS), ...all(BLOCKING)], all(STARTED_STEPS)), []);
});

test("THREAD_STEPS are steps of TypeScript: no thread ends within C", () => {
  assertEquals(unknown(all(THREAD_STEPS), IN_THREADS), []);
});

test("ENDING_STEPS are what tools/chaos/steps.c announces of a thread's end", () => {
  assertEquals(sorted(ENDING_STEPS), sorted(namesIn("tools/chaos/steps.c", /fd_step\("([^"]+)"\)/g)));
});
