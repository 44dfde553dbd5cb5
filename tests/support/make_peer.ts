/**
 * A process that makes or opens a depot, says what became of it, and what is in the folder of shared memory then.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import { DepotError, type DepotOptions, FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";

/** What it says. */
export type Made = { made: boolean; code?: string; message?: string; errno?: number; left: string[] };

const { name, options } = taskOf<{ name: string; options?: DepotOptions }>();

function left(): string[] {
  try {
    return readdirSync("/dev/shm").filter((file) => file.includes("frames-depot"));
  } catch {
    return [];
  }
}

try {
  const depot = options === undefined ? await FramesDepot.open(name) : await FramesDepot.create(name, options);
  await depot.enqueue({ frame: new Uint8Array(depot.frameBytes).fill(7) });
  const made = depot.latest()?.data[0] === 7;
  await depot.close();
  say({ made, left: left() } satisfies Made);
} catch (error) {
  if (!(error instanceof DepotError)) throw error;
  const { code, message, errno } = error;
  say({ made: false, code, message, errno, left: left() } satisfies Made);
}
