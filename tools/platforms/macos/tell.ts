/**
 * Tells a runtime on Linux that it is on macOS, before any module of the tests: what is asked of it then is what is
 * asked of it there. The layer beside this file answers for the system's own library.
 *
 * @module
 */
import process from "node:process";

const { Deno: deno } = globalThis as unknown as { Deno?: { build: { os: string } } };
if (deno !== undefined) Object.defineProperty(deno, "build", { value: { ...deno.build, os: "darwin" } });
Object.defineProperty(process, "platform", { value: "darwin" });
