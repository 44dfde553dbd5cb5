/**
 * What tests cannot try on Windows, and why.
 *
 * @module
 */
import process from "node:process";

/** Whether this is Windows. */
export const IS_WINDOWS = process.platform === "win32";

/** For tests of what killed processes leave. */
export const NO_STALE = "Windows has no stale depots: a depot goes with the last process that has it open";
/** For tests that send signals. */
export const NO_SIGNALS = "Windows has no such signals: a process that is sent one is killed";
/** What a process ends with that was sent SIGTERM. */
export const TERMINATED = IS_WINDOWS ? 1 : 143;
/** For tests that break segments from outside. */
export const NO_FILES = "segments are files on Linux only";
/** For tests that start programs of Unix. */
export const NO_SHELL = "Windows has no sh";
/** For tests of operations that go on in threads of Deno and Node while a depot object is closed. */
export const NO_EXCHANGE = "Windows exchanges pages in several steps: a thread that reads them just then faults";
/** For tests of permissions, which need a shell between. */
export const DENO_GRANTS = "Deno gives all permissions to a Deno that it starts, and Windows has no sh to hide it";
/** For tests of commands in Bun. */
export const NO_PACKAGES = "Bun cannot unpack the packages of the command line under Wine";
/** For tests that take the membership lock all the time. */
export const SLOW_LOCKS = "locks are slow under Wine: members gather that have still to leave";
/** Where a thread can wait for one word alone. */
export const ONE_WORD = IS_WINDOWS || process.platform === "darwin";
/** For tests in which Deno has many waits. */
export const FEW_THREADS = "a wait takes a thread of Deno's own on Windows and macOS, and Deno has few";
