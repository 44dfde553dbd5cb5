/**
 * Forking a runtime, so that a process to be killed costs milliseconds: a fork has its parent's loaded modules and only
 * the calling thread. It must not go back to the event loop, and its runtime must do without helper threads
 * (`SINGLE_THREADED` in child.ts).
 *
 * @module
 */
import fs from "node:fs";
import { openLibrary } from "../support/native.ts";

type Native = {
  fork(): number;
  waitpid(pid: number, status: Int32Array, options: number): number;
  kill(pid: number, signal: number): number;
  getpid(): number;
  usleep(microseconds: number): number;
  prctl(option: number, argument: bigint): number;
  madvise(address: bigint, bytes: bigint, advice: number): number;
};

const SIGNATURES = {
  fork: { parameters: [], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  usleep: { parameters: ["u32"], result: "i32" },
  prctl: { parameters: ["i32", "u64"], result: "i32" },
  madvise: { parameters: ["u64", "u64", "i32"], result: "i32" },
} as const;

const LIBRARY = "libc.so.6";
/** The signal that no process can hear. */
export const SIGKILL = 9;
const WNOHANG = 1;
const MADV_DOFORK = 11;
const PR_SET_PDEATHSIG = 1;
const PRIVATE_MEMORY = /^([0-9a-f]+)-([0-9a-f]+) ...p 0+ 00:00 0 /gm;

const native = openLibrary<Native>(LIBRARY, SIGNATURES);
const status = new Int32Array(1);

/** How a fork ended. */
export type Ending = { signal: number; code: number };

/** Both runtimes keep parts of their heap out of a fork (MADV_DONTFORK); these parts are put back. */
function shareHeap(): void {
  for (const [, from, to] of fs.readFileSync("/proc/self/maps", "utf8").matchAll(PRIVATE_MEMORY)) {
    const address = BigInt(`0x${from}`);
    native.madvise(address, BigInt(`0x${to}`) - address, MADV_DOFORK);
  }
}

/** Runs `life` in a new process, which is killed when it returns. @returns its process id */
export function fork(life: () => void): number {
  shareHeap();
  shareHeap(); // what the first pass allocated
  const pid = native.fork();
  if (pid < 0) throw new Error("the system refuses to fork");
  if (pid > 0) return pid;
  native.prctl(PR_SET_PDEATHSIG, BigInt(SIGKILL)); // no fork outlives its parent
  try {
    life();
  } finally {
    die();
  }
  return 0;
}

/** Kills this process, here and now, without running anything that a runtime does at its end. */
export function die(): never {
  native.kill(native.getpid(), SIGKILL);
  for (;;); // the signal is delivered before the call returns; if not, this is where it is waited for
}

/** Kills a process that {@linkcode fork} made. */
export function kill(pid: number): void {
  native.kill(pid, SIGKILL);
}

/** How a fork ended; undefined while it lives. */
export function reap(pid: number): Ending | undefined {
  const ended = native.waitpid(pid, status, WNOHANG);
  if (ended === 0) return undefined;
  return { signal: status[0] & 0x7f, code: (status[0] >> 8) & 0xff };
}

/** Sleeps without an event loop. */
export function sleepMs(milliseconds: number): void {
  native.usleep(Math.round(milliseconds * 1000));
}
