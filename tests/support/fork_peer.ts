/**
 * A process that makes a depot and forks without exec, as some native libraries do. The fork lives for a minute.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";

type Forks = { symbols: { forks(): number } };

/** The library is C's, made by the test: `int forks(void)` returns the fork's id. */
const { name, library } = taskOf<{ name: string; library: string }>();
await FramesDepot.create(name, { frameSize: [4, 2, 3] });
const runtime = (globalThis as unknown as { Deno?: { dlopen(path: string, table: unknown): Forks } }).Deno;
const forks = runtime === undefined
  ? (await import("bun:ffi")).dlopen(library, { forks: { args: [], returns: "i32" } }) as unknown as Forks
  : runtime.dlopen(library, { forks: { parameters: [], result: "i32" } });
say({ fork: forks.symbols.forks() });
setInterval(() => {}, 1000);
