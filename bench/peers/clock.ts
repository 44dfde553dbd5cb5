/**
 * The one clock that all processes share, whatever they are written in: the runtimes' own count from their start.
 *
 * @module
 */
import process from "node:process";
import { HERE } from "../../tools/support/runtimes.ts";

const LIBC = "libc.so.6";
const CLOCK_MONOTONIC = 1;
const time = new BigInt64Array(2);

async function clockOfDeno(): Promise<() => void> {
  const { symbols } = Deno.dlopen(LIBC, { clock_gettime: { parameters: ["i32", "buffer"], result: "i32" } });
  const bytes = new Uint8Array(time.buffer);
  return await Promise.resolve(() => void symbols.clock_gettime(CLOCK_MONOTONIC, bytes));
}

async function clockOfBun(): Promise<() => void> {
  const module = "bun:ffi"; // through a variable: Deno does not know it
  const { dlopen, ptr } = await import(module);
  const { symbols } = dlopen(LIBC, { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  const pointer = ptr(time);
  return () => symbols.clock_gettime(CLOCK_MONOTONIC, pointer);
}

/** Node's own count is that clock's. */
function clockOfNode(): () => void {
  return () => {
    const [seconds, nanoseconds] = process.hrtime();
    time[0] = BigInt(seconds);
    time[1] = BigInt(nanoseconds);
  };
}

const CLOCKS = { deno: clockOfDeno, bun: clockOfBun, node: clockOfNode };
const look = await CLOCKS[HERE]();

/** CLOCK_MONOTONIC in nanoseconds: exact up to 104 days after the start of the machine. */
export function monotonicNs(): number {
  look();
  return Number(time[0]) * 1e9 + Number(time[1]);
}
