/**
 * What a runtime has beside the language: its collector, and how to wait.
 *
 * @module
 */

/** The runtime that runs this. */
export const HERE: "deno" | "bun" = "Bun" in globalThis ? "bun" : "deno";

const { gc, Bun } = globalThis as unknown as { gc?: () => void; Bun?: { gc(now: boolean): void } };

/** One collection, synchronous. Deno needs `--v8-flags=--expose-gc`. */
export function collect(): void {
  gc?.();
  Bun?.gc(true);
}

/** Waits. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One turn of the event loop: finalizers, timers and messages get theirs. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
